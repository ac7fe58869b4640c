"""An environment's own certificate authority, its certificates and kubeconfigs; nothing of it is known outside the environment's folder."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devloop.provisioners.embedded.layout import Layout

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256

LIFETIME = datetime.timedelta(days=3650)

MASTERS = ("system:masters",)
SERVICE_ACCOUNTS = ("system:serviceaccounts", "system:serviceaccounts:flux-system")

# Who may call the API server: file name -> (user, groups). The control plane's own parts are masters, so that they need not wait for the
# API server to write its RBAC rules; the Flux controllers are the service accounts that they are in a cluster, and RBAC holds for them.
USERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("devloop:admin", MASTERS),
    "kube-controller-manager": ("system:kube-controller-manager", MASTERS),
    "kube-scheduler": ("system:kube-scheduler", MASTERS),
    "kwok": ("devloop:kwok", MASTERS),
} | {
    name: (f"system:serviceaccount:flux-system:{name}", SERVICE_ACCOUNTS)
    for name in ("source-controller", "kustomize-controller", "helm-controller")
}


@dataclass(frozen=True)
class Authority:
    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


def ensure_pki(layout: Layout, service_address: str) -> bool:
    """Make whatever is missing; `service_address` is the cluster IP of the `kubernetes` Service. Whether something was made."""
    if (layout.pki / "complete").exists():
        return False
    authority = _new_authority()
    layout.write(layout.pki / "ca.crt", _pem(authority.certificate))
    layout.write(layout.pki / "service-account.key", _key_pem(_new_key()))
    names = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "127.0.0.1", service_address)
    for name in ("kube-apiserver", "etcd"):
        _issue(layout, authority, name, name, (), names)
    for name, (user, groups) in USERS.items():
        _issue(layout, authority, name, user, groups)
    layout.write(layout.pki / "complete", "")
    return True


def write_kubeconfigs(layout: Layout, server: str) -> None:
    """A kubeconfig for every user, for the API server at `server` (https://127.0.0.1:port)."""
    for name in USERS:
        layout.write(layout.kubeconfig(name), json.dumps(kubeconfig(layout, name, server, "devloop")))


def kubeconfig(layout: Layout, user: str, server: str, context: str) -> dict[str, object]:
    """A kubeconfig with everything inside, as data; holds a private key."""
    cluster = {"server": server, "certificate-authority-data": _encoded(layout, "ca.crt")}
    credentials = {"client-certificate-data": _encoded(layout, f"{user}.crt"), "client-key-data": _encoded(layout, f"{user}.key")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": context, "user": credentials}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }


def _encoded(layout: Layout, name: str) -> str:
    return base64.b64encode((layout.pki / name).read_bytes()).decode()


def _issue(
    layout: Layout, authority: Authority, file: str, common_name: str, organizations: tuple[str, ...], hosts: tuple[str, ...] = ()
) -> None:
    """A certificate for clients, and for servers too where `hosts` are given (etcd and the API server call each other and themselves)."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = _new_key()
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if hosts else [])]
    builder = _builder(common_name, organizations, authority.certificate.subject, key).add_extension(
        x509.ExtendedKeyUsage(uses), critical=False
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
    layout.write(layout.pki / f"{file}.crt", _pem(builder.sign(authority.key, _hash())))
    layout.write(layout.pki / f"{file}.key", _key_pem(key))


def _new_authority() -> Authority:
    from cryptography import x509

    key = _new_key()
    name = _name("devloop", ())
    builder = _builder("devloop", (), name, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return Authority(builder.sign(key, _hash()), key)


def _builder(common_name: str, organizations: tuple[str, ...], issuer: x509.Name, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name, organizations))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )


def _name(common_name: str, organizations: tuple[str, ...]) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization) for organization in organizations]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _hash() -> SHA256:
    from cryptography.hazmat.primitives.hashes import SHA256

    return SHA256()


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
