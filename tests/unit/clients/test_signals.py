"""Signals that must not come in between come afterwards."""

from __future__ import annotations

import signal

import pytest

from devloop.clients.signals import defer_signals


def test_an_interrupt_waits_for_the_end_of_what_must_not_be_disturbed() -> None:
    done = False
    with pytest.raises(KeyboardInterrupt), defer_signals():
        signal.raise_signal(signal.SIGINT)
        done = True
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
