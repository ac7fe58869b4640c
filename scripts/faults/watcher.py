"""A `devloop watch` of an environment, followed by its events."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from scripts.faults.environment import LIMIT, NAME, Environment, Run

POLL = 0.02  # seconds between two looks at the file


@dataclass
class Watcher:
    """Use as a context manager; `edit` is one edit and its run."""

    environment: Environment
    options: tuple[str, ...] = ()
    _process: subprocess.Popen[str] = field(init=False)

    @property
    def _file(self) -> Path:
        return self.environment.home / "events.jsonl"

    def __enter__(self) -> Watcher:
        self._file.write_text("")
        self._process = self.environment.start(
            "-C", str(self.environment.repository), "watch", NAME, "--events", str(self._file), *self.options, stdout=subprocess.DEVNULL
        )
        list(self._until_ended(0, lambda event: event["event"] == "run-started"))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(LIMIT)

    def edit(self, act: Callable[[], None]) -> Run:
        """Edit files by `act`; the run that follows, whose verdict is when its causes were last told anew."""
        offset, started = self._file.stat().st_size, time.time()
        act()
        causes: list[dict[str, Any]] = []
        verdict, texts, ok = 0.0, [], False
        for event in self._until_ended(offset, lambda event: event["event"] == "run-started" and bool(event["paths"])):
            texts.append(json.dumps(event, ensure_ascii=False))
            if event["event"] == "causes" and event["causes"]:
                causes, verdict = event["causes"], _seconds(event)
            if event["event"] == "run-ended":
                ok, verdict = event["ok"], verdict if causes and not event["ok"] else _seconds(event)
        return Run(int(not ok), "\n".join(texts), {"ok": ok, "causes": [] if ok else causes}, started, verdict)

    def _until_ended(self, offset: int, begins: Callable[[dict[str, Any]], bool]) -> Iterator[dict[str, Any]]:
        """The events from the first that `begins` to the end of a run that nothing superseded."""
        deadline, begun = time.monotonic() + LIMIT, False
        with self._file.open() as file:
            file.seek(offset)
            while time.monotonic() < deadline and self._process.poll() is None:
                line = file.readline()
                if not line.endswith("\n"):
                    file.seek(file.tell() - len(line.encode()))
                    time.sleep(POLL)
                    continue
                event = json.loads(line)
                begun = begun or begins(event)
                if begun:
                    yield event
                if begun and event["event"] == "run-ended" and not event["superseded"]:
                    return
        raise RuntimeError("watch did not end a run")


def _seconds(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["time"]).timestamp()
