"""What a cut download left behind, and how to ask for the rest (RFC 9110, sections 13.1.5 and 14.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from devloop.clients.http.failures import DownloadFailed, Reason


@dataclass(frozen=True)
class PartialFile:
    """`data` has the bytes so far; `validator` the ETag or date of the version that they are from. Without one nothing is resumed."""

    data: Path
    validator: Path

    @classmethod
    def of(cls, url: str, folder: Path) -> PartialFile:
        name = hashlib.sha256(url.encode()).hexdigest()[:32]
        return cls(folder / f"{name}.partial", folder / f"{name}.version")

    @property
    def size(self) -> int:
        return self.data.stat().st_size if self.data.exists() and self.validator.exists() else 0

    def request_headers(self) -> dict[str, str]:
        """For the rest alone, or for everything if the server has another version by now."""
        if not self.size:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self.validator.read_text(encoding="utf-8")}

    def open(self, status: int, headers: Mapping[str, str]) -> IO[bytes]:
        """The file to write the body of an answer to: at its end if this is the rest, else from the start."""
        if status == 206:
            return self._continue(headers.get("Content-Range", ""))
        self.discard()
        self.data.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.data.open("wb")
        if version := _version(headers):
            self.validator.write_text(version, encoding="utf-8")
        return file

    def _continue(self, content_range: str) -> IO[bytes]:
        if not content_range.startswith(f"bytes {self.size}-"):
            self.discard()
            raise DownloadFailed(Reason.CUT_OFF, "the server sends another part than it was asked for")
        return self.data.open("ab")

    def digest(self) -> str:
        with self.data.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def discard(self) -> None:
        self.data.unlink(missing_ok=True)
        self.validator.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        self.data.replace(target)
        self.validator.unlink(missing_ok=True)


def _version(headers: Mapping[str, str]) -> str:
    """A strong ETag or the date of the last change; '' without."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified", "")


def total_size(status: int, headers: Mapping[str, str]) -> int | None:
    """Bytes of the whole file; None if the server does not say."""
    text = headers.get("Content-Range", "").rpartition("/")[2] if status == 206 else headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None
