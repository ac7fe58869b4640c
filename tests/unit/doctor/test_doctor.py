"""The doctor's looks against real sockets, files, servers and repositories, and what becomes of a check that breaks or hangs."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import devloop.doctor
from devloop.clients import certificates, engine, kubeconfig, machine, ports
from devloop.clients.engine import facts
from devloop.clients.xdg import cache_folder
from devloop.diagnostic import Diagnostic
from devloop.doctor import DoctorContext, examine
from devloop.doctor.checks import CHECKS, DoctorCheck
from devloop.doctor.kubeconfig_entries import kubeconfig_entries
from devloop.errors import DevloopError, InputError
from devloop.model.doctor.diagnosis import Diagnosis, Level, ok
from devloop.model.doctor.engine import NoEngine, Trouble
from devloop.model.units import MEBIBYTE
from devloop.provisioners.embedded.authority import new_authority
from devloop.repository.environments import find_root


def patient(root: Path, name: str = "", **more: object) -> DoctorContext:
    return DoctorContext(lambda: find_root(root), name, **more)  # type: ignore[arg-type]


def by_check(diagnoses: tuple[Diagnosis, ...]) -> dict[str, Diagnosis]:
    return {diagnosis.check: diagnosis for diagnosis in diagnoses}


# -- checks that misbehave ------------------------------------------------------------------------------------------------------------


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


# -- the container engine -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "unix:///nowhere/docker.sock", "nonsense"])
def test_an_engine_that_was_named_and_does_not_answer(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    found = facts.read_engine_facts(1.0)
    assert isinstance(found, NoEngine)
    assert (found.trouble, found.chosen) == (Trouble.SILENT, True)


def test_no_engine_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr(engine, "SOCKET", f"{tmp_path}/docker.sock")
    monkeypatch.setattr(engine, "_PODMAN_SOCKETS", ())
    found = facts.read_engine_facts(1.0)
    assert isinstance(found, NoEngine)
    assert (found.trouble, found.chosen, found.address) == (Trouble.ABSENT, False, f"{tmp_path}/docker.sock")


def test_an_engine_that_takes_the_question_and_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(tmp_path / "docker.sock"))
        listener.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
        found = facts.read_engine_facts(1.0)
    assert isinstance(found, NoEngine)
    assert found.trouble is Trouble.SILENT
    assert found.detail


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_socket_that_this_user_may_not_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import docker  # noqa: F401 (nobody may be unable to read where Python lies)

    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(tmp_path / "docker.sock"))
        listener.listen()
        (tmp_path / "docker.sock").chmod(0o600)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
        os.seteuid(65534)
        try:
            found = facts.read_engine_facts(1.0)
        finally:
            os.seteuid(0)
    assert isinstance(found, NoEngine)
    assert found.trouble is Trouble.FORBIDDEN


def test_a_podman_is_asked_where_there_is_no_docker_as_up_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(engine, "SOCKET", f"{tmp_path}/docker.sock")
    (tmp_path / "podman").mkdir()
    (tmp_path / "podman" / "podman.sock").touch()
    found = facts.read_engine_facts(1.0)
    assert isinstance(found, NoEngine)
    assert (found.trouble, found.chosen, found.address) == (Trouble.SILENT, False, f"{tmp_path}/podman/podman.sock")


def test_the_engine_of_dockers_current_context_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "contexts" / "meta" / "abc").mkdir(parents=True)
    (tmp_path / "contexts" / "meta" / "abc" / "meta.json").write_text(
        '{"Name": "far", "Endpoints": {"docker": {"Host": "unix:///far.sock"}}}'
    )
    (tmp_path / "config.json").write_text('{"currentContext": "far"}')
    found = facts.read_engine_facts(1.0)
    assert isinstance(found, NoEngine)
    assert (found.trouble, found.chosen, found.address) == (Trouble.SILENT, True, "/far.sock")


# -- the machine ----------------------------------------------------------------------------------------------------------------------


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


# -- the clock ------------------------------------------------------------------------------------------------------------------------


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


# -- the kubeconfig -------------------------------------------------------------------------------------------------------------------


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


# -- an environment -------------------------------------------------------------------------------------------------------------------

DEFINITION = "apiVersion: ksail.io/v1alpha1\nkind: Cluster\nmetadata: {name: local}\nspec:\n  cluster: {cni: CNI}\n"
KIND = """\
apiVersion: kind.x-k8s.io/v1alpha4
kind: Cluster
nodes: [{role: control-plane, extraPortMappings: [{containerPort: 1, hostPort: PORT}]}]
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_folder().parent))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    root = tmp_path / "repository"
    (root / "k8s").mkdir(parents=True)
    (root / "ksail.yaml").write_text(DEFINITION.replace("CNI", "Default"))
    (root / "k8s" / "kustomization.yaml").write_text("resources: []\n")
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


