"""From facts to lines, by table: what is fine, what is of concern, what is in the way, and with which command it is mended."""

from __future__ import annotations

import pytest

from devloop.model.doctor.clock import DAY, ClockReading, Validity, judge_clock, span
from devloop.model.doctor.diagnosis import Diagnosis, Level
from devloop.model.doctor.engine import EngineFacts, NoEngine, Trouble, judge_engine
from devloop.model.doctor.environment import HostPort, KeyFacts, Kubeconfig, judge_keys, judge_kubeconfig, judge_ports
from devloop.model.doctor.machine import (
    Capabilities,
    Cgroups,
    Disk,
    DiskSpace,
    Inotify,
    Memory,
    judge_capabilities,
    judge_cgroups,
    judge_disk,
    judge_inotify,
    judge_memory,
    judge_system,
    judge_unneeded,
    missing_of,
)
from devloop.model.doctor.programs import FoundProgram, Pinned, judge_git, judge_go, judge_kubectl, judge_pinned, judge_toolchain
from devloop.model.units import GIBIBYTE

OK, WARNING, FAILED = Level.OK, Level.WARNING, Level.FAILED
DOCKER = EngineFacts("Docker", "27.1.0", "/var/run/docker.sock", "overlay2", "runc")


def said(diagnosis: Diagnosis, level: Level, *parts: str) -> None:
    text = f"{diagnosis.message} {diagnosis.hint}"
    assert diagnosis.level is level, text
    assert bool(diagnosis.hint) == (level is not OK), text
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    ("engine", "needed", "level", "part"),
    [
        (DOCKER, None, OK, "Docker 27.1.0, overlay2, runc"),
        (EngineFacts("Docker", "19.3.1", "x", "overlay2", "runc"), None, FAILED, "20.10 or newer"),
        (EngineFacts("Podman", "5.2.0", "x", "overlay", "crun", rootless=True), None, OK, "rootless"),
        (EngineFacts("Docker", "27.1.0", "x", "vfs", "runc"), None, WARNING, "vfs"),
        (NoEngine(Trouble.ABSENT, "/var/run/docker.sock"), None, WARNING, "apt-get install docker.io"),
        (NoEngine(Trouble.ABSENT, "/var/run/docker.sock"), True, FAILED, "apt-get install docker.io"),
        (NoEngine(Trouble.ABSENT, "/var/run/docker.sock"), False, OK, "does not need one"),
        (
            NoEngine(Trouble.SILENT, "/run/podman/podman.sock"),
            True,
            FAILED,
            "sudo systemctl start podman.socket",
        ),
        (NoEngine(Trouble.FORBIDDEN, "/var/run/docker.sock"), None, FAILED, "usermod -aG docker"),
        (NoEngine(Trouble.SILENT, "/var/run/docker.sock", detail="connection refused"), None, FAILED, "(connection refused)"),
        (NoEngine(Trouble.SILENT, "tcp://nowhere:1", chosen=True), None, FAILED, "unset DOCKER_HOST"),
    ],
)
def test_engine(engine: EngineFacts | NoEngine, needed: bool | None, level: Level, part: str) -> None:
    said(judge_engine(engine, "embedded", needed=needed), level, part)


@pytest.mark.parametrize("trouble", Trouble)
@pytest.mark.parametrize(("provisioner", "needed", "part"), [("", None, "requires Linux"), ("kind", True, "")])
def test_no_engine_elsewhere_than_on_linux(trouble: Trouble, provisioner: str, needed: bool | None, part: str) -> None:
    said(judge_engine(NoEngine(trouble, "x.sock"), provisioner, needed=needed, linux=False), FAILED, part, "start Docker Desktop")


def test_system() -> None:
    said(judge_system("Linux 6.1, x86_64", []), OK, "Linux 6.1, x86_64")
    said(judge_system("Darwin 25.1, arm64", ["embedded"]), OK, "cannot run the provisioner embedded")


