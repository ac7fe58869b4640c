"""`monitor`: scrapes its targets, evaluates the rules, posts firing and resolved alerts to ALERT_WEBHOOK_URL.

The webhook's URL holds a token: it must never be logged, not even in an error.
"""

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
    """One rule for one set of labels; `since` is when it first held."""

    rule: Rule
    labels: Labels
    since: float
    firing: bool = False

    def message(self, external: Mapping[str, str]) -> dict[str, object]:
        """An alert of Alertmanager's webhook format (version 4)."""
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.since))
        labels = {"alertname": self.rule.name, **external, **dict(self.labels), **self.rule.labels}
        status = "firing" if self.firing else "resolved"
        return {"status": status, "labels": labels, "annotations": dict(self.rule.annotations), "startsAt": started}


class Evaluator:
    """Evaluates the rules and keeps the alerts between evaluations."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._alerts: dict[tuple[str, Labels], Alert] = {}

    def evaluate(self, samples: Sequence[Sample], now: float) -> list[Alert]:
        """The alerts that started firing or were resolved."""
        active = {(rule.name, labels): rule for rule in self._rules for labels in rule.matches(samples)}
        ended = [self._alerts.pop(key) for key in list(self._alerts) if key not in active]
        alerts = [self._alerts.setdefault(key, Alert(rule, key[1], now)) for key, rule in active.items()]
        started = [alert for alert in alerts if not alert.firing and now - alert.since >= alert.rule.seconds]
        resolved = [alert for alert in ended if alert.firing]
        for alert in (*started, *resolved):
            alert.firing = not alert.firing
        return [*started, *resolved]

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
    evaluator = Evaluator(rules)
    port = Port(lambda: (*counters.samples(), *evaluator.samples()))
    with listening(port, options.port):
        log("info", "monitoring", rules=len(rules), targets=options.target)
        while not stop.is_set():
            samples = [found for target in options.target for found in scrape(target, counters, log)]
            notify(evaluator.evaluate(samples, time.time()), dict(options.external_label), counters, log)
            port.ready.set()
            stop.wait(options.interval)
        log("info", "stopping")
    return 0


def scrape(target: str, counters: Counters, log: Log) -> list[Sample]:
    """The target's samples, and `up`: 1 if it answered."""
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
        log("warning", "the webhook does not accept alerts")


def post(url: str, alerts: Sequence[Mapping[str, object]]) -> bool:
    body = json.dumps({"version": "4", "alerts": alerts}).encode()
    try:
        with urlopen(Request(url, data=body, headers={"Content-Type": "application/json"}), timeout=5):
            return True
    except (URLError, OSError, HTTPException, ValueError):
        return False