def test_a_port_that_the_definition_maps_is_taken(repository: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        (repository / "kind.yaml").write_text(KIND.replace("PORT", str(listener.getsockname()[1])))
        taken = by_check(examine(patient(repository, "local", provisioner="kind")))["ports"]
        minor = by_check(examine(patient(repository, "local", provisioner="embedded")))["ports"]
    assert (taken.level, minor.level) == (Level.FAILED, Level.WARNING)
    # Whose it is: ours, or a process that was being started meanwhile and shared the socket for a moment.
    assert "is in use by" in taken.message
    assert "(process " in taken.message
    assert "kind.yaml" in str(taken.hint)


def test_a_definition_that_is_wrong_is_told_with_its_line_and_what_hangs_on_it_is_left_out(repository: Path) -> None:
    (repository / "ksail.yaml").write_text(DEFINITION.replace("CNI", "Cilum"))
    found = by_check(examine(patient(repository, "local")))
    assert found["definition"].level is Level.FAILED
    assert "ksail.yaml:5" in found["definition"].message
    assert "Cilium" in str(found["definition"].hint)
    assert found["repository"].level is Level.OK
    assert {"ports", "keys"}.isdisjoint(found)


def test_a_name_that_is_none_and_a_folder_without_a_definition_are_failed_lines(repository: Path, tmp_path: Path) -> None:
    assert "did you mean local" in str(by_check(examine(patient(repository, "locl")))["definition"].hint)
    (tmp_path / "empty").mkdir()
    lost = by_check(examine(patient(tmp_path / "empty", "local")))
    assert lost["definition"].level is Level.FAILED
    assert "devloop init" in str(lost["definition"].hint)


def test_a_repository_that_flux_cannot_read_or_that_is_none(repository: Path) -> None:
    subprocess.run(["rm", "-rf", repository / ".git"], check=True)
    assert "git -C" in str(by_check(examine(patient(repository, "local")))["repository"].hint)
    subprocess.run(["git", "init", "-q", "--object-format=sha256", repository], check=True)
    assert "SHA-256" in by_check(examine(patient(repository, "local")))["repository"].message


def test_a_key_that_is_missing_wrong_or_right(repository: Path, tmp_path: Path, sops_program: Path, worker_program: Path) -> None:
    from devloop.clients.sops import encrypt, new_key_pair

    (public, private), (_, other) = new_key_pair(), new_key_pair()
    (repository / ".sops.yaml").write_text(f"creation_rules: [{{age: {public}, encrypted_regex: ^data$}}]\n")
    secret = b"apiVersion: v1\nkind: Secret\nmetadata: {name: x, namespace: y}\ndata: {a: Yg==}\n"
    (repository / "k8s" / "secret.enc.yaml").write_bytes(encrypt(sops_program, repository, "k8s/secret.enc.yaml", secret))
    (repository / "k8s" / "kustomization.yaml").write_text("resources: [secret.enc.yaml]\n")
    missing = by_check(examine(patient(repository, "local")))["keys"]
    assert (missing.level, missing.message) == (Level.FAILED, "no Age key for k8s/secret.enc.yaml")
    (tmp_path / "wrong.agekey").write_text(other)
    (tmp_path / "wrong.agekey").chmod(0o600)
    wrong = by_check(examine(patient(repository, "local", key_file=tmp_path / "wrong.agekey")))["keys"]
    assert wrong.level is Level.FAILED
    assert "encrypted for other keys; tried --age-key-file" in wrong.message
    (tmp_path / "right.agekey").write_text(private)
    (tmp_path / "right.agekey").chmod(0o644)
    diagnoses = [d for d in examine(patient(repository, "local", key_file=tmp_path / "right.agekey")) if d.check == "keys"]
    assert [d.level for d in diagnoses] == [Level.OK, Level.WARNING]
    assert str(tmp_path / "right.agekey") in diagnoses[0].message
    assert str(diagnoses[1].hint) == f"chmod 600 {tmp_path}/right.agekey"
    assert private not in str(diagnoses) + str(wrong)
