"""A `devloop watch` of an environment, followed by its events."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scripts.faults.environment import LIMIT, NAME, Environment, Run

Event = dict[str, Any]


@dataclass
class Watcher:
    """Use as a context manager; `edit` is one edit and its run."""

    environment: Environment
    options: tuple[str, ...] = ()
    _events: queue.Queue[Event] = field(default_factory=queue.Queue)

    def __enter__(self) -> Watcher:
        arguments = ("-C", str(self.environment.repository), "watch", NAME, "--events", "-", *self.options)
        self._process = self.environment.start(*arguments, stderr=subprocess.DEVNULL)
        threading.Thread(target=self._read, daemon=True).start()
        list(self._until_ended(lambda event: event["event"] == "run-started"))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(LIMIT)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._events.put(json.loads(line))

    def edit(self, act: Callable[[], None]) -> Run:
        """The run that follows the edit `act`; its verdict is the moment when its causes changed for the last time."""
        started = time.time()
        act()
        causes: list[Event] = []
        verdict, texts, ok = 0.0, [], False
        for event in self._until_ended(lambda event: event["event"] == "run-started" and bool(event["paths"])):
            texts.append(json.dumps(event, ensure_ascii=False))
            if event["event"] == "causes" and event["causes"]:
                causes, verdict = event["causes"], _seconds(event)
            if event["event"] == "run-ended":
                ok, verdict = event["ok"], verdict if causes and not event["ok"] else _seconds(event)
        return Run(int(not ok), "\n".join(texts), {"ok": ok, "causes": [] if ok else causes}, started, verdict)

    def _until_ended(self, begins: Callable[[Event], bool]) -> Iterator[Event]:
        """The events from the first that `begins` to the end of a run that nothing superseded; raises queue.Empty after LIMIT seconds."""
        begun = False
        while True:
            event = self._events.get(timeout=LIMIT)
            begun = begun or begins(event)
            if begun:
                yield event
            if begun and event["event"] == "run-ended" and not event["superseded"]:
                return


def _seconds(event: Event) -> float:
    return datetime.fromisoformat(event["time"]).timestamp()