@pytest.mark.parametrize(
    ("missing", "runtime", "needed", "level", "part"),
    [
        (0, "runc", True, OK, "has CAP_SYS_RESOURCE"),
        (1 << 24, "runc", True, FAILED, "CAP_SYS_RESOURCE"),
        (1 << 24, "runc", False, WARNING, "prepare_test_host"),
        (1 << 24, "", False, WARNING, "unless its runtime does not need it"),
        (1 << 24, "devloop-runc", True, OK, "devloop-runc does not need it"),
        (1 << 12, "devloop-runc", True, FAILED, "CAP_NET_ADMIN"),
    ],
)
def test_capabilities(missing: int, runtime: str, needed: bool, level: Level, part: str) -> None:
    lacking = missing_of(0x1FFFFFFFFFF & ~missing)
    said(judge_capabilities(Capabilities("the Docker engine", lacking, runtime), needed=needed), level, part)


@pytest.mark.parametrize(
    ("cgroups", "kubernetes", "rootless", "level", "part"),
    [
        (Cgroups(2), "v1.36.4", False, OK, "version 2"),
        (Cgroups(1), "v1.34.9", False, OK, "still supported by"),
        (Cgroups(1, hybrid=True), "v1.35.0", False, WARNING, "failCgroupV1"),
        (Cgroups(1), "v1.34.0", True, FAILED, "rootless"),
        (Cgroups(0), "v1.36.4", False, FAILED, "mount -t cgroup2"),
    ],
)
def test_cgroups(cgroups: Cgroups, kubernetes: str, rootless: bool, level: Level, part: str) -> None:
    said(judge_cgroups(cgroups, kubernetes, rootless=rootless), level, part)


@pytest.mark.parametrize(
    ("limits", "level", "part"),
    [
        (Inotify(524288, 512), OK, "524288 watches"),
        (Inotify(524288, 128), WARNING, "sysctl fs.inotify.max_user_instances=512"),
        (Inotify(8192, 8192), WARNING, "sysctl fs.inotify.max_user_watches=524288"),
        (Inotify(8192, 128), WARNING, "max_user_watches=524288 fs.inotify.max_user_instances=512"),
    ],
)
def test_inotify(limits: Inotify, level: Level, part: str) -> None:
    said(judge_inotify(limits), level, part)


@pytest.mark.parametrize(
    ("available", "limit", "nodes", "level"),
    [
        (8.0, 0, 1, OK),
        (1.5, 0, 1, WARNING),
        (0.5, 0, 1, FAILED),
        (8.0, 0.5, 1, FAILED),
        (2.5, 0, 1, OK),
        (2.5, 0, 3, WARNING),
        (1.5, 0, 3, FAILED),
    ],
)
def test_memory(available: float, limit: float, nodes: int, level: Level) -> None:
    memory = Memory(16 * GIBIBYTE, round(available * GIBIBYTE), round(limit * GIBIBYTE))
    said(judge_memory(memory, nodes), level, "GiB")


ROOM = DiskSpace(GIBIBYTE, 4 * GIBIBYTE, "df -h", "export XDG_STATE_HOME=DIR")


@pytest.mark.parametrize(
    ("disk", "level", "part"),
    [
        (Disk("state", "/s", 5 * GIBIBYTE, 100_000, True), OK, "5.0 GiB free at /s"),
        (Disk("state", "/s", 5 * GIBIBYTE, -1, True), OK, "/s"),
        (Disk("state", "/s", 2 * GIBIBYTE, 100_000, True), WARNING, "4.0 GiB"),
        (Disk("state", "/s", 100 << 20, 100_000, True), FAILED, "df -h"),
        (Disk("state", "/s", 5 * GIBIBYTE, 12, True), FAILED, "only 12 free inodes"),
        (Disk("state", "/s", 5 * GIBIBYTE, 100_000, False), FAILED, "export XDG_STATE_HOME=DIR"),
    ],
)
def test_disk(disk: Disk, level: Level, part: str) -> None:
    said(judge_disk(disk, ROOM), level, part)


