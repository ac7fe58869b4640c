"""Write the tables of docs/versions.md: the versions of the lock file on the machines of .github/workflows/ci.yml, and KSail's formats.

Run it after a change of either. A test compares the page with what this script writes; the job `versions` of CI does so once the tests have
passed on the machines that the page names.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from devloop.model.ksail.detection import GENERATIONS
from devloop.model.messages import join_words

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/versions.md"
LOCK = ROOT / "devloop/toolchain/lock.toml"
WORKFLOW = ROOT / ".github/workflows/ci.yml"

# https://docs.github.com/actions/reference/runners/github-hosted-runners
MACHINES = {"ubuntu-24.04": "Linux amd64", "ubuntu-24.04-arm": "Linux arm64", "macos-15": "macOS arm64"}


def combinations(matrix: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """All of a job's matrix; entries of `include` only add combinations in our workflows."""
    axes = {name: values for name, values in matrix.items() if name != "include"}
    yield from (dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))
    yield from matrix.get("include", ())


def tested(jobs: Mapping[str, Any], modules: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    """A row per provisioner and machine."""
    version = {name: str(module["version"]) for name, module in modules.items()}
    flux = ", ".join(f"{name.removesuffix('-controller')} {version[name]}" for name in version if name.endswith("-controller"))
    runs = list(combinations(jobs["integration"]["strategy"]["matrix"]))
    for provisioner, runner in dict.fromkeys((run["provisioner"], run["runner"]) for run in runs):
        pythons = sorted({run["python"] for run in runs if (run["provisioner"], run["runner"]) == (provisioner, runner)})
        kind = version["kind"] if provisioner == "kind" else ""
        yield f"`{provisioner}`", MACHINES[runner], join_words(pythons), version["kubernetes"], flux, kind
    for run in combinations(jobs["portable"]["strategy"]["matrix"]):
        yield "none: `init`, `validate`, `render`", MACHINES[run["runner"]], run["python"], "", "", ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["".join(f"| {cell} " for cell in line) + "|\n" for line in (header, *rows)]
    return lines[0] + "|---" * len(header) + "|\n" + "".join(lines[1:])


def tables() -> Mapping[str, str]:
    """The tables by the name in their markers."""
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    modules = tomllib.loads(LOCK.read_text())["modules"]
    header = ("provisioner", "machine", "Python", "Kubernetes", "Flux controllers", "Kind")
    formats = [(each.name, each.title, f"`{each.api_version}`") for each in GENERATIONS]
    return {"tested": table(header, tested(jobs, modules)), "ksail": table(("format", "versions of KSail", "apiVersion"), formats)}


def page(text: str) -> str:
    """The page with its current tables."""
    for name, content in tables().items():
        before, marker, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        assert marker and end, name
        text = f"{before}{marker}{content}{end}{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
