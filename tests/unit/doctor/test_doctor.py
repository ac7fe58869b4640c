"""The doctor's looks against real sockets, files and servers, and what becomes of a check that breaks or hangs."""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import devloop.doctor
from devloop.clients import certificates, kubeconfig, machine, ports
from devloop.diagnostic import Diagnostic
from devloop.doctor import DoctorContext, examine
from devloop.doctor.checks import CHECKS, DoctorCheck
from devloop.doctor.kubeconfig_entries import kubeconfig_entries
from devloop.errors import DevloopError, InputError
from devloop.model.doctor.diagnosis import Diagnosis, Level, ok
from devloop.model.units import MEBIBYTE
from devloop.provisioners.embedded.authority import new_authority

from .contexts import patient


def breaks(_: DoctorContext) -> Iterator[Diagnosis]:
    yield ok("first", "fine")
    raise KeyError("AGE-SECRET-KEY-1OOPS")


def hangs(_: DoctorContext) -> Iterator[Diagnosis]:
    threading.Event().wait()
    yield ok("second", "never")


def refuses(_: DoctorContext) -> Iterator[Diagnosis]:
    raise InputError.of([Diagnostic.at("ksail.yaml", 3, "is wrong"), Diagnostic.at("kind.yaml", 0, "is bad", "fix it")])


def gives_up(_: DoctorContext) -> Iterator[Diagnosis]:
    raise DevloopError("no way")


def test_a_check_that_breaks_or_hangs_is_a_failed_line_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "ksail.yaml").touch()
    looks: tuple[Callable[[DoctorContext], Iterator[Diagnosis]], ...] = (breaks, hangs, refuses, gives_up)
    checks = tuple(DoctorCheck(look.__name__, look, limit=0.3 if look is hangs else 30) for look in looks)
    monkeypatch.setattr(devloop.doctor, "CHECKS", (*checks, DoctorCheck("last", lambda _: [ok("last", "fine")])))
    diagnoses = examine(patient(tmp_path))
    assert [(d.check, d.level) for d in diagnoses] == [(c, Level.FAILED) for c in ("breaks", "hangs", "refuses", "refuses", "gives_up")] + [
        ("last", Level.OK)
    ]
    assert "KeyError" in diagnoses[0].message
    assert "OOPS" not in str(diagnoses)
    assert "no answer within" in diagnoses[1].message
    assert str(diagnoses[2].hint) == f"${{EDITOR:-vi}} +3 {tmp_path}/ksail.yaml"
    assert all(d.hint for d in diagnoses[:-1])


def test_the_machine_alone_needs_no_repository_and_every_check_speaks(tmp_path: Path) -> None:
    diagnoses = examine(patient(tmp_path))
    told = {diagnosis.check.partition(" ")[0] for diagnosis in diagnoses}
    assert told == {check.name for check in CHECKS if not check.of_environment}
    assert not [diagnosis for diagnosis in diagnoses if "broke" in diagnosis.message]


def test_this_machine_has_memory_limits_groups_and_capabilities() -> None:
    memory = machine.memory()
    assert 0 < memory.available <= memory.total
    assert machine.inotify().instances > 0
    assert machine.cgroups().version in (0, 1, 2)
    capabilities = machine.capabilities("no such program", "nobody", "")
    assert capabilities.holder == "this process"


def test_limits_of_a_control_group_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = tmp_path / "cgroup" / "a" / "b"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    (group.parent / "memory.max").write_text(f"{64 * MEBIBYTE}\n")
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("0::/a/b\n")
    monkeypatch.setattr(machine, "PROC", tmp_path)
    monkeypatch.setattr(machine, "CGROUPS", tmp_path / "cgroup")
    assert machine.memory().limit == 64 * MEBIBYTE


def test_the_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    found = machine.disk("state", tmp_path / "not" / "yet")
    assert found.writable
    assert found.free > 0


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0"])
def test_a_port_with_a_listener_is_taken_and_by_whom_is_known(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with closing(socket.socket(family)) as listener:
        try:
            listener.bind((address, 0))
        except OSError:
            pytest.skip(f"there is no {address} here")
        listener.listen()
        port = listener.getsockname()[1]
        assert "in use" in ports.bind_error("127.0.0.1" if address == "0.0.0.0" else address, port, "TCP")
        assert f"(process {os.getpid()})" in ports.port_holder(port)
        assert ports.bind_error("127.0.0.1", port, "UDP") == ""
    assert ports.bind_error(address, port, "TCP") == ""


class Answer(BaseHTTPRequestHandler):
    """An API server that refuses, with its clock two hours ahead."""

    def do_GET(self) -> None:
        self.send_error(401)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(time.time() + 7200)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """One with TLS and a certificate that nobody here trusts."""
    pair = new_authority("test").issue("server", hosts=["127.0.0.1"])
    (tmp_path / "pair.pem").write_text(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    with HTTPServer(("127.0.0.1", 0), Answer) as http:
        http.socket = context.wrap_socket(http.socket, server_side=True)
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_the_date_of_an_api_server_is_taken_from_any_answer(server: str) -> None:
    date = certificates.date_of(server, 5.0)
    assert date is not None
    assert abs(date - time.time() - 7200) < 60


def test_nobody_answers_and_there_is_no_date() -> None:
    assert certificates.date_of(f"https://127.0.0.1:{ports.free_ports(1)[0]}", 1.0) is None


def test_certificates_have_an_end_and_other_text_has_none() -> None:
    begins, ends = certificates.validity(new_authority("test").pem.encode()) or (0.0, 0.0)
    assert begins < time.time() < ends
    assert certificates.validity(b"no certificate") is None
    assert certificates.validity(b"") is None


def test_the_entries_of_an_environment_are_found_in_the_users_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {
        "clusters": [{"name": "kind-local", "cluster": {"server": "https://127.0.0.1:1", "certificate-authority-data": "!!"}}],
        "users": [{"name": "kind-local", "user": {"client-key-data": "c2VjcmV0"}}],
        "contexts": [{"name": "kind-local", "context": {"cluster": "kind-local", "user": "kind-local"}}, {"name": "other"}],
        "current-context": "other",
    }
    (tmp_path / "config").write_text(json.dumps(entry))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    [found] = kubeconfig_entries("local")
    assert (found.context, found.server, found.certificate) == ("kind-local", "https://127.0.0.1:1", b"")
    assert kubeconfig_entries("other") == ()
    (tmp_path / "config").write_text("[")
    assert kubeconfig_entries("local") == ()


def test_a_kubeconfig_that_may_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "config"
    kubeconfig.check_writable(path)
    path.write_text("{}")
    kubeconfig.check_writable(path)
    path.chmod(0o400)
    with pytest.raises(DevloopError, match="read-only"):
        kubeconfig.check_writable(path)
