"""What of the cache is not needed any more."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from devloop.toolchain.cache import tool_folder
from devloop.toolchain.disk_usage import prunable, size_of
from devloop.toolchain.lock import load_lock

TOOLS = load_lock()


def write(path: Path, size: int = 10_000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def test_programs_of_other_versions_can_go(tmp_path: Path) -> None:
    current = write(tool_folder(tmp_path / "tools", TOOLS["kind"]) / "kind")
    old = write(tmp_path / "tools" / "kind" / "0.1.0-abc" / "kind")
    dropped = write(tmp_path / "tools" / "no-such-tool" / "1" / "no-such-tool")
    (usage,) = prunable(tmp_path, TOOLS.values())
    assert set(usage.paths) == {old.parent, dropped.parent}
    assert current.parent not in usage.paths
    assert usage.size >= 20_000
    assert usage.in_use == ()


def test_a_program_that_runs_stays(tmp_path: Path) -> None:
    program = tmp_path / "tools" / "etcd" / "old" / "etcd"
    program.parent.mkdir(parents=True)
    shutil.copy2(shutil.which("sleep") or "", program)
    running = subprocess.Popen([program, "60"])
    try:
        (usage,) = prunable(tmp_path, TOOLS.values())
    finally:
        running.kill()
        running.wait()
    assert usage.paths == ()
    assert usage.in_use == (program.parent,)


def test_what_a_run_renews_can_go_and_nothing_else(tmp_path: Path) -> None:
    for name in ("build", "renderings", "remote", "debian", "snapshots"):
        write(tmp_path / name / "file")
    assert {usage.name for usage in prunable(tmp_path, TOOLS.values())} == {"build", "renderings", "remote", "debian"}


def test_what_another_run_installs_stays(tmp_path: Path) -> None:
    write(tmp_path / "tools" / "kind" / ".new-abc" / "kind")
    assert prunable(tmp_path, TOOLS.values()) == ()


def test_an_empty_cache_has_nothing(tmp_path: Path) -> None:
    assert prunable(tmp_path / "none", TOOLS.values()) == ()


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    (tmp_path / "b").hardlink_to(write(tmp_path / "a", 100_000))
    assert 100_000 <= size_of([tmp_path]) < 150_000