def test_a_large_cache_is_a_warning() -> None:
    said(judge_unneeded(0), OK, "nothing to remove")
    said(judge_unneeded(1 << 30), OK, "1.0 GiB")
    said(judge_unneeded(3 << 30), WARNING, "3.0 GiB", "devloop toolchain prune")


NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("readings", "validities", "level", "part"),
    [
        ([], [], OK, "sane"),
        ([ClockReading("our files", NOW - DAY, floor=True)], [], OK, "sane"),
        ([ClockReading("our files", NOW + DAY, floor=True)], [], FAILED, "behind our files"),
        ([ClockReading("the API server", NOW + 30)], [], OK, "agrees with the API server"),
        ([ClockReading("the API server", NOW + 300)], [], FAILED, "5 min behind the API server"),
        ([ClockReading("the API server", NOW - 300)], [], FAILED, "5 min ahead of the API server"),
        ([], [Validity("the certificate", NOW - DAY, NOW + 300 * DAY, "up")], OK, "agrees with every certificate"),
        ([], [Validity("the certificate", NOW + 7200, NOW + 300 * DAY, "up")], FAILED, "becomes valid only in 2 h"),
        ([], [Validity("the certificate", NOW - 300 * DAY, NOW - 3 * DAY, "devloop up x")], FAILED, "expired 3 days ago devloop up x"),
        ([], [Validity("the certificate", NOW - 300 * DAY, NOW + 3 * DAY, "devloop up x")], WARNING, "expires in 3 days"),
    ],
)
def test_clock(readings: list[ClockReading], validities: list[Validity], level: Level, part: str) -> None:
    [diagnosis] = judge_clock(NOW, readings, validities)
    said(diagnosis, level, part)


@pytest.mark.parametrize(("seconds", "text"), [(1, "1 s"), (119, "119 s"), (300, "5 min"), (7200, "2 h"), (20 * DAY, "20 days")])
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("git", "level", "part"),
    [
        (None, FAILED, "apt-get install git"),
        (FoundProgram("/usr/bin/git", "2.30.2"), FAILED, "2.31 or newer"),
        (FoundProgram("/usr/bin/git", "2.39.5"), OK, "2.39.5"),
        (FoundProgram("/usr/bin/git", ""), OK, "unknown version"),
    ],
)
def test_git(git: FoundProgram | None, level: Level, part: str) -> None:
    said(judge_git(git), level, part)


def test_git_elsewhere_than_on_linux() -> None:
    said(judge_git(None, linux=False), FAILED, "xcode-select --install")


ETCD, KIND = Pinned("etcd", "3.6.8", "", 22), Pinned("kind", "0.33.0", "", 4)
HERE = Pinned("sops", "3.13.3", "source", 46)


def test_go_is_needed_only_to_build() -> None:
    said(judge_go(FoundProgram("/usr/bin/go", "1.26.8"), "1.26.0", [ETCD]), OK, "1.26.8")
    said(judge_go(None, "1.26.0", []), OK, "not needed")
    said(judge_go(None, "1.26.0", [ETCD]), WARNING, "1.26.0 or newer", "devloop toolchain install")


def test_programs_that_are_missing_say_how_long_a_build_takes() -> None:
    said(judge_toolchain([HERE]), OK, "1 pinned program ")
    said(judge_toolchain([HERE, ETCD]), WARNING, "etcd not installed", "22 s", "devloop toolchain install")
    said(judge_toolchain([Pinned(f"t{n}", "1", "", 100) for n in range(5)]), WARNING, "5 of 5 programs", "8 min")
    said(judge_pinned(KIND, needed=True), WARNING, "devloop toolchain install kind", "4 s")
    said(judge_pinned(KIND, needed=False), OK, "once it is needed")
    said(judge_pinned(HERE, needed=True), OK, "3.13.3")


