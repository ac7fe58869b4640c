"""Logs one JSON object per line to standard output."""

import json
import sys
import time

LEVELS = ("debug", "info", "warning", "error")


class Log:
    def __init__(self, level: str) -> None:
        self._least = LEVELS.index(level)

    def __call__(self, level: str, message: str, **facts: object) -> None:
        if LEVELS.index(level) >= self._least:
            line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": level, "message": message, **facts}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
