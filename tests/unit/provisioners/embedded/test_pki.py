"""The certificates and kubeconfigs of an embedded environment."""

from __future__ import annotations

import base64
import json
import stat
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from devloop.provisioners.embedded import pki
from devloop.runtime.layout import Layout


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """An environment's folder with its certificates."""
    layout = Layout(tmp_path_factory.mktemp("pki") / "demo")
    layout.make()
    pki.ensure_pki(layout, "10.96.0.1")
    pki.write_kubeconfigs(layout, "https://127.0.0.1:6443")
    return layout


def certificate(layout: Layout, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((layout.pki / f"{name}.crt").read_bytes())


def subject(found: x509.Certificate) -> tuple[list[Any], list[Any]]:
    return tuple(
        [item.value for item in found.subject.get_attributes_for_oid(oid)] for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    )  # type: ignore[return-value]


@pytest.mark.parametrize(("name", "user", "groups"), [(name, *who) for name, who in pki.USERS.items()])
def test_a_client_certificate_has_user_and_groups(authority: Layout, name: str, user: str, groups: tuple[str, ...]) -> None:
    found = certificate(authority, name)
    assert subject(found) == ([user], list(groups))
    found.verify_directly_issued_by(certificate(authority, "ca"))
    assert list(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_only_the_control_plane_and_the_user_are_masters() -> None:
    masters = {name for name, (_, groups) in pki.USERS.items() if "system:masters" in groups}
    assert masters == {"admin", "kube-controller-manager", "kube-scheduler", "kwok"}


def test_the_server_certificate_has_all_host_names(authority: Layout) -> None:
    found = certificate(authority, "kube-apiserver")
    hosts = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(address) for address in hosts.get_values_for_type(x509.IPAddress)} == {"127.0.0.1", "10.96.0.1"}
    assert {"localhost", "kubernetes.default.svc"} <= set(hosts.get_values_for_type(x509.DNSName))
    assert ExtendedKeyUsageOID.SERVER_AUTH in found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    found.verify_directly_issued_by(certificate(authority, "ca"))


def test_the_authority_issues_only_leaf_certificates(authority: Layout) -> None:
    found = certificate(authority, "ca")
    constraints = found.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)  # type: ignore[attr-defined]


def test_the_ca_key_is_not_stored(authority: Layout) -> None:
    own = certificate(authority, "ca").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for path in authority.pki.glob("*.key"):
        key = load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != own


def test_every_file_is_private(authority: Layout) -> None:
    files = list(authority.pki.iterdir())
    assert {f"{name}.{kind}" for name in pki.USERS for kind in ("crt", "key", "kubeconfig")} <= {path.name for path in files}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(authority.pki.stat().st_mode) == 0o700


def test_a_kubeconfig_is_self_contained(authority: Layout) -> None:
    found = json.loads(authority.kubeconfig("source-controller").read_text())
    (user,), (cluster,) = found["users"], found["clusters"]
    assert cluster["cluster"]["server"] == "https://127.0.0.1:6443"
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == (authority.pki / "ca.crt").read_bytes()
    assert base64.b64decode(user["user"]["client-key-data"]) == (authority.pki / "source-controller.key").read_bytes()


def test_complete_certificates_are_kept_and_incomplete_ones_recreated(layout: Layout) -> None:
    pki.ensure_pki(layout, "10.96.0.1")
    before = (layout.pki / "ca.crt").read_bytes()
    pki.ensure_pki(layout, "10.96.0.1")
    assert (layout.pki / "ca.crt").read_bytes() == before
    (layout.pki / "complete").unlink()
    pki.ensure_pki(layout, "10.96.0.1")
    assert (layout.pki / "ca.crt").read_bytes() != before
    certificate(layout, "kwok").verify_directly_issued_by(certificate(layout, "ca"))
