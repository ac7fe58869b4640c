"""Command lines, subnets and folders of an embedded environment."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from devloop.errors import DevloopError
from devloop.gitserver import process
from devloop.gitserver.credentials import passwords
from devloop.provisioners.embedded import control_plane, pki, simulated_failures
from devloop.provisioners.embedded.control_plane import CONTROL_PLANE, service_address
from devloop.runtime.components import MARKER, QUICK_LISTS, Component, ComponentContext, environment_for
from devloop.runtime.layout import Layout
from devloop.runtime.ports import PORTS, ensure_ports, ports

from .components import CONTROLLERS, Tools, commands, definition, flags


def test_no_secret_is_in_a_command_or_its_environment(context: ComponentContext) -> None:
    pki.ensure_pki(context.layout, "10.96.0.1")
    secrets = [*passwords(context.layout.folder).values(), *(path.read_text() for path in context.layout.pki.glob("*.key"))]
    assert len(secrets) >= 2 + len(pki.USERS)
    text = json.dumps([asdict(component) for component in commands(context)])
    assert not [secret for secret in secrets if secret in text or json.dumps(secret)[1:-1] in text]


def test_every_address_is_on_loopback(context: ComponentContext) -> None:
    for component in commands(context):
        text = " ".join((*component.argv, *component.env.values()))
        addresses = set(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", text)) - {"10.96.0.0", "10.244.0.0"}
        assert addresses <= {"127.0.0.1"}, component.name
        assert "0.0.0.0" not in text
        assert "localhost" not in text
        for name, value in flags(component).items() if component.name != process.NAME else ():
            # An address without a host (`:8080`) is one on all interfaces.
            assert not value.startswith(":"), name


def test_ports_are_unique_and_all_are_used(context: ComponentContext) -> None:
    assert len(set(context.ports.values())) == len(PORTS)
    text = " ".join(" ".join(component.argv) for component in commands(context))
    assert [name for name, port in context.ports.items() if str(port) not in text] == []


def test_etcd_listens_only_on_unix_sockets(context: ComponentContext) -> None:
    etcd = flags(control_plane.etcd(context))
    listening = {name: value for name, value in etcd.items() if name.startswith("listen-")}
    assert set(listening) == {"listen-client-urls", "listen-peer-urls"}
    # Without a folder: the name of a socket is short, and the folder that it is in is this user's alone.
    assert all(re.fullmatch(r"unix://[a-z.-]+", value) for value in listening.values())


def test_the_api_server_uses_the_certificates(context: ComponentContext) -> None:
    api_server = flags(control_plane.kube_apiserver(context))
    assert api_server["anonymous-auth"] == "false"
    assert "AlwaysAllow" not in api_server["authorization-mode"]
    assert api_server["client-ca-file"] == str(context.layout.pki / "ca.crt")


def test_commands_are_deterministic(context: ComponentContext) -> None:
    """Otherwise the next `up` would restart the component."""
    before = commands(context)
    (context.layout.folder / "etcd" / "member").mkdir(parents=True)
    (context.layout.artifacts / "gitrepository").mkdir()
    assert commands(context) == before
    assert [Component.from_json(json.loads(json.dumps(asdict(component)))) for component in before] == before


def test_api_clients_restart_when_the_api_server_address_changes(context: ComponentContext) -> None:
    moved = ComponentContext(context.layout, context.definition, context.tools, {**context.ports, "kube-apiserver": 1})
    changed = {old.name for old, new in zip(commands(context), commands(moved), strict=True) if old != new}
    assert changed == {*CONTROL_PLANE, *CONTROLLERS} - {"etcd"}


@pytest.mark.parametrize(
    ("subnet", "address"),
    [("10.96.0.0/16", "10.96.0.1"), ("172.20.0.0/24", "172.20.0.1"), ("10.96.0.0/16,fd00::/108", "10.96.0.1"), ("fd00::/108", "fd00::1")],
)
def test_the_service_address_is_the_first_of_its_subnet(subnet: str, address: str) -> None:
    assert service_address(definition(service_subnet=subnet)) == address


def test_subnets_come_from_the_definition(layout: Layout) -> None:
    wanted = definition(pod_subnet="10.1.0.0/16,fd01::/64", service_subnet="10.2.0.0/16")
    ensure_ports(layout)
    context = ComponentContext(layout, wanted, Tools(), ports(layout))
    assert flags(control_plane.kwok(context))["cidr"] == "10.1.0.0/16"
    assert flags(control_plane.kube_apiserver(context))["service-cluster-ip-range"] == "10.2.0.0/16"


def test_pods_without_the_annotation_have_the_stages_of_kwok_and_the_others_weigh_more() -> None:
    by_name = {stage["metadata"]["name"]: stage["spec"] for stage in yaml.safe_load_all(simulated_failures.stages())}
    assert [name for name, spec in by_name.items() if not spec.get("weight")] == ["pod-ready", "pod-complete", "pod-delete"]
    asked = [str(spec["selector"]["matchExpressions"][0]) for spec in by_name.values() if spec.get("weight")]
    assert all(simulated_failures.ANNOTATION in text for text in asked)


def test_other_stages_restart_kwok_alone(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_ports(layout)
    context = ComponentContext(layout, definition(), Tools(), ports(layout))
    before = commands(context)
    monkeypatch.setattr(control_plane, "stages", lambda: "others")
    assert [old.name for old, new in zip(before, commands(context), strict=True) if old != new] == ["kwok"]


def test_components_get_few_environment_variables(layout: Layout) -> None:
    ours = {"PATH": "/bin", "HTTPS_PROXY": "http://proxy", "SOPS_AGE_KEY": "x", "HOME": "/home/me", "KUBECONFIG": "k", "LD_PRELOAD": "l"}
    home = str(layout.temporary)
    assert environment_for(layout, ours) == {
        "PATH": "/bin",
        "HTTPS_PROXY": "http://proxy",
        "HOME": home,
        "TMPDIR": home,
        MARKER: str(layout.folder),
        **QUICK_LISTS,
    }


def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DevloopError, match=r"cannot write .*: Not a directory") as caught:
        Layout(tmp_path / "file" / "demo").make()
    assert "XDG_STATE_HOME" in str(caught.value.hint)


def test_etcd_peer_addresses_are_unused(context: ComponentContext) -> None:
    for name in ("advertise-client-urls", "initial-advertise-peer-urls"):
        host = flags(control_plane.etcd(context))[name].removeprefix("http://").rpartition(":")[0]
        assert ipaddress.ip_address(host).is_loopback


def test_temporary_files_are_in_memory_if_there_is_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr("devloop.runtime.layout.MEMORY", memory)
    monkeypatch.setattr("devloop.runtime.layout.MIN_FREE_MEMORY", 0)
    layout = Layout(tmp_path / "state")
    layout.make()
    layout.make()
    assert layout.temporary.resolve() == layout.memory
    assert layout.memory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("obstacle", ["no space", "no file system", "foreign link"])
def test_temporary_files_are_on_disk_if_memory_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str) -> None:
    memory = tmp_path / "memory"
    monkeypatch.setattr("devloop.runtime.layout.MEMORY", memory)
    monkeypatch.setattr("devloop.runtime.layout.MIN_FREE_MEMORY", 1 << 60 if obstacle == "no space" else 0)
    layout = Layout(tmp_path / "state")
    if obstacle != "no file system":
        memory.mkdir()
    if obstacle == "foreign link":
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        layout.memory.symlink_to(elsewhere)
    layout.make()
    assert not layout.temporary.is_symlink()
    assert layout.temporary.stat().st_mode & 0o777 == 0o700
