"""References to container images, after https://pkg.go.dev/github.com/distribution/reference."""

import re
from dataclasses import dataclass
from functools import lru_cache

from devloop.errors import InputError

# Docker's name for its own registry, which references leave out.
DOCKER = "docker.io"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)
_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


@dataclass(frozen=True)
class Image:
    """`name` as written, with its registry if it has one."""

    name: str
    tag: str = ""
    digest: str = ""

    @property
    def registry(self) -> str:
        """The host that the name begins with; the first component is one only if it looks like one."""
        first, separator, _ = self.name.partition("/")
        is_host = separator and (first == "localhost" or "." in first or ":" in first)
        return DOCKER if not is_host or first == f"index.{DOCKER}" else first

    @property
    def repository(self) -> str:
        """The name in its registry; Docker's official images are in library/."""
        host, _, rest = self.name.partition("/")
        name = rest if host in (self.registry, f"index.{DOCKER}") else self.name
        return f"library/{name}" if self.registry == DOCKER and "/" not in name else name

    @property
    def floats(self) -> bool:
        """Whether it may refer to another image later; no tag means latest."""
        return not self.digest and self.tag in ("", "latest")


@lru_cache(maxsize=4096)
def parse_image(text: str) -> Image | None:
    """None if no runtime would accept it."""
    match = _REFERENCE.fullmatch(text)
    if not match or len(match["name"]) > 255 or re.fullmatch(r"[0-9a-f]{64}", match["name"]):
        return None
    digest = match["digest"] or ""
    algorithm, _, hexadecimal = digest.partition(":")
    if digest and len(hexadecimal) != _DIGEST_LENGTHS.get(algorithm, len(hexadecimal)):
        return None
    return Image(match["name"], match["tag"] or "", digest)


def require_image(text: str) -> Image:
    """Raises InputError for what no runtime would accept."""
    image = parse_image(text)
    if not image:
        raise InputError(f"{text} is not a reference to an image", hint="write HOST/NAME:TAG@sha256:DIGEST")
    return image
