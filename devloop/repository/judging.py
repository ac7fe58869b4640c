"""Has the build worker judge what it rendered: one question a judge and environment, side by side over its cores."""

from __future__ import annotations

from collections.abc import Sequence

from devloop.clients.worker import Worker
from devloop.model.judgements import Judgements
from devloop.model.settings import Settings
from devloop.model.subject import Inspected


def judge(environments: Sequence[Inspected], worker: Worker, settings: Settings) -> Judgements:
    """What every judge says of every environment; each judge has a module of its own beside this one."""
    return Judgements()
