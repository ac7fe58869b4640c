"""`monitor`: scrapes its targets, judges by the rules, posts to ALERT_WEBHOOK_URL what begins and ends to fire.

The address of the webhook holds a token: it is in no log, not even in the text of an error.
"""

from __future__ import annotations

import json
import os
import threading
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from .log import Log
from .metrics import Counters, Labels, Sample, read, sample
from .rules import BadRule, Rule, read_rules
from .server import Port, listening


@dataclass
class Alert:
    """One rule for one set of labels, from when it first held."""

    rule: Rule
    labels: Labels
    since: float
    firing: bool = False

    def message(self, external: Mapping[str, str]) -> dict[str, object]:
        """In the form of Alertmanager's webhooks (version 4)."""
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.since))
        labels = {"alertname": self.rule.name, **external, **dict(self.labels), **self.rule.labels}
        status = "firing" if self.firing else "resolved"
        return {"status": status, "labels": labels, "annotations": dict(self.rule.annotations), "startsAt": started}


class Judge:
    """Which alerts there are; remembers them from one look to the next."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._alerts: dict[tuple[str, Labels], Alert] = {}

    def look(self, samples: Sequence[Sample], now: float) -> list[Alert]:
        """Those that began or ended to fire."""
        holding = {(rule.name, labels): rule for rule in self._rules for labels in rule.matches(samples)}
        ended = [self._alerts.pop(key) for key in list(self._alerts) if key not in holding]
        began = []
        for key, rule in holding.items():
            alert = self._alerts.setdefault(key, Alert(rule, key[1], now))
            if not alert.firing and now - alert.since >= rule.seconds:
                alert.firing = True
                began.append(alert)
        resolved = [alert for alert in ended if alert.firing]
        for alert in resolved:
            alert.firing = False
        return [*began, *resolved]

    def samples(self) -> Iterator[Sample]:
        for alert in list(self._alerts.values()):
            yield sample("alerts", 1, alertname=alert.rule.name, state="firing" if alert.firing else "pending", **dict(alert.labels))


def run(options: Namespace, log: Log, stop: threading.Event) -> int:
    try:
        rules = read_rules(Path(options.rules).read_text(encoding="utf-8"))
    except (OSError, BadRule) as error:
        log("error", "the rules cannot be used", reason=str(error))
        return 2
    counters = Counters("scrapes_total", "scrape_failures_total", "notifications_total", "notification_failures_total")
    judge = Judge(rules)
    port = Port(lambda: (*counters.samples(), *judge.samples()))
    with listening(port, options.port):
        log("info", "monitoring", rules=len(rules), targets=options.target)
        while not stop.is_set():
            samples = [found for target in options.target for found in scrape(target, counters, log)]
            notify(judge.look(samples, time.time()), dict(options.external_label), counters, log)
            port.ready.set()
            stop.wait(options.interval)
        log("info", "ending")
    return 0


def scrape(target: str, counters: Counters, log: Log) -> list[Sample]:
    """What the target tells, and `up`: 1 when it answered."""
    counters.add("scrapes_total")
    try:
        with urlopen(target, timeout=5) as answer:
            found = read(answer.read().decode())
    except (URLError, OSError, HTTPException, ValueError) as error:
        counters.add("scrape_failures_total")
        log("warning", "a target does not answer", target=target, reason=str(error))
        return [sample("up", 0, target=target)]
    return [sample("up", 1, target=target), *found]


def notify(alerts: Sequence[Alert], external: Mapping[str, str], counters: Counters, log: Log) -> None:
    if not alerts:
        return
    for alert in alerts:
        log("warning" if alert.firing else "info", "alert", name=alert.rule.name, firing=alert.firing, **dict(alert.labels))
    counters.add("notifications_total")
    if not post(os.environ.get("ALERT_WEBHOOK_URL", ""), [alert.message(external) for alert in alerts]):
        counters.add("notification_failures_total")
        log("warning", "the webhook does not take alerts")


def post(url: str, alerts: Sequence[Mapping[str, object]]) -> bool:
    body = json.dumps({"version": "4", "alerts": alerts}).encode()
    try:
        with urlopen(Request(url, data=body, headers={"Content-Type": "application/json"}), timeout=5):
            return True
    except (URLError, OSError, HTTPException, ValueError):
        return False
