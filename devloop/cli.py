"""The command line: parse, call, show, exit code. Imports of what a command needs are inside it, so that `--help` is quick."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from devloop.errors import DevloopError, InputError, Interrupted, refused

if TYPE_CHECKING:
    from devloop.console import Console
    from devloop.console.spoken import Spoken
    from devloop.images import ImageState
    from devloop.loop import Request
    from devloop.model.report import Report
    from devloop.toolchain import ToolState

app = typer.Typer(
    name="devloop",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A local GitOps development loop: the working tree, reconciled by real Flux on a local cluster, within seconds.",
    epilog="To begin: devloop init demo && devloop -C demo up local",
)
toolchain_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List or install the pinned programs.")
app.add_typer(toolchain_app, name="toolchain")


class Output(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    GITHUB = "github"


class TextOrJson(StrEnum):
    TEXT = "text"
    JSON = "json"


class AtLeast(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class ProvisionerName(StrEnum):
    AUTO = "auto"
    KIND = "kind"
    EMBEDDED = "embedded"


@dataclass(frozen=True)
class Place:
    """Where the user stands: the repository's root as given with -C, or None to look for it."""

    directory: Path | None

    @property
    def root(self) -> Path:
        from devloop.repository.environments import find_root

        if self.directory is None:
            return find_root(Path.cwd())
        if not self.directory.is_dir():
            raise InputError(f"-C {self.directory} is not a directory", hint=f"ls -ld {self.directory}")
        return self.directory.resolve()

    @property
    def repository(self) -> Path:
        """For commands that need no definition: the root, or else the nearest folder that Git knows."""
        try:
            return self.root
        except InputError:
            here = Path.cwd()
            known = None if self.directory else next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)
            if known is None:
                raise
            return known


def _rules(incomplete: str) -> list[str]:
    """Rules and families that begin like this, for the shell."""
    from devloop.rules import RULES

    names = [*RULES, *(f"{family}/*" for family in dict.fromkeys(name.partition("/")[0] for name in RULES))]
    return [name for name in names if name.startswith(incomplete)]


def _environments(context: typer.Context, incomplete: str) -> list[str]:
    """Environments that begin like this, for the shell."""
    from devloop.repository.entries import names

    root = (context.parent or context).params.get("directory")
    with contextlib.suppress(DevloopError, OSError):
        return [name for name in names(Place(root).repository) if name.startswith(incomplete)]
    return []


