"""Runs the build commands of devloop.yaml whose sources have changed since they last succeeded."""

from dataclasses import dataclass

from devloop.clients import private_files
from devloop.clients.process import run_until
from devloop.errors import DevloopError, ToolError
from devloop.hint import DevloopCommand
from devloop.model.build_commands import BuildCommand
from devloop.model.lint.settings import PATH
from devloop.model.messages import counted
from devloop.model.report import Notice, Outcome
from devloop.provisioners import state_dir
from devloop.repository.build_commands import content_of, is_allowed, load_build_commands
from devloop.repository.snapshot import snapshot
from devloop.repository.snapshot_store import store_of
from devloop.session import Session
from devloop.steps import Step, outcome

FILE = "built.json"  # command -> its sources when it last succeeded


@dataclass(frozen=True)
class RunBuildCommands:
    title: str = "build"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        root = session.environment.root
        commands = load_build_commands(root)
        if not commands:
            return outcome(False)
        if not is_allowed(root, commands):
            message = f"{PATH} names commands to run that you have not allowed"
            raise DevloopError(message, hint=DevloopCommand("sync", session.environment.name, ("--allow-build",)))
        file = state_dir(session.provisioner.name, session.environment.definition.name) / FILE
        tree, built, count = snapshot(root).tree, dict(private_files.read_json(file)), 0
        for command in commands:
            sources = content_of(root, tree, command.paths, store_of(root))
            if built.get(str(command)) != sources and not session.stop.is_set():
                self._run(session, command)
                built[str(command)], count = sources, count + 1
                private_files.write_json(file, built)
        return outcome(count, f"ran {counted(count, 'command')}" if count else "")

    def _run(self, session: Session, command: BuildCommand) -> None:
        session.emit(Notice(f"running {command}"))
        try:
            run_until(command.argv, session.stop, cwd=session.environment.root, timeout=command.timeout)
        except ToolError as error:
            raise DevloopError(f"{PATH}:{command.line}: {error.message}", hint="run it by hand to see all of its output") from None
