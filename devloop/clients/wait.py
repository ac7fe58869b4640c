"""Waits until something happens, the time is over, or the run is interrupted."""

import threading
from collections.abc import Callable
from typing import TypeVar, cast

from devloop.clients.background import TooLate, unless_stopped
from devloop.errors import DevloopError, Interrupted
from devloop.hint import Hint

T = TypeVar("T")

LAST_LOOK = 30.0  # seconds that `look` may take when the time is over
PAUSE = 0.1  # seconds between two attempts


class WaitTimeout(DevloopError):
    """The time is over."""


def until(
    look: Callable[[], T | None],
    what: str,
    *,
    patience: float,
    stop: threading.Event,
    hint: Hint | Callable[[], Hint],
    pause: float = PAUSE,
) -> T:
    """The result of `look` once it is true; its exceptions end the wait. `what` is for messages: "the API server did not come within".

    `patience` and `pause` in seconds. Raises WaitTimeout with `hint`, or Interrupted within a second of `stop`, even if `look` hangs.
    """
    from tenacity import RetryError, Retrying, retry_if_not_result, stop_after_delay, stop_when_event_set, wait_fixed
    from tenacity.nap import sleep_using_event

    ends = stop_when_event_set(stop) | stop_after_delay(patience)
    retrying = Retrying(retry=retry_if_not_result(bool), wait=wait_fixed(pause), stop=ends, sleep=sleep_using_event(stop))
    try:
        return cast(T, unless_stopped(lambda: retrying(look), what, stop, patience + LAST_LOOK))
    except (RetryError, TooLate):
        if stop.is_set():
            raise Interrupted(f"interrupted while waiting for {what}") from None
        message = f"{what} did not come within {patience:.0f} s"
        raise WaitTimeout(message, hint=hint() if callable(hint) else hint) from None
