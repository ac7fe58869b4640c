"""`devloop sync`: an edit, pushed and reconciled in an environment that is up."""

import signal
import threading

from devloop.clients.signals import handle_signals
from devloop.commands.request import Request, locked, open_session, report
from devloop.errors import InputError
from devloop.flux.feed import Feed
from devloop.model.cluster.environment import Environment, Source
from devloop.model.report import Emit, Notice, Report
from devloop.plan import plan_sync
from devloop.provisioners.selection import existing_choices
from devloop.repository.entry_points import load
from devloop.runner import Result, recorded, run
from devloop.steps import Output


def sync(request: Request, emit: Emit) -> Report:
    """Raises InputError for a definition that cannot be used."""
    environment = usable(request)
    [name, *_] = existing_choices(request.provisioner, environment)
    result, source, feed = Result(), Output[Source](), Output[Feed]()
    options = {"validate": request.validate, "allow_remote": request.allow_remote, "whole": request.whole}

    superseded = threading.Event()

    def supersede(*_: object) -> None:
        superseded.set()
        session.stop.set()
        threading.Thread(target=session.close, name="close").start()

    with (
        open_session(request, environment, recorded(result, emit), name) as session,
        handle_signals(supersede, signal.SIGUSR1),
        locked(session, "sync", ends=("sync", "watch")),
    ):
        run(plan_sync(source, feed, request.timeout or environment.definition.timeout, **options), session, result)
        if feed.is_set:
            feed.value.close()
        if superseded.is_set():
            emit(Notice("a later sync supersedes this one"))
    return report("sync", session, result, source.value.revision if source.is_set else "")


def usable(request: Request) -> Environment:
    """The environment of the request. Raises InputError for a definition that cannot be used."""
    environment = load(request.root, request.environment, request.definition, request.path)
    if environment.definition.blockers:
        raise InputError.of(environment.definition.blockers)
    return environment
