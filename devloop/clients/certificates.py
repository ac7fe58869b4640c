"""Other people's clocks: the Date of an API server's answers, the validity of certificates."""

from __future__ import annotations

import contextlib
import ssl
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit


def date_of(server: str, timeout: float) -> float | None:
    """Seconds since 1970 on the clock of the API server at that URL; None where nobody answers.

    Nothing is sent but the question, and nothing is taken but the header, which any answer has: so no certificate is checked, since a wrong
    clock is just what would make that fail.
    """
    url = urlsplit(server)
    host, port = url.hostname or "", url.port or 443
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    connection = (
        HTTPConnection(host, port, timeout=timeout)
        if url.scheme == "http"
        else HTTPSConnection(host, port, timeout=timeout, context=unchecked)
    )
    with contextlib.closing(connection), contextlib.suppress(OSError, HTTPException, ValueError, TypeError):
        connection.request("GET", "/readyz")
        return parsedate_to_datetime(connection.getresponse().headers["Date"]).timestamp()
    return None


def validity(pem: bytes) -> tuple[float, float] | None:
    """From when until when the first certificate of a PEM text is valid, in seconds since 1970; None for what is no certificate."""
    from cryptography import x509

    with contextlib.suppress(ValueError):
        certificate = x509.load_pem_x509_certificate(pem)
        return certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    return None
