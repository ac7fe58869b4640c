"""All environments of this machine, found by their state folders, processes and containers."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec

from devloop.provisioners import PROVISIONERS, runs_here
from devloop.provisioners.found import Discovery, records


def discover() -> Discovery:
    """Sorted by cluster. Never raises for a container engine that does not respond: the note says so."""
    names = [name for name in PROVISIONERS if runs_here(name)]
    with ThreadPoolExecutor(len(names)) as pool:
        found = list(pool.map(_discover, names))
    environments = sorted((each for part in found for each in part.environments), key=lambda each: each.key)
    return Discovery(tuple(environments), "; ".join(part.note for part in found if part.note))


def _discover(provisioner: str) -> Discovery:
    """What the provisioner's own module `discovery` finds, without one what the state folder says."""
    module = f"{PROVISIONERS[provisioner].target.partition(':')[0]}.discovery"
    if not _exists(module):
        return Discovery(tuple(records(provisioner)))
    found: Discovery = import_module(module).discover()
    return found


def _exists(module: str) -> bool:
    with contextlib.suppress(ModuleNotFoundError):  # the class may be in a module without a folder
        return find_spec(module) is not None
    return False
