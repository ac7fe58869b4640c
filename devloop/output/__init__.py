"""Reports as text for other programs: one function `Report -> str` a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devloop.model.report import Report
from devloop.output.json import to_json

FORMATS: Mapping[str, Callable[[Report], str]] = {"json": to_json}
