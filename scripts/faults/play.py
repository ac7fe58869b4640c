"""Plays one fault: plant, watch for its evidence, run devloop, compare, heal."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.faults.environment import NAME, Environment, Run, retried
from scripts.faults.evidence import Seen, Watch, watching
from scripts.faults.files import Fault, Pattern
from scripts.faults.planting import act, plant_files
from scripts.faults.watcher import Watcher

LATE = 5.0  # seconds after the verdict in which evidence may still come, to say that the verdict was too early
SKEW = 3.0  # seconds that an object's own time may be older than its arrival


@dataclass(frozen=True)
class Result:
    """`seconds` from the evidence to the verdict, None if there is no evidence; `problems` are what differs from the fault's file.

    `place` is PATH:LINE of the cause.
    """

    fault: str
    provisioner: str
    build: str
    seconds: float | None
    cause: str
    problems: Sequence[str]
    evidence: str = ""
    output: str = ""
    place: str = ""


UP, SYNC, WATCH = "up", "sync", "watch"
# Faults of what `up` alone puts in order.
OF_UP = ("cluster/", "flux/")


def plays(fault: Fault, via: str) -> bool:
    """Whether the fault can be played with the command `via` instead of `up`."""
    return via == UP or (fault.command == UP and not fault.name.startswith(OF_UP) and not fault.during and not fault.after)


def play(fault: Fault, environment: Environment, earlier: Fault | None = None, *, slack: float = 1.0, via: str = UP) -> Result:
    """The result on `environment`, which is healthy before and after; raises RuntimeError if it cannot be healed.

    `slack` multiplies the seconds that a verdict may take.
    """
    try:
        if earlier:
            _play_earlier(earlier, environment)
        result = _measured(fault, environment, slack, via)
    finally:
        healed = _heal(fault, environment)
    if healed.status == 0:
        return result
    environment.must_up()
    return replace(result, problems=[*result.problems, f"healing: the first up was not healthy: {_all_shown(healed)}"])


def _play_earlier(fault: Fault, environment: Environment) -> None:
    plant_files(fault, environment.repository)
    act(fault.actions, environment)
    environment.devloop(*_arguments(fault))
    act(fault.heal, environment)
    _restore(environment)
    environment.must_up()


def _measured(fault: Fault, environment: Environment, slack: float, via: str) -> Result:
    with _evidence(fault, environment) as watch:
        plant, rules = lambda: plant_files(fault, environment.repository), ()
        if via != WATCH:
            plant()
            rules = _rules(environment) if fault.rule else ()
        if watch:
            watch.arm()
        act(fault.actions, environment)
        planted = time.time()
        run = _watched(fault, environment, plant) if via == WATCH else _run(fault, environment, via)
        if watch:
            watch.wait(LATE)
        seen = watch.seen if watch else Seen(planted, planted, "the actions ended")
    seconds = run.verdict - max(seen.received, run.started) if seen else None
    causes = run.report.get("causes") or ()
    problems = [
        *_timing_problems(fault, seen, seconds, slack),
        *problems_of(fault, run),
        *(_rule_problems(fault, rules) if via != WATCH else ()),
    ]
    problems += place_problems(fault, run, environment.repository)
    shown = _shown(causes[0]) if causes else "healthy" if run.status == 0 else ""
    evidence, where = seen.message if seen else "", _place(causes[0]) if causes else ""
    return Result(fault.name, environment.provisioner, environment.build.name, seconds, shown, problems, evidence, run.text, where)


@contextlib.contextmanager
def _evidence(fault: Fault, environment: Environment) -> Iterator[Watch | None]:
    if fault.evidence is None:
        yield None
        return
    with watching(environment.kube, fault.evidence) as watch:
        yield watch


def _watched(fault: Fault, environment: Environment, plant: Callable[[], None]) -> Run:
    with Watcher(environment, tuple(_options(fault))) as watcher:
        return watcher.edit(plant)


def _run(fault: Fault, environment: Environment, via: str) -> Run:
    """The command; the fault's actions run at the same time."""
    acting = threading.Thread(target=act, args=(fault.during, environment), daemon=True)
    acting.start()
    run = environment.devloop(*_arguments(fault, via))
    acting.join(60)
    return run


