"""All environments of this machine, found by their state folders, processes and containers."""

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from devloop.provisioners import PROVISIONERS, runs_here
from devloop.provisioners.found import Discovery


def discover() -> Discovery:
    """Sorted by cluster. Never raises for a container engine that does not respond: the note says so."""
    names = [name for name in PROVISIONERS if runs_here(name)]
    with ThreadPoolExecutor(len(names)) as pool:
        found = list(pool.map(_discover, names))
    environments = sorted((each for part in found for each in part.environments), key=lambda each: each.key)
    return Discovery(tuple(environments), "; ".join(part.note for part in found if part.note))


def _discover(provisioner: str) -> Discovery:
    package = PROVISIONERS[provisioner].target.partition(":")[0]
    found: Discovery = import_module(f"{package}.discovery").discover()
    return found
