"""`devloop sync` and `devloop watch` of a running environment: every save is reconciled, or its cause is told."""

from __future__ import annotations

import queue
import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

import pytest

from .conftest import User, running_sample

LIMIT = 90.0  # seconds for one line
WEB = "k8s/bases/apps/storefront/deployment-web.yaml"
HEALTHY = re.compile(r"local is healthy at (\S+)")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[User, Path]]:
    """The running sample; tests that share it leave it healthy."""
    yield from running_sample(User(tmp_path_factory.mktemp("demo")))


@dataclass
class Watch:
    """A running `devloop watch` and its lines."""

    process: Popen[str]
    lines: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line.rstrip())

    def until(self, pattern: str) -> str:
        """The next line that has the pattern."""
        while True:
            try:
                line = self.lines.get(timeout=LIMIT)
            except queue.Empty:
                raise AssertionError(f"no {pattern!r} after {self.seen}") from None
            self.seen.append(line)
            if re.search(pattern, line):
                return line


@pytest.fixture
def watch(demo: tuple[User, Path]) -> Iterator[Watch]:
    """A watch after its first run."""
    user, _ = demo
    process = user.start("-C", "demo", "watch", "local", PYTHONUNBUFFERED="1")
    running = Watch(process)
    running.until(HEALTHY.pattern)
    yield running
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


@pytest.fixture
def web(demo: tuple[User, Path]) -> Iterator[Path]:
    """A file of the sample; restored afterwards."""
    user, repository = demo
    path = repository / WEB
    before = path.read_text()
    yield path
    path.write_text(before)
    assert user.devloop("-C", "demo", "up", "local").status == 0


def annotated(text: str, name: str, value: str) -> str:
    """The Deployment with an annotation of its pods."""
    return text.replace("  template:\n    metadata:\n", f"  template:\n    metadata:\n      annotations: {{{name}: {value}}}\n", 1)


def deployed(user: User) -> str:
    """The annotations of the pods in the cluster."""
    return user.kubectl("get", "deployment", "-n", "storefront", "storefront-web", "-o", "jsonpath={.spec.template.metadata.annotations}")


def test_a_sync_reconciles_an_edit_and_says_where_the_time_went(demo: tuple[User, Path], web: Path) -> None:
    user, _ = demo
    web.write_text(annotated(web.read_text(), "edited", "'by a test'"))
    report = user.devloop("-C", "demo", "sync", "local", "--output", "json").report
    assert report["ok"]
    assert "by a test" in deployed(user)
    spans = {span["title"]: span for span in report["timeline"]}
    assert {"validation", "snapshot", "push", "flux-system/apps"} <= spans.keys()
    assert spans["flux-system/apps"]["critical"]
    assert {"build", "apply"} <= spans["flux-system/apps"]["phases"].keys()
    again = user.devloop("-C", "demo", "sync", "local")
    assert again.status == 0
    assert "already on the server" in again.out
    assert "timeline" in again.out


def test_a_sync_of_an_environment_that_is_not_up_names_up(user: User) -> None:
    assert user.devloop("init", "demo").status == 0
    refused = user.devloop("-C", "demo", "sync", "local")
    assert refused.status == 1
    assert "there is no environment local" in refused.text
    assert "devloop -C demo up local" in refused.text


def test_a_later_sync_supersedes_the_first(demo: tuple[User, Path], web: Path) -> None:
    user, _ = demo
    before = web.read_text()
    web.write_text(annotated(before, "devloop.dev/simulate", "pending"))
    first = user.start("-C", "demo", "sync", "local", PYTHONUNBUFFERED="1")
    lines = Watch(first)
    lines.until("✓ sync")
    web.write_text(before)
    second = user.devloop("-C", "demo", "sync", "local")
    assert second.status == 0, second.text
    lines.until("a later sync supersedes this one")
    assert first.wait(timeout=30) == 130


def test_watch_reconciles_a_save_and_refuses_a_mistake_until_it_is_fixed(demo: tuple[User, Path], watch: Watch, web: Path) -> None:
    user, _ = demo
    before = web.read_text()
    web.write_text(annotated(before, "edited", "[1]"))
    watch.until(r"deployment-web\.yaml")
    watch.until("annotations")
    watch.until("local is not healthy")
    assert "edited" not in deployed(user)
    web.write_text(annotated(before, "edited", "once"))
    watch.until(HEALTHY.pattern)
    assert "once" in deployed(user)


def test_watch_names_the_cause_in_the_cluster_and_a_later_save_supersedes_the_run(demo: tuple[User, Path], watch: Watch, web: Path) -> None:
    before = web.read_text()
    web.write_text(annotated(before, "devloop.dev/simulate", "crash=3"))
    watch.until("exited with code 3")
    watch.until("local is not healthy")
    web.write_text(annotated(before, "devloop.dev/simulate", "pending"))
    watch.until(r"deployment-web\.yaml")
    web.write_text(before)
    watch.until("superseded by a later edit")
    watch.until(HEALTHY.pattern)


def test_many_files_at_once_are_few_runs_and_ignored_files_are_none(demo: tuple[User, Path], watch: Watch) -> None:
    _, repository = demo
    folder = repository / "notes"
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "exclude").write_text("*.ignored\n")
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.md").write_text("x")
    (repository / "x.ignored").write_text("x")
    last = watch.until(HEALTHY.pattern)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    while watch.until(HEALTHY.pattern).split(" at ")[1][:20] == last.split(" at ")[1][:20]:
        """Files that were written while the first run was under way."""
    assert sum("notes" in line for line in watch.seen) <= 10
    assert not any("x.ignored" in line for line in watch.seen)


def test_watch_goes_on_after_the_environment_was_removed_and_is_up_again(user: User) -> None:
    user.init()
    up = user.devloop("-C", "demo", "up", "local")
    assert up.status == 0, up.text
    process = user.start("-C", "demo", "watch", "local", PYTHONUNBUFFERED="1")
    running = Watch(process)
    running.until(HEALTHY.pattern)
    assert user.devloop("-C", "demo", "down", "local").status == 0
    running.until("was removed")
    assert user.devloop("-C", "demo", "up", "local").status == 0
    running.until(HEALTHY.pattern)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    running.until("keeps running")
    assert user.devloop("-C", "demo", "down", "local").status == 0


def test_two_watches_of_one_environment_are_refused(demo: tuple[User, Path], watch: Watch) -> None:
    user, _ = demo
    second = user.devloop("-C", "demo", "watch", "local")
    assert second.status == 1
    assert f"process {watch.process.pid}" in second.text


@pytest.mark.nightly
def test_a_save_every_tenth_of_a_second_for_a_minute_ends_at_the_last(demo: tuple[User, Path], watch: Watch, web: Path) -> None:
    user, _ = demo
    before = web.read_text()
    for number in range(600):
        web.write_text(annotated(before, "edited", f"save-{number}"))
        time.sleep(0.1)
    while True:
        watch.until(HEALTHY.pattern)
        if "save-599" in deployed(user):
            break
    assert not any("Traceback" in line or "not healthy" in line for line in watch.seen)


@pytest.mark.nightly
def test_a_fault_saved_and_mended_twenty_times_is_told_and_gone_each_time(demo: tuple[User, Path], watch: Watch, web: Path) -> None:
    before = web.read_text()
    for number in range(20):
        web.write_text(annotated(before, "devloop.dev/simulate", f"crash={number + 1}"))
        watch.until(rf"exited with code {number + 1}\b")
        watch.until("local is not healthy")
        web.write_text(before)
        watch.until(HEALTHY.pattern)
    assert sum("is not healthy" in line for line in watch.seen) == 20