def _arguments(fault: Fault, via: str = UP) -> list[str]:
    return [via, NAME, *_options(fault)] if fault.command == UP else [fault.command, NAME]


def _options(fault: Fault) -> list[str]:
    return ["--timeout", f"{fault.timeout}s", *([] if fault.validate else ["--no-validate"])]


def _heal(fault: Fault, environment: Environment) -> Run:
    """Undo everything; the run of `up` after it."""
    act(fault.heal, environment)
    _restore(environment)
    retried(lambda: environment.kubectl(["get", "--raw", "/readyz"]))
    return environment.devloop("up", NAME, "--no-validate", "--timeout", "120s")


def _restore(environment: Environment) -> None:
    environment.git("checkout", "-q", "--", ".")
    environment.git("clean", "-qfd")


def _rules(environment: Environment) -> Sequence[str]:
    report = environment.devloop("validate", "--environment", NAME).report
    return [finding["rule"] for finding in report.get("findings", ())]


def _rule_problems(fault: Fault, rules: Sequence[str]) -> Iterator[str]:
    if fault.rule and fault.rule not in rules:
        yield f"validate: expected the rule {fault.rule}, saw {', '.join(rules) or 'none'}"


def _timing_problems(fault: Fault, seen: Seen | None, seconds: float | None, slack: float) -> Iterator[str]:
    if fault.evidence and seen is None:
        yield f"evidence: expected {fault.evidence}, the cluster never showed it"
    if seen and seen.own and seen.received - seen.own > SKEW:
        yield f"evidence: received {seen.received - seen.own:.1f} s after the time in the object"
    if seconds is not None and seconds > fault.seconds * slack:
        yield f"time: expected at most {fault.seconds:g} s from the evidence to the verdict, saw {seconds:.1f} s"


def problems_of(fault: Fault, run: Run) -> Iterator[str]:
    """How the verdict differs from the expected one."""
    wanted, causes = fault.expected, run.report.get("causes") or ()
    if run.status != wanted.exit:
        yield f"exit code: expected {wanted.exit}, saw {run.status}"
    if run.report.get("ok", False) != wanted.healthy:
        yield f"verdict: expected {'healthy' if wanted.healthy else 'not healthy'}, saw the opposite"
    if wanted.cause and not (causes and _is(causes[0], wanted.cause, wanted.object)):
        expected = f"{wanted.cause} {wanted.object or ''}".strip()
        yield f"cause: expected {expected}, saw {_all_shown(run)}"
    if others := [_shown(cause) for cause in causes if cause["id"] not in (wanted.cause, *wanted.also)]:
        yield f"causes: did not expect {'; '.join(others)}"
    everything = run.text + json.dumps(run.report, ensure_ascii=False)
    yield from (f"text: expected {text!r} in the output" for text in wanted.text if text not in everything)
    yield from (f"text: did not expect {text!r} in the output" for text in wanted.absent if text in everything)


def place_problems(fault: Fault, run: Run, repository: Path) -> Iterator[str]:
    """How the place of the first cause differs from the expected one; lines are those of the planted files."""
    wanted, causes = fault.expected.at, run.report.get("causes") or ()
    if not wanted or not causes:
        return
    path, line = causes[0]["path"], causes[0]["line"]
    lines = (repository / path).read_text().splitlines() if line else []
    text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    if path != wanted.path or (wanted.text not in text if wanted.text else line):
        yield f"place: expected {f'{wanted.text!r} in ' if wanted.text else ''}{wanted.path}, saw {_place(causes[0]) or 'none'} {text!r}"


def _place(cause: Mapping[str, Any]) -> str:
    return f"{cause['path']}:{cause['line']}" if cause.get("line") else str(cause.get("path", ""))


def _is(cause: Mapping[str, Any], wanted: str, pattern: Pattern | None) -> bool:
    about = cause["object"]
    return cause["id"] == wanted and (pattern is None or pattern.matches(about["kind"], about["namespace"], about["name"]))


def _all_shown(run: Run) -> str:
    return "; ".join(map(_shown, run.report.get("causes") or ())) or "none"


def _shown(cause: Mapping[str, Any]) -> str:
    about = cause["object"]
    return f"{cause['id']} {'/'.join(part for part in (about['kind'], about['namespace'], about['name']) if part)}"
