"""Builds what needs something remote: fetch what a build left out, build again, until nothing more is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from devloop.clients.remote_fetch import Fetched, Fetcher, RemoteName
from devloop.clients.worker import Answer
from devloop.errors import DevloopError
from devloop.model.flux.graph import Failure
from devloop.repository.builds import Build, Rendering, read_answer, remote_names

# How deep remote bases may lie in remote bases.
_ROUNDS = 16

Ask = Callable[[Sequence[Build]], list[Answer]]


def resolve_remotes(builds: Sequence[Build], answers: Sequence[Answer], ask: Ask, fetcher: Fetcher) -> list[Rendering]:
    """The renderings of `builds`, whose first `answers` leave something out; what cannot be fetched fails its build."""
    renderings = [read_answer(answer) for answer in answers]
    waiting = {index: (build, answer) for index, (build, answer) in enumerate(zip(builds, answers, strict=True)) if remote_names(answer)}
    for _ in range(_ROUNDS):
        found = fetcher.fetch(_name(each) for _, answer in waiting.values() for each in remote_names(answer))
        again: dict[int, Build] = {}
        for index, (build, answer) in waiting.items():
            names = [_name(each) for each in remote_names(answer)]
            if failure := next((_failure(name, error) for name in names if isinstance(error := found[name.name], DevloopError)), None):
                renderings[index] = replace(renderings[index], manifests=(), failure=failure)
            else:
                again[index] = _with(build, {name.name: found[name.name] for name in names})
        results = ask(list(again.values())) if again else []
        renderings = _updated(renderings, dict(zip(again, results, strict=True)))
        waiting = {index: (again[index], answer) for index, answer in zip(again, results, strict=True) if remote_names(answer)}
        if not waiting:
            break
    return renderings


def _updated(renderings: list[Rendering], answers: Mapping[int, Answer]) -> list[Rendering]:
    return [read_answer(answers[index]) if index in answers else rendering for index, rendering in enumerate(renderings)]


def _name(said: Mapping[str, Any]) -> RemoteName:
    return RemoteName(**said)


def _failure(name: RemoteName, error: DevloopError) -> Failure:
    return Failure("fetch", error.message, error.hint, name.path, name.line)


def _with(build: Build, found: Mapping[str, Fetched | DevloopError]) -> Build:
    here = {name: {"folder": str(each.folder), "path": each.path} for name, each in found.items() if isinstance(each, Fetched)}
    return replace(build, remotes={**(build.remotes or {}), **here})
