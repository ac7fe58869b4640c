"""Pulls images into the engine, and says why one cannot be pulled.

The engine reports the registry's error as text only: https://distribution.github.io/distribution/spec/api/#errors and Go's net package.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from devloop.clients.engine import Engine, Refused, library
from devloop.errors import DevloopError, Interrupted
from devloop.hint import Command, command, instructions
from devloop.model.kubernetes.image import require_image

OnFraction = Callable[[float], None]


class PullFailure(StrEnum):
    NOT_FOUND = "no such image"
    WRONG_PLATFORM = "not for this platform"
    RATE_LIMITED = "rate limited"
    DENIED = "denied"
    UNTRUSTED = "untrusted certificate"
    UNREACHABLE = "no network"
    OTHER = "failed"


class ImageNotPulled(DevloopError):
    """`failure` is the reason; the hint is about the registry only."""

    def __init__(self, reference: str, failure: PullFailure, reason: str) -> None:
        host = require_image(reference).registry
        super().__init__(_MESSAGES[failure].format(reference=reference, host=host, reason=reason))
        self.failure = failure
        self._next = _next(failure, reference, host)
        self.hint = instructions(*self._next)

    def or_else(self, *parts: str | Command) -> ImageNotPulled:
        """The same, with another way out in its hint."""
        self.hint = instructions(*self._next, *parts)
        return self


# In this order: an error may name a later reason as well.
_PATTERNS: tuple[tuple[PullFailure, str], ...] = (
    (PullFailure.RATE_LIMITED, r"toomanyrequests|too many requests|rate limit"),
    (PullFailure.WRONG_PLATFORM, r"no matching manifest for|does not match the specified platform"),
    (
        PullFailure.NOT_FOUND,
        r"manifest unknown|name unknown|not found: manifest|manifest for \S+ not found|failed to resolve .*: not found",
    ),
    (PullFailure.DENIED, r"denied|unauthorized|authentication required|forbidden|no basic auth credentials"),
    (PullFailure.UNTRUSTED, r"x509|certificate|server gave HTTP response to HTTPS client"),
    (
        PullFailure.UNREACHABLE,
        r"no such host|dial tcp|connection (refused|reset)|unreachable|timeout|deadline exceeded|canceled while waiting|name resolution"
        r"|server misbehaving|proxyconnect|\bEOF\b|bad gateway|service unavailable|internal server error|HTTP status: 5",
    ),
)

_MESSAGES = {
    PullFailure.NOT_FOUND: "{host} has no image {reference}",
    PullFailure.WRONG_PLATFORM: "{reference} is not published for this engine's platform",
    PullFailure.RATE_LIMITED: "{host} limits the rate of pulls: {reference} cannot be pulled now",
    PullFailure.DENIED: "{host} denies access to {reference}, or has no such image",
    PullFailure.UNTRUSTED: "the container engine does not trust {host}: {reason}",
    PullFailure.UNREACHABLE: "{host} does not answer the container engine, {reference} cannot be pulled: {reason}",
    PullFailure.OTHER: "{reference} cannot be pulled: {reason}",
}


def _next(failure: PullFailure, reference: str, host: str) -> tuple[str | Command, ...]:
    match failure:
        case PullFailure.NOT_FOUND | PullFailure.WRONG_PLATFORM:
            return ("use another image or version",)
        case PullFailure.RATE_LIMITED:
            return (command("docker login", host), ", configure a registry mirror, or try again later")
        case PullFailure.DENIED:
            return (command("docker login", host),)
        case PullFailure.UNTRUSTED:
            return (f"put its CA into /etc/docker/certs.d/{host}/ca.crt",)
        case PullFailure.UNREACHABLE:
            return ("check the network and the proxy of the container engine: ", command("docker pull", reference))
    return (command("docker pull", reference),)


def pull(engine: Engine, reference: str, on_fraction: OnFraction, stop: threading.Event) -> None:
    """Pull the image with the user's credentials; raises ImageNotPulled, or Interrupted once `stop` is set.

    A reference with a digest is verified by the engine, which then gives the image the tag of the reference as well.
    """
    image, progress = require_image(reference), _Progress(on_fraction)
    try:
        with library():
            for event in engine.client.api.pull(image.name, tag=image.digest or image.tag or "latest", stream=True, decode=True):
                if stop.is_set():
                    raise Interrupted(f"interrupted while pulling {reference}")
                if "error" in event:
                    raise Refused(str(event["error"]))
                progress.add(event)
            if image.digest and image.tag:
                engine.client.api.tag(f"{image.name}@{image.digest}", image.name, image.tag)
    except (Refused, OSError) as error:
        reason = " ".join(str(error).split())[-300:]
        raise ImageNotPulled(reference, failure_of(reason), reason) from None


def failure_of(text: str) -> PullFailure:
    """The reason in an engine's error."""
    return next((failure for failure, pattern in _PATTERNS if re.search(pattern, text, re.IGNORECASE)), PullFailure.OTHER)


class _Progress:
    """The fraction of all layers known so far; never falls."""

    def __init__(self, on_fraction: OnFraction) -> None:
        self._layers: dict[str, tuple[int, int]] = {}
        self._shown = 0.0
        self._on_fraction = on_fraction

    def add(self, event: Mapping[str, Any]) -> None:
        detail = event.get("progressDetail") or {}
        if event.get("status") != "Downloading" or not detail.get("total"):
            return
        self._layers[str(event.get("id"))] = (int(detail.get("current", 0)), int(detail["total"]))
        done, total = (sum(column) for column in zip(*self._layers.values(), strict=True))
        if (fraction := done / total) >= self._shown + 0.01:
            self._shown = fraction
            self._on_fraction(fraction)