Environment = Annotated[
    str, typer.Argument(metavar="ENV", help="Name of the environment, e.g. local.", show_default=False, autocompletion=_environments)
]
Environments = Annotated[
    list[str] | None,
    typer.Option(
        "--environment", "-e", metavar="ENV", help="Only this one; may be repeated.", show_default="all", autocompletion=_environments
    ),
]
Definition = Annotated[
    Path | None,
    typer.Option("--definition", metavar="FILE", help="The KSail definition to use, instead of looking for ENV's.", show_default=False),
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="All but text print the report alone to standard output.")]
OutputFile = Annotated[
    Path | None,
    typer.Option("--output-file", metavar="FILE", help="Write the report to FILE, text to the terminal.", show_default=False),
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--age-key-file", metavar="FILE", help="Age identities to decrypt with, before all other places.", show_default=False),
]
Provisioner = Annotated[
    ProvisionerName,
    typer.Option(
        "--provisioner",
        envvar="DEVLOOP_PROVISIONER",
        help="auto: what the environment runs with, else kind where an engine answers, else embedded.",
    ),
]
Timeout = Annotated[
    str | None,
    typer.Option(
        "--timeout", metavar="DURATION", help="How long to wait until all is ready, e.g. 90s or 10m.", show_default="the definition's"
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        from devloop import __version__

        typer.echo(f"devloop {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    directory: Annotated[
        Path | None,
        typer.Option("-C", metavar="DIR", help="The repository's root.", show_default="the nearest parent with a definition"),
    ] = None,
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")] = False,
) -> None:
    context.obj = Place(directory)


@app.command()
def up(
    context: typer.Context,
    environment: Environment,
    definition: Definition = None,
    provisioner: Provisioner = ProvisionerName.AUTO,
    recreate: Annotated[bool, typer.Option("--recreate", help="Make the cluster anew, whatever there is.")] = False,
    key_file: KeyFile = None,
    timeout: Timeout = None,
    no_validate: Annotated[bool, typer.Option("--no-validate", help="Apply it whatever validation finds.")] = False,
    output: OutputOption = Output.TEXT,
    output_file: OutputFile = None,
) -> None:
    """Reconcile the working tree until it is healthy.

    Creates the cluster where there is none and continues one that an earlier run left. Uncommitted changes count. Errors that validation
    finds end the run before anything is created.
    """
    from devloop import loop

    with _console(output, context, output_file) as console:
        wanted = {"provisioner": provisioner, "recreate": recreate, "key_file": key_file, "validate": not no_validate}
        request = _request(context, environment, definition, timeout=_seconds(timeout), **wanted)
        _show(console, loop.up(request, console.emit))


@app.command()
def status(
    context: typer.Context,
    environment: Environment,
    definition: Definition = None,
    provisioner: Provisioner = ProvisionerName.AUTO,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on until Ctrl-C.")] = False,
    output: OutputOption = Output.TEXT,
    output_file: OutputFile = None,
) -> None:
    """Show what runs and how far Flux has come.

    Each Kustomization below the one that it waits for, with what Flux and the workloads say. Changes nothing.
    """
    from devloop import loop

    with _console(output, context, output_file) as console:
        request = _request(context, environment, definition, provisioner=provisioner)
        _show(console, loop.status(request, console.emit, follow=watch))


@app.command()
def down(
    context: typer.Context,
    environment: Environment,
    definition: Definition = None,
    provisioner: Provisioner = ProvisionerName.AUTO,
    output: OutputOption = Output.TEXT,
    output_file: OutputFile = None,
) -> None:
    """Remove everything of the environment.

    Processes, data and the kubeconfig entry; nothing to remove is fine.
    """
    from devloop import loop

    with _console(output, context, output_file) as console:
        _show(console, loop.down(_request(context, environment, definition, provisioner=provisioner), console.emit))


@app.command()
def validate(
    context: typer.Context,
    environment: Environments = None,
    severity: Annotated[AtLeast, typer.Option("--severity", help="Leave out what is milder.")] = AtLeast.INFO,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            "--rule", metavar="PATTERN", help="Only this rule, family or glob; may be repeated.", show_default="all", autocompletion=_rules
        ),
    ] = None,
    changed_since: Annotated[
        str, typer.Option("--changed-since", metavar="REV", help="Only what the change since REV reaches.", show_default=False)
    ] = "",
    explain: Annotated[
        str,
        typer.Option(
            "--explain",
            metavar="RULE",
            help="Why the rule is there, what to do.",
            show_default=False,
            autocompletion=_rules,
        ),
    ] = "",
    key_file: KeyFile = None,
    output: OutputOption = Output.TEXT,
    output_file: OutputFile = None,
) -> None:
    """Check the whole repository without a cluster.

    Builds every Kustomization of every environment as Flux would and holds the result against the rules. See docs/validation.md.
    """
    if explain:
        _explain(explain)
    with _console(output, context, output_file) as console:
        from devloop import offline
        from devloop.model.report import Severity
        from devloop.validation.selection import Selection

        question = offline.Question(context.obj.repository, tuple(environment or ()), key_file)
        selection = Selection(Severity(severity.value), tuple(rule or ()), changed_since)
        _show(console, offline.validate(question, selection, console.emit))


def _explain(rule: str) -> NoReturn:
    with _console() as console:
        from devloop.validation.explanation import explain

        console.explain(explain(rule))
    raise typer.Exit


@app.command()
def render(
    context: typer.Context,
    environment: Environment,
    kustomization: Annotated[
        str, typer.Option("--kustomization", "-k", metavar="NS/NAME", help="Only this one.", show_default="all of them")
    ] = "",
    diff: Annotated[
        str, typer.Option("--diff", metavar="REV", help="What changed between REV and the working tree.", show_default=False)
    ] = "",
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Do not mask the values of Secrets.")] = False,
    origins: Annotated[bool, typer.Option("--origins", help="Name the file that each object comes from.")] = False,
    definition: Definition = None,
    key_file: KeyFile = None,
) -> None:
    """Print the manifests that Flux would apply.

    Built, decrypted and with variables in place; the values of Secrets are masked.
    """
    with _console(Output.JSON) as console:
        from devloop import rendering

        wanted = rendering.Wanted(context.obj.repository, environment, kustomization, show_secrets, origins, key_file, definition)
        rendered = rendering.compare(wanted, diff, console.emit) if diff else rendering.render(wanted, console.emit)
        console.__exit__()
        console.difference(rendered.text) if diff else console.manifests(rendered.text)
        raise typer.Exit(0 if diff or rendered.complete else 1)


@app.command()
def doctor(
    context: typer.Context,
    environment: Annotated[
        str,
        typer.Argument(
            metavar="ENV", help="Also what this environment needs.", show_default="the machine alone", autocompletion=_environments
        ),
    ] = "",
    definition: Definition = None,
    provisioner: Provisioner = ProvisionerName.AUTO,
    key_file: KeyFile = None,
    output: Annotated[
        TextOrJson, typer.Option("--output", "-o", help="json prints the report alone to standard output.")
    ] = TextOrJson.TEXT,
) -> None:
    """Check what this machine lacks.

    Engine, programs, limits, disk and clock; for ENV also its definition, ports and keys. Changes nothing.
    """
    from devloop import loop

    with _console(Output(output), context) as console:
        place: Place = context.obj
        report = loop.doctor(lambda: place.root, environment, definition=definition, provisioner=provisioner, key_file=key_file)
        _show(console, report)


