"""A certificate authority with ECDSA P-256 keys; certificates follow RFC 5280 strictly."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Extension = tuple[x509.ExtensionType, bool]  # and whether it is critical
LIFETIME = datetime.timedelta(days=3650)
SKEW = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key, both PEM."""

    certificate: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Authority:
    """Issues an environment's certificates; its key is never written to disk."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> str:
        return _pem(self.certificate)

    def issue(self, common_name: str, organizations: Sequence[str] = (), hosts: Sequence[str] = ()) -> Issued:
        """A client certificate, also for a server if there are `hosts` (names or addresses)."""
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if hosts else [])]
        names: list[Extension] = [(x509.SubjectAlternativeName([_host(host) for host in hosts]), False)] if hosts else []
        key = new_key()
        extensions: list[Extension] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_key_usage(signs_certificates=False), True),
            (x509.ExtendedKeyUsage(uses), False),
            *names,
        ]
        certificate = _sign(key, _name(common_name, organizations), self.certificate.subject, self.key, extensions)
        return Issued(_pem(certificate), key_pem(key))


def new_authority(common_name: str) -> Authority:
    key, name = new_key(), _name(common_name)
    extensions: list[Extension] = [(x509.BasicConstraints(ca=True, path_length=0), True), (_key_usage(signs_certificates=True), True)]
    return Authority(_sign(key, name, name, key, extensions), key)


def new_key() -> EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def _sign(
    key: EllipticCurvePrivateKey,
    subject: x509.Name,
    issuer: x509.Name,
    issuer_key: EllipticCurvePrivateKey,
    extensions: Sequence[Extension],
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), now - SKEW, now + LIFETIME)
    identifiers: list[Extension] = [
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False),
    ]
    for extension, critical in (*extensions, *identifiers):
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, SHA256())


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str, organizations: Sequence[str] = ()) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization) for organization in organizations]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
