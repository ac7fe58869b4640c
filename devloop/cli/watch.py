"""`devloop watch`: parses the arguments."""

from typing import Annotated

import typer

from devloop.cli.options import (
    AllowBuild,
    AllowRemote,
    Definition,
    EntryPath,
    Environment,
    Events,
    KeyFile,
    OutputFile,
    OutputOption,
    Provisioner,
    Timeout,
    Whole,
    seconds,
)
from devloop.output import TEXT
from devloop.provisioners import AUTO


def watch(
    context: typer.Context,
    environment: Environment,
    definition: Definition = None,
    path: EntryPath = None,
    provisioner: Provisioner = AUTO,
    key_file: KeyFile = None,
    timeout: Timeout = None,
    no_validate: Annotated[bool, typer.Option("--no-validate", help="Skip validation.")] = False,
    push_anyway: Annotated[bool, typer.Option("--push-anyway", help="Push also what validation refuses.")] = False,
    whole: Whole = False,
    allow_remote: AllowRemote = False,
    allow_build: AllowBuild = False,
    output: OutputOption = TEXT,
    output_file: OutputFile = None,
    events: Events = "",
) -> None:
    """Each saved file is validated, pushed and followed until everything is ready. A later edit supersedes the run.

    Keys: q quits, r runs now, ? shows help. The environment keeps running when watch ends.
    """
    from devloop.cli.boundary import open_console, show
    from devloop.cli.build_consent import ask_for_build_commands
    from devloop.clients import memory
    from devloop.commands.request import Request
    from devloop.commands.watch import Messages
    from devloop.commands.watch import watch as run
    from devloop.commands.watched_files import Key
    from devloop.console.keys import keys
    from devloop.console.runs import RunsView

    memory.prepare()
    view, messages = RunsView(), Messages()
    actions = {"q": lambda: messages.put(Key.QUIT), "r": lambda: messages.put(Key.RUN), "?": view.toggle_help}
    ask_for_build_commands(context, allowed=allow_build)
    with open_console(output, context, output_file, events=events, view=view) as console:
        flags = {"validate": not no_validate, "allow_remote": allow_remote, "whole": whole}
        request = Request(context.obj.repository, environment, definition, provisioner, key_file, seconds(timeout), path=path, **flags)
        with keys(lambda key: actions.get(key, lambda: None)()):
            report = run(request, console.emit, messages, push_anyway=push_anyway)
        show(console, report)