@app.command()
def init(directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty directory.", show_default=False)]) -> None:
    """Scaffold a sample platform.

    Three environments, two distributions, freshly encrypted secrets; the Age keys are made outside of DIR.
    """
    from devloop import loop

    with _console() as console:
        for line in loop.init(directory, console.emit):
            console.line(line)


@toolchain_app.command("list")
def toolchain_list() -> None:
    """List versions, places and build times."""
    from devloop.toolchain import Toolchain

    with _console() as console:
        console.table(("tool", "version", "from", "size", "build", "path"), [_tool_row(state) for state in Toolchain().states()])


@toolchain_app.command("install")
def toolchain_install(
    tools: Annotated[list[str] | None, typer.Argument(metavar="TOOL", help="Which ones.", show_default="what `up` needs")] = None,
) -> None:
    """Install pinned programs ahead of time."""
    from devloop import loop

    with _console() as console:
        loop.install(tuple(tools or ()), console.emit)


@toolchain_app.command("images")
def toolchain_images(
    images: Annotated[list[str] | None, typer.Argument(metavar="IMAGE", help="Which ones.", show_default="all")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Only show which there are, and what the engine has of them.")] = False,
) -> None:
    """Make the container images that `up --provisioner kind` uses where no registry can be reached.

    From the pinned programs, Debian's packages and devloop's own files, into the container engine; those that are there stay.
    """
    from devloop import loop

    with _console() as console:
        if not listed:
            loop.make_images(tuple(images or ()), console.emit)
        console.table(("image", "reference", "state", "size"), [_image_row(state) for state in loop.image_states(tuple(images or ()))])


@toolchain_app.command("key")
def toolchain_key(
    tools: Annotated[list[str] | None, typer.Argument(metavar="[TOOL]...", help="Which ones.", show_default="what `up` needs")] = None,
) -> None:
    """Print what identifies pinned programs on this platform: a key for the cache of a CI system."""
    from devloop import loop

    with _console() as console:
        console.line(loop.toolchain_key(tuple(tools or ())))


def run(argv: list[str]) -> int:
    """Run the command line; the exit code."""
    try:
        app(args=argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


@contextlib.contextmanager
def _console(output: Output = Output.TEXT, context: typer.Context | None = None, file: Path | None = None) -> Iterator[Console]:
    """A console around a command; errors are shown by it, with `context` also as a report, and become exit codes."""
    from devloop.console import Console

    console = Console(output.value, file, _spoken(context) if context else None, follows=bool(context and context.params.get("watch")))
    try:
        with console:
            _check_file(output, file)
            yield console
    except DevloopError as error:
        console.error(error)
        if context and output is not Output.TEXT:
            from devloop.loop import refusal

            named = context.params.get("environment")
            console.show(refusal(context.info_name or "", named if isinstance(named, str) else "", error))
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        raise typer.Exit(Interrupted.exit_code) from None
    except (typer.Exit, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 (the boundary)
        from devloop.runner import BUG, write_traceback

        if told := refused(error) if isinstance(error, OSError) else None:
            console.error(told)
            raise typer.Exit(told.exit_code) from None
        console.bug(write_traceback(error))
        raise typer.Exit(BUG) from None


def _check_file(output: Output, file: Path | None) -> None:
    """Before anything is done: a report that cannot be written is no use."""
    if file and output is Output.TEXT:
        raise InputError("--output-file wants a format of its own", hint=f"--output json --output-file {file}")
    if file and not file.absolute().parent.is_dir():
        raise InputError(f"the folder of --output-file {file} does not exist", hint=f"mkdir -p {file.parent}")


def _show(console: Console, report: Report) -> NoReturn:
    console.__exit__()
    console.show(report)
    raise typer.Exit(report.exit_code)


def _spoken(context: typer.Context) -> Spoken:
    """How commands are named from where the user stands: with what was typed, not with what environment variables say anyway."""
    from devloop.console.spoken import Spoken

    directory, named = context.obj.directory, context.params.get("environment")
    typed = {name: str(context.params[name]) for name in ("definition", "provisioner") if _was_typed(context, name)}
    return Spoken.of(named if isinstance(named, str) else "", str(directory or ""), **typed)


def _was_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _request(context: typer.Context, environment: str, definition: Path | None, **more: Any) -> Request:
    from devloop.loop import Request

    return Request(context.obj.root, environment, definition, **more)


def _tool_row(state: ToolState) -> tuple[str, ...]:
    size = f"{state.size / (1 << 20):.0f} MiB" if state.size else ""
    return (state.name, state.version, state.channel or "not installed", size, f"{state.seconds:.0f} s", str(state.path or ""))


def _image_row(state: ImageState) -> tuple[str, ...]:
    return (state.name, state.reference, state.state, f"{state.size / (1 << 20):.0f} MiB" if state.size else "")


def _seconds(text: str | None) -> float | None:
    """Seconds of a duration as Go writes it (90s, 10m, 1h30m) or a plain number; raises InputError."""
    from devloop.model.duration import parse_duration

    return None if text is None else parse_duration(text, "--timeout")