@pytest.mark.parametrize(
    ("own", "level", "part"),
    [
        (FoundProgram("/usr/bin/kubectl", "1.35.1"), OK, "1.35.1"),
        (FoundProgram("/usr/bin/kubectl", "1.37.0"), OK, "1.37.0"),
        (FoundProgram("/usr/bin/kubectl", "1.32.4"), WARNING, "more than one minor version away from Kubernetes v1.36.4"),
        (None, WARNING, "devloop toolchain install kubectl"),
    ],
)
def test_kubectl(own: FoundProgram | None, level: Level, part: str) -> None:
    said(judge_kubectl(own, Pinned("kubectl", "1.36.4", "", 18), "v1.36.4"), level, part)


def test_the_pinned_kubectl_is_used_where_it_is_installed() -> None:
    pinned = Pinned("kubectl", "1.36.4", "source", 18, "/cache/kubectl")
    said(judge_kubectl(None, pinned, "v1.36.4"), WARNING, "alias kubectl=/cache/kubectl")


@pytest.mark.parametrize(
    ("config", "level", "part"),
    [
        (Kubeconfig("/k", False), OK, "does not exist yet"),
        (Kubeconfig("/k", True, "prod", ("prod", "devloop-local")), OK, "current context prod; use --context devloop-local"),
        (Kubeconfig("/k", True, "devloop-local", ("devloop-local",)), OK, "current context devloop-local"),
        (Kubeconfig("/k", True), OK, "current context none"),
        (Kubeconfig("/k", True, problem="the kubeconfig /k is read-only", hint="chmod u+w /k"), FAILED, "chmod u+w /k"),
    ],
)
def test_kubeconfig(config: Kubeconfig, level: Level, part: str) -> None:
    said(judge_kubeconfig(config, ("devloop-local", "kind-local")), level, part)


def test_ports() -> None:
    free = HostPort(8080, "TCP", "127.0.0.1", True)
    taken = HostPort(8081, "TCP", "127.0.0.1", False, "nginx (process 7)")
    own = HostPort(8082, "TCP", "127.0.0.1", False, own=True)
    said(*judge_ports([], "kind.yaml", needed=True), OK, "maps no ports")
    said(*judge_ports([free, own], "kind.yaml", needed=True), OK, "8080/tcp is free and 8082/tcp is used by this environment")
    said(*judge_ports([free, taken], "kind.yaml", needed=True), FAILED, "8081 (TCP) is in use by nginx (process 7)", "kind.yaml")
    said(*judge_ports([taken], "kind.yaml", needed=False), WARNING, "affects Kind only")


KEY = (("age1abc", "/keys/local.agekey"),)


@pytest.mark.parametrize(
    ("facts", "level", "part"),
    [
        (KeyFacts(()), OK, "no encrypted files"),
        (KeyFacts((), ("a.enc.yaml",), closed=(("a.enc.yaml", "encrypted for other keys"),)), FAILED, "no Age key for a.enc.yaml"),
        (KeyFacts(KEY, ("a.enc.yaml", "b.enc.yaml")), OK, "all 2 encrypted files can be decrypted with /keys/local.agekey"),
        (KeyFacts(KEY, ("a.enc.yaml",), closed=(("a.enc.yaml", "encrypted for other keys"),)), FAILED, "tried /keys/local.agekey"),
        (
            KeyFacts(KEY, ("a", "b", "c"), closed=tuple((path, "encrypted for other keys") for path in "abc")),
            FAILED,
            "a and 2 more cannot be decrypted: encrypted for other keys; tried /keys/local.agekey devloop up local --age-key-file FILE",
        ),
        (KeyFacts(KEY, ("encrypted files",), reached=False), WARNING, "devloop toolchain install worker"),
    ],
)
def test_keys(facts: KeyFacts, level: Level, part: str) -> None:
    [diagnosis] = judge_keys(facts, "local")
    said(diagnosis, level, part)


def test_a_key_that_others_may_read_is_of_concern() -> None:
    _, exposed = judge_keys(KeyFacts(KEY, ("a.enc.yaml",), exposed=("/keys/local.agekey",)), "local")
    said(exposed, WARNING, "chmod 600 /keys/local.agekey")
