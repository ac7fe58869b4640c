"""`work`: indexes the catalogue (CATALOGUE_URL, if set) at every interval; ready after the first time."""

import os
import threading
import time
from argparse import Namespace

from .catalogue import ITEMS, Unreachable, fetch, index
from .log import Log
from .metrics import Counters
from .server import Port, listening


def run(options: Namespace, log: Log, stop: threading.Event) -> int:
    counters = Counters("work_total", "work_failures_total", "work_seconds_total")
    port = Port(counters.samples)
    with listening(port, options.port):
        while not stop.is_set():
            work(counters, log)
            port.ready.set()
            stop.wait(options.interval)
        log("info", "stopping")
    return 0


def work(counters: Counters, log: Log) -> None:
    start = time.monotonic()
    catalogue = os.environ.get("CATALOGUE_URL", "")
    try:
        words = index(fetch(catalogue) if catalogue else ITEMS)
        log("debug", "indexed", words=len(words))
    except Unreachable as error:
        counters.add("work_failures_total")
        log("warning", "the catalogue does not answer", reason=str(error))
    counters.add("work_total")
    counters.add("work_seconds_total", time.monotonic() - start)
