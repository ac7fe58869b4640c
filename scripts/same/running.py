"""Runs all commands with both builds in parallel; the results of BEFORE are reused while neither it nor the list changes."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts.same import build as running
from scripts.same.build import Build, dump
from scripts.same.commands import Command
from scripts.same.inputs import Inputs
from scripts.same.normal import normal

# `texts` by "exit code", "stdout", "stderr" or a file's path, of several commands with their number; `folders` as `normal` takes them.
Raw = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Result:
    """What one command gave, without what may differ."""

    command: Command
    texts: dict[str, str]


def run_both(
    builds: tuple[Build, Build], commands: Sequence[Command], inputs: Inputs, *, keep: Path, jobs: int
) -> Generator[tuple[Result, Result]]:
    """The results of both in the order of `commands`, each as soon as it is there."""
    store = keep / f"before-{_key(builds[0], inputs)}.json"
    kept: dict[str, Raw] = json.loads(store.read_text()) if store.exists() else {}
    with ThreadPoolExecutor(jobs) as pool:
        pending = [
            [pool.submit(_job(kept if build is builds[0] else {}, build, command, inputs)) for build in builds] for command in commands
        ]
        try:
            for number, (command, pair) in enumerate(zip(commands, pending, strict=True), start=1):
                _tell(f"{number}/{len(commands)} {command.name[:100]}", last=number == len(commands))
                first, second = (future.result() for future in pair)
                if command.timed and _normal(command, first) != _normal(command, second):
                    first, second = (run(build, command, inputs) for build in builds)
                kept[command.name] = first
                yield Result(command, _normal(command, first)), Result(command, _normal(command, second))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            dump(store, kept)


def _tell(progress: str, *, last: bool) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{progress}", end="\n" if last else "", file=sys.stderr, flush=True)


def _key(before: Build, inputs: Inputs) -> str:
    """Of everything that decides what BEFORE gives; exemptions have a last day."""
    parts = (before.version, str(inputs.folder), datetime.datetime.now(datetime.UTC).date().isoformat())
    return hashlib.sha256("\0".join(parts).encode() + Path(running.__file__).read_bytes()).hexdigest()[:12]


def _job(kept: Mapping[str, Raw], build: Build, command: Command, inputs: Inputs) -> Callable[[], Raw]:
    found = None if command.of_machine else kept.get(command.name)
    return (lambda: run(build, command, inputs)) if found is None else lambda: found


def _normal(command: Command, raw: Raw) -> dict[str, str]:
    return {name: normal(text, command, raw["folders"]) for name, text in raw["texts"].items()}


def run(build: Build, command: Command, inputs: Inputs) -> Raw:
    """Run one command with one build, in a folder of its own."""
    own = build.folder / "runs" / command.folder
    here = own / "here"
    shutil.rmtree(own, ignore_errors=True)
    here.mkdir(parents=True)
    config = own / "config" if command.fresh else inputs.config
    env = {"XDG_STATE_HOME": str(own / "state"), "XDG_CONFIG_HOME": str(config), "KUBECONFIG": str(own / "kubeconfig")} | dict(command.env)
    texts: dict[str, str] = {}
    for number, part in enumerate(command.parts, start=1):
        cwd = inputs.repository(command.repository) if command.here else here
        ended = build.run(command.argv(part, inputs), cwd, env, terminal=command.terminal)
        label = f"{number}: " if len(command.parts) > 1 else ""
        texts |= {f"{label}exit code": str(ended.code), f"{label}stdout": _text(ended.stdout), f"{label}stderr": _text(ended.stderr)}
    texts |= {str(path.relative_to(here)): _text(path.read_bytes()) for path in sorted(here.rglob("*")) if _is_output(path, here)}
    folders = {own: "$OWN", build.folder: "$FOLDER", build.checkout: "$CHECKOUT", build.python.parent: "$BIN", build.cache: "$CACHE"}
    return {"texts": texts, "folders": {str(path): called for path, called in folders.items()}}


def _is_output(path: Path, here: Path) -> bool:
    return path.is_file() and ".git" not in path.relative_to(here).parts


def _text(content: bytes) -> str:
    return content.decode(errors="backslashreplace")
