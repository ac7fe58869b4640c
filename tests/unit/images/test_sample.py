"""The program in the sample's image: its rules, its metrics, its port, and its workloads as processes, from start to SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
import yaml

from devloop.clients.ports import free_ports
from devloop.images.sample.__main__ import duration, parse
from devloop.images.sample.metrics import Sample, read, sample, write
from devloop.images.sample.monitor import Evaluator
from devloop.images.sample.observe import deployment, nodes, pods
from devloop.images.sample.report import summary
from devloop.images.sample.rules import BadRule, read_rules, read_yaml

ROOT = Path(__file__).parents[3]
RULES = yaml.safe_load((ROOT / "k8s/bases/infrastructure/monitoring/config-map-alert-rules.yaml").read_text())["data"]["rules.yaml"]


@pytest.mark.parametrize(("text", "seconds"), [("500ms", 0.5), ("10s", 10), ("5m", 300), ("1.5h", 5400)])
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "s", "-1s", "1d", "1.2.3s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError):
        duration(text)


def test_the_arguments_of_the_sample_platform() -> None:
    arguments = "monitor --rules=/r --target=http://t/metrics --external-label=environment=local --external-label=x=y=z --log-level=debug"
    options = parse(arguments.split())
    assert (options.target, options.external_label) == (["http://t/metrics"], [("environment", "local"), ("x", "y=z")])


@pytest.mark.parametrize("text", [RULES, "a:\n  - b: 'c'\n    d:\n      e: f # g\n  - h: \"i\"\n", "list:\n- x\n- y\n", "a: b: c\n"])
def test_rules_are_read_as_yaml_says(text: str) -> None:
    try:
        expected = yaml.safe_load(text.replace(" # g", ""))
    except yaml.YAMLError:
        expected = {"a": "b: c"}
    assert read_yaml(text.replace(" # g", "")) == expected


def test_the_platforms_own_rules() -> None:
    unavailable, down = read_rules(RULES)
    assert (unavailable.name, unavailable.seconds, unavailable.labels) == ("DeploymentUnavailable", 300, {"severity": "critical"})
    assert (down.metric, down.comparison, down.than) == ("up", "==", "0")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("groups:\n  - name: x\n    rules:\n      - alert: A\n        expr: rate(x[5m]) > 1\n", "unsupported expression"),
        ("groups:\n  - name: x\n    rules:\n      - alert: A\n        expr: x > 1\n        for: soon\n", "not a duration"),
        ("rules: x\n", "lack"),
    ],
)
def test_an_invalid_rule_is_reported(text: str, message: str) -> None:
    with pytest.raises(BadRule, match=message):
        read_rules(text)


def test_metrics_are_read_as_they_were_written() -> None:
    samples = (sample("a_total", 3), sample("b", 0.5, path='C:\\x "y"\nz', other="1"))
    assert read(write(samples)) == samples
    assert read("# HELP a\nnonsense\na NaNa\na 1 1700000000\n") == (Sample("a", (), 1.0),)


def test_metrics_are_compared_where_their_labels_are_equal() -> None:
    rule, _ = read_rules(RULES)
    values = [("web", 2, 2), ("worker", 1, 0), ("gone", 1, None)]
    samples = [sample("workload_replicas_desired", wanted, deployment=name) for name, wanted, _ in values]
    samples += [sample("workload_replicas_available", has, deployment=name) for name, _, has in values if has is not None]
    assert rule.matches(samples) == ((("deployment", "worker"),),)


def test_an_alert_fires_when_it_held_long_enough_and_is_resolved_once() -> None:
    evaluator = Evaluator(read_rules(RULES))
    down, up = [sample("up", 0, target="t")], [sample("up", 1, target="t")]
    assert evaluator.evaluate(down, 0) == []
    assert [found.labels for found in evaluator.samples()] == [(("alertname", "TargetDown"), ("state", "pending"), ("target", "t"))]
    assert evaluator.evaluate(down, 119) == []
    (alert,) = evaluator.evaluate(down, 120)
    assert alert.message({"environment": "local"})["labels"] == {
        "alertname": "TargetDown",
        "environment": "local",
        "target": "t",
        "severity": "warning",
    }
    assert evaluator.evaluate(down, 130) == []
    (resolved,) = evaluator.evaluate(up, 140)
    assert resolved.message({})["status"] == "resolved"
    assert evaluator.evaluate(up, 150) == []
    assert evaluator.evaluate(down, 160) == []
    assert evaluator.evaluate(up, 170) == [], "what never fired is not resolved"


def test_what_the_api_server_says_becomes_metrics() -> None:
    item = {"metadata": {"namespace": "shop", "name": "web"}, "spec": {"replicas": 2}, "status": {"availableReplicas": 1}}
    assert [found.value for found in deployment(item)] == [2, 1]
    assert [found.value for found in deployment({"metadata": item["metadata"], "spec": {}})] == [1, 0]
    listed = [{"metadata": {"namespace": "shop"}, "status": {"phase": "Running"}}] * 2
    assert [(found.labels, found.value) for found in pods(iter(listed))] == [((("namespace", "shop"), ("phase", "Running")), 2)]
    node = {"metadata": {"name": "n"}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    assert [found.value for found in nodes(iter([node]))] == [0.0]


def test_a_report_of_nothing() -> None:
    assert summary(()) == {"items": 0, "cheapest": 0.0, "dearest": 0.0}


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A workload as it runs in the image, ready; ends it as the kubelet does."""
    (port,) = free_ports(1)
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [sys.executable, "-S", "-m", "sample", *arguments, f"--port={port}", "--log-level=debug"]
    process = subprocess.Popen(command, cwd=ROOT / "devloop/images", env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def get(url: str) -> tuple[int, str]:
    try:
        with urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def await_ready(process: subprocess.Popen[str], url: str) -> None:
    for _ in range(200):
        assert process.poll() is None, process.stdout and process.stdout.read()
        try:
            if get(f"{url}/readyz")[0] == 200:
                return
        except URLError:
            pass
        threading.Event().wait(0.05)
    raise AssertionError("it never became ready")


def ended(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 0, output
    return output


def test_the_shop_sells_what_the_catalogue_has_and_stays_open_without_it() -> None:
    with running("serve") as (catalogue, there), running("serve", CATALOGUE_URL=there, BASE_URL="https://shop") as (shop, here):
        await_ready(catalogue, there)
        await_ready(shop, here)
        page = json.loads(get(here)[1])
        assert (page["base_url"], len(page["items"])) == ("https://shop", 4)
        assert get(f"{here}/items")[0] == 404, "only the catalogue has items"
        assert "stopping" in ended(catalogue)
        assert json.loads(get(here)[1])["items"] == []
        metrics = {found.name: found.value for found in read(get(f"{here}/metrics")[1])}
        assert metrics == {"requests_total": 3, "catalogue_failures_total": 1}
        assert get(f"{here}/healthz") == (200, "ok\n")
        ended(shop)


def test_the_worker_works_on_when_the_catalogue_is_gone() -> None:
    with running("work", "--interval=50ms", CATALOGUE_URL="http://127.0.0.1:1") as (worker, here):
        await_ready(worker, here)
        while read(get(f"{here}/metrics")[1])[0].value < 3:
            threading.Event().wait(0.02)
        assert '"level": "warning"' in ended(worker)


def test_the_report_is_a_line_and_ends() -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-S", "-m", "sample", "report"]
    done = subprocess.run(command, cwd=ROOT / "devloop/images", env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["dearest"] == 120.0


def test_the_monitor_alerts_and_never_tells_its_webhook(tmp_path: Path) -> None:
    posted: list[dict[str, object]] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if len(posted) > 1 else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.replace("for: 2m", "for: 0s"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    secret = f"http://127.0.0.1:{server.server_port}/hooks/s3cret"
    (port,) = free_ports(1)
    target = f"http://127.0.0.1:{port}/metrics"
    options = (f"--rules={rules}", f"--target={target}", "--external-label=environment=local", "--interval=50ms")
    with running("monitor", *options, ALERT_WEBHOOK_URL=secret) as (monitor, here):
        await_ready(monitor, here)
        assert posted[0]["alerts"][0]["labels"]["environment"] == "local"  # type: ignore[index]
        server.shutdown()
        server.server_close()
        output = ended(monitor)
    assert "TargetDown" in output
    assert "s3cret" not in output


def test_a_monitor_without_usable_rules_ends_with_a_reason(tmp_path: Path) -> None:
    with running("monitor", f"--rules={tmp_path}/none", "--target=http://127.0.0.1:1") as (monitor, _):
        output, _ = monitor.communicate(timeout=10)
    assert monitor.returncode == 2
    assert "the rules cannot be used" in output
