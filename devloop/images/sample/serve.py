"""`serve`: the storefront if CATALOGUE_URL is set, else the catalogue."""

import os
import threading
from argparse import Namespace

from .log import Log
from .metrics import Counters
from .server import Port, listening


def run(options: Namespace, log: Log, stop: threading.Event) -> int:
    counters = Counters("requests_total", "catalogue_failures_total")
    port = Port(counters.samples, lambda path: answer(path, counters))
    with listening(port, options.port):
        port.ready.set()
        log("info", "serving", port=options.port)
        stop.wait()
        log("info", "stopping")
    return 0


def answer(path: str, counters: Counters) -> object:
    counters.add("requests_total")
    catalogue = os.environ.get("CATALOGUE_URL", "")
    if path == "/":
        return front(catalogue, counters) if catalogue else {"service": "catalogue", "items": "/items"}
    if path == "/items" and not catalogue:
        from .catalogue import ITEMS

        return {"items": ITEMS}
    raise KeyError(path)


def front(catalogue: str, counters: Counters) -> object:
    """The storefront, which also works without its catalogue."""
    from .catalogue import Unreachable, fetch

    page: dict[str, object] = {"service": "storefront", "base_url": os.environ.get("BASE_URL", "")}
    try:
        return page | {"items": fetch(catalogue)}
    except Unreachable:
        counters.add("catalogue_failures_total")
        return page | {"items": [], "note": "the catalogue does not answer"}
