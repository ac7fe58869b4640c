"""The same request again, after a failure that may pass."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, TypeVar

from devloop.clients.background import POLL_INTERVAL, in_background
from devloop.clients.http.failures import PASSING, DownloadFailed, Reason
from devloop.clients.http.limits import Patience
from devloop.errors import Interrupted

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")


def retried(work: Callable[[], T], host: str, patience: Patience, stop: threading.Event) -> T:
    """The result of `work`, or its last DownloadFailed. Raises Interrupted soon after `stop`, even if `work` hangs."""
    from tenacity import Retrying, retry_if_exception
    from tenacity.nap import sleep_using_event

    def ends(state: RetryCallState) -> bool:
        return stop.is_set() or patience.attempts >= patience.limits.attempts or state.upcoming_sleep > patience.left

    def attempt() -> T:
        if stop.is_set():
            raise Interrupted(f"interrupted while waiting for {host}")
        patience.attempts += 1
        return work()

    retrying = Retrying(
        retry=retry_if_exception(lambda error: _may_pass(error, patience)),
        wait=lambda state: _pause(state, patience),
        stop=ends,
        sleep=sleep_using_event(stop),
        reraise=True,
    )
    return _bounded(in_background(lambda: retrying(attempt), host), host, patience, stop)


def _bounded(future: Future[T], host: str, patience: Patience, stop: threading.Event) -> T:
    """Time limits of a socket are renewed by each byte, and count for each address of a name: this one is for all of it."""
    while not wait([future], POLL_INTERVAL).done:
        if stop.is_set() or patience.is_over:
            patience.given_up = True
            break
    if future.done():
        return future.result()
    if stop.is_set():
        raise Interrupted(f"interrupted while waiting for {host}")
    raise DownloadFailed(Reason.TIMED_OUT, f"{host} does not answer")


def _may_pass(error: BaseException, patience: Patience) -> bool:
    """A network that was there a moment ago may come back."""
    if not isinstance(error, DownloadFailed):
        return False
    return error.reason in PASSING or (error.reason is Reason.NO_NETWORK and patience.received > 0)


def _pause(state: RetryCallState, patience: Patience) -> float:
    """Seconds: what the server asks for, else twice as long after each attempt."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, DownloadFailed) else None
    return patience.limits.pause * 2.0 ** (patience.attempts - 1) if asked is None else asked
