"""A certificate authority of our own: ECDSA P-256 throughout, certificates that also strict checkers (RFC 5280) accept."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    Extension = tuple[x509.ExtensionType, bool]

LIFETIME = datetime.timedelta(days=3650)
SKEW = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key, both PEM."""

    certificate: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Authority:
    """Lives for as long as it takes to issue an environment's certificates; its key is never written."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> str:
        return _pem(self.certificate)

    def issue(self, common_name: str, organizations: Sequence[str] = (), hosts: Sequence[str] = ()) -> Issued:
        """A certificate for a client, or for a server (which may call itself) where `hosts` are given, names or addresses."""
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID

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
    from cryptography import x509

    key, name = new_key(), _name(common_name)
    extensions: list[Extension] = [(x509.BasicConstraints(ca=True, path_length=0), True), (_key_usage(signs_certificates=True), True)]
    return Authority(_sign(key, name, name, key, extensions), key)


def new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def _sign(
    key: EllipticCurvePrivateKey,
    subject: x509.Name,
    issuer: x509.Name,
    issuer_key: EllipticCurvePrivateKey,
    extensions: Sequence[Extension],
) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

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
    from cryptography import x509

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
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization) for organization in organizations]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()
