"""What `devloop validate` is timed with: a real repository, generated ones of three sizes, and the programs that do a part of its work.

flate renders, kubeconform checks the schemas of what flate rendered; Go builds both as programs, for the comparison alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.generated import generate, generate_relations
from benchmarks.measurements import COLD, GROWTH, LARGE, LARGE_MEMORY, PEERS, PEERS_RATIO, RELATIONS_GROWTH, WARM, Measurements
from devloop.clients import process
from devloop.clients.go import find_go
from devloop.clients.xdg import cache_folder
from devloop.errors import DevloopError
from devloop.lint.schemas import schemas
from devloop.toolchain import Toolchain

SIZES = (100, 300, 1000)
RELATED = (200, 400, 800)
GIBIBYTE = 1 << 30
FLATE = "github.com/home-operations/flate/cmd/flate@v0.6.5"
KUBECONFORM = "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0"
OLDEST_GO = (1, 27, 0)  # that can build flate

CASE = Path(__file__).parents[2] / "shared/cases/home-cluster"
ENTRY = "cluster/base"
FEWEST = 70  # Kustomizations; fewer mean that validation missed the repository


@dataclass(frozen=True)
class Place:
    """`cache` is a separate cache folder with the installed programs; peers are None if they cannot be built."""

    folder: Path
    cache: Path
    flate: Path | None
    kubeconform: Path | None

    @property
    def home(self) -> Path:
        return self.folder / "home-cluster"

    def sized(self, number: int) -> Path:
        return self.folder / f"generated-{number}"

    def related(self, number: int) -> Path:
        return self.folder / f"related-{number}"

    @property
    def env(self) -> Mapping[str, str]:
        return {**os.environ, "XDG_CACHE_HOME": str(self.cache), "NO_COLOR": "1"}


@contextlib.contextmanager
def prepared() -> Iterator[Place]:
    """Prepares everything before the clock starts, and deletes it afterwards, except for the peers."""
    Toolchain().ensure(("worker",), lambda event: None)
    peers = [_installed(module) for module in (FLATE, KUBECONFORM)]
    with tempfile.TemporaryDirectory(prefix="devloop-bench-") as scratch:
        place = Place(Path(scratch), Path(scratch) / "cache", *peers)
        (place.cache / "devloop").mkdir(parents=True)
        (place.cache / "devloop" / "tools").symlink_to(cache_folder() / "tools")
        if CASE.is_dir():
            shutil.copytree(CASE, place.home)
        for number in SIZES:
            generate(place.sized(number), number)
        for number in RELATED:
            generate_relations(place.related(number), number)
        for repository in place.folder.glob("*-*"):
            process.run(["git", "init", "--quiet", repository])
        yield place


def measure(place: Place, measured: Measurements) -> None:
    if place.home.is_dir():
        _real(place, measured)
    each = {}
    for number in SIZES:
        seconds, memory = _validate(place, place.sized(number), number)
        each[number] = seconds / number
        measured.seconds[f"generated, {number} Kustomizations"].append(seconds)
    measured.seconds[LARGE].append(seconds)
    measured.seconds[LARGE_MEMORY].append(memory / GIBIBYTE)
    measured.seconds[GROWTH].append(each[SIZES[-1]] / each[SIZES[0]])
    related = {number: _validate(place, place.related(number), number - number // 10)[0] for number in RELATED}
    for number, seconds in related.items():
        measured.seconds[f"relations, {number} Kustomizations"].append(seconds)
    measured.seconds[RELATIONS_GROWTH].append(related[RELATED[-1]] / related[RELATED[0]])


def _real(place: Place, measured: Measurements) -> None:
    cold, _ = _validate(place, place.home, FEWEST)
    measured.seconds[COLD].append(cold)
    changed = sorted(place.home.glob("cluster/apps/**/helmrelease.yaml"))[0]
    with changed.open("a") as file:
        file.write(f"# {time.time_ns()}\n")
    measured.seconds[WARM].append(_validate(place, place.home, FEWEST, warm=True)[0])
    if place.flate and place.kubeconform:
        measured.seconds[PEERS].append(_peers(place, place.flate, place.kubeconform))
        measured.seconds[PEERS_RATIO].append(cold / measured.seconds[PEERS][-1])


def _validate(place: Place, repository: Path, fewest: int, *, warm: bool = False) -> tuple[float, int]:
    """Seconds, and the largest sum of resident memory of devloop and its worker, in bytes."""
    if not warm:
        shutil.rmtree(place.cache / "devloop" / "renderings", ignore_errors=True)
    argv: list[str | Path] = [sys.executable, "-m", "devloop", "-C", repository, "validate", "--output", "json"]
    start = time.perf_counter()
    running = process.spawn(argv, env=place.env, stdout=process.PIPE, stderr=process.DEVNULL)
    with _watched(running.pid) as peak:
        output, _ = running.communicate()
        seconds = time.perf_counter() - start
    found = len(json.loads(output)["kustomizations"])
    if found < fewest:
        raise DevloopError(f"{repository.name} was not validated: {found} Kustomizations")
    return seconds, peak[0]


@contextlib.contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """The peak resident memory of the process and its children together, in bytes, sampled twenty times a second."""
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            with contextlib.suppress(psutil.Error):
                parent = psutil.Process(pid)
                peak[0] = max(peak[0], sum(each.memory_info().rss for each in (parent, *parent.children(recursive=True))))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def _peers(place: Place, flate: Path, kubeconform: Path) -> float:
    """Seconds: one renders and the other checks, as people use them. Their findings are ignored."""
    start = time.perf_counter()
    rendered = process.run([flate, "build", "ks", "--path", place.home / ENTRY], cwd=place.home, env=place.env, check=False)
    schemas_of = schemas("v1.36").folder
    template = f"{schemas_of}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    argv: list[str | Path] = [
        kubeconform,
        "-strict",
        "-ignore-missing-schemas",
        "-summary",
        "-output",
        "json",
        "-schema-location",
        template,
        "-",
    ]
    checked = process.run(argv, input=rendered.stdout, check=False)
    seconds = time.perf_counter() - start
    if rendered.stdout.count(b"\nkind: ") < 100:
        raise DevloopError("flate rendered next to nothing", hint=rendered.stderr.decode(errors="replace")[-300:])
    if b"summary" not in checked.stdout:
        raise DevloopError("kubeconform checked nothing", hint=checked.stderr.decode(errors="replace")[-300:])
    return seconds


def _installed(module: str) -> Path | None:
    """Built with Go and kept in the cache; None if the build fails."""
    name = module.rpartition("/")[2].partition("@")[0]
    folder = cache_folder() / "benchmarks" / module.replace("/", "-")
    if not (folder / name).is_file():
        try:
            go = find_go(OLDEST_GO, cache_folder() / "go", lambda: None)
            process.run([go.program, "install", module], env={**os.environ, "GOBIN": str(folder), "GOTOOLCHAIN": "local"})
        except DevloopError as error:
            print(f"{name} cannot be installed: {error}", file=sys.stderr)
            return None
    return folder / name
