"""The clock of an API server, and the validity of certificates."""

import contextlib
import ssl
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit


def date_of(server: str, timeout: float) -> float | None:
    """The `Date` header of the API server at that URL as a Unix time; None without an answer.

    Certificates are not verified: a wrong clock would make that fail, and nothing but the header of the answer is used.
    """
    url = urlsplit(server)
    host, port = url.hostname or "", url.port or 443
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    secure = HTTPSConnection(host, port, timeout=timeout, context=unchecked)
    connection = HTTPConnection(host, port, timeout=timeout) if url.scheme == "http" else secure
    with contextlib.closing(connection), contextlib.suppress(OSError, HTTPException, ValueError, TypeError):
        connection.request("GET", "/readyz")
        return parsedate_to_datetime(connection.getresponse().headers["Date"]).timestamp()
    return None


def validity(pem: bytes) -> tuple[float, float] | None:
    """The validity of the first certificate in a PEM text as Unix times; None if there is no certificate."""
    from cryptography import x509

    with contextlib.suppress(ValueError):
        certificate = x509.load_pem_x509_certificate(pem)
        return certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    return None
