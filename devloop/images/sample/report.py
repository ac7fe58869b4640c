"""`report`: logs a summary of the catalogue once. Exits with status 1 if the catalogue does not answer."""

import os
import threading
from argparse import Namespace

from .catalogue import ITEMS, Item, Unreachable, fetch
from .log import Log

_TRIES = 5


def run(options: Namespace, log: Log, stop: threading.Event) -> int:
    catalogue = os.environ.get("CATALOGUE_URL", "")
    for attempt in range(1, _TRIES + 1):
        try:
            log("info", "report", **summary(fetch(catalogue) if catalogue else ITEMS))
            return 0
        except Unreachable as error:
            log("warning", "the catalogue does not answer", reason=str(error), attempt=attempt)
        if stop.wait(attempt):
            return 0
    return 1


def summary(items: tuple[Item, ...]) -> dict[str, object]:
    prices = [float(str(item["price"])) for item in items]
    return {"items": len(items), "cheapest": min(prices, default=0.0), "dearest": max(prices, default=0.0)}
