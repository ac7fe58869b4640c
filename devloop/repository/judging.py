"""Has the build worker judge what it rendered: one question a judge and environment, side by side over its cores."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from devloop.clients.worker import Worker
from devloop.model.files import Files
from devloop.model.judgements import Judgements
from devloop.model.settings import Settings
from devloop.model.subject import Inspected
from devloop.repository.overlooked import oversights
from devloop.repository.policies import judge_policies
from devloop.repository.schemas import judge_schemas


def judge(environments: Sequence[Inspected], worker: Worker, settings: Settings, files: Files) -> Judgements:
    """What every judge says of every environment; each judge has a module of its own beside this one."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        policies = beside.submit(judge_policies, environments, worker, files)
        schema = judge_schemas(environments, worker)
        return Judgements(policies=policies.result(), schema=schema, oversights=oversights(environments, worker))
