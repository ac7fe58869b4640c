"""`observe`: exports the state of Deployments, pods and nodes as metrics, with the pod's service account."""

import json
import os
import ssl
import threading
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from .log import Log
from .metrics import Counters, Sample, sample
from .server import Port, listening

# https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PAGE = 100

# Seconds; the first requests time out early, since packets are lost while the pod's network is being set up.
_MAX_TIMEOUT, _FIRST_TIMEOUT = 10.0, 0.2


class ApiServer:
    """Lists objects page by page; reads the token for every request, since the kubelet rotates it."""

    def __init__(self, account: Path = _ACCOUNT) -> None:
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        self._base = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        self._token = account / "token"
        self._trust = ssl.create_default_context(cafile=str(account / "ca.crt"))

    def list(self, path: str, timeout: float) -> Iterator[dict[str, Any]]:
        more = ""
        while True:
            request = Request(f"{self._base}{path}?limit={_PAGE}{more}", headers={"Authorization": f"Bearer {self._token.read_text()}"})
            with urlopen(request, timeout=timeout, context=self._trust) as answer:
                page = json.load(answer)
            yield from page["items"]
            if not (token := page["metadata"].get("continue")):
                return
            more = f"&continue={token}"


def run(options: Namespace, log: Log, stop: threading.Event) -> int:
    counters = Counters("observations_total", "observation_failures_total")
    seen: list[Sample] = []
    port = Port(lambda: (*counters.samples(), *seen))
    with listening(port, options.port):
        server, timeout = ApiServer(), _FIRST_TIMEOUT
        while not stop.is_set():
            counters.add("observations_total")
            try:
                seen[:] = observe(server, timeout)
                port.ready.set()
            except (URLError, OSError, ValueError, KeyError) as error:
                counters.add("observation_failures_total")
                log("warning", "the API server does not answer", reason=str(error))
            stop.wait(options.interval if port.ready.is_set() else timeout)
            timeout = min(2 * timeout, _MAX_TIMEOUT)
        log("info", "stopping")
    return 0


def observe(server: ApiServer, timeout: float) -> list[Sample]:
    return [
        *(found for item in server.list("/apis/apps/v1/deployments", timeout) for found in deployment(item)),
        *pods(server.list("/api/v1/pods", timeout)),
        *nodes(server.list("/api/v1/nodes", timeout)),
    ]


def deployment(item: Mapping[str, Any]) -> tuple[Sample, ...]:
    labels = {"namespace": item["metadata"]["namespace"], "deployment": item["metadata"]["name"]}
    return (
        sample("workload_replicas_desired", item["spec"].get("replicas", 1), **labels),
        sample("workload_replicas_available", item.get("status", {}).get("availableReplicas", 0), **labels),
    )


def pods(items: Iterator[dict[str, Any]]) -> tuple[Sample, ...]:
    counted = Counter((item["metadata"]["namespace"], item.get("status", {}).get("phase", "Unknown")) for item in items)
    return tuple(sample("workload_pods", count, namespace=namespace, phase=phase) for (namespace, phase), count in sorted(counted.items()))


def nodes(items: Iterator[dict[str, Any]]) -> tuple[Sample, ...]:
    return tuple(sample("workload_node_ready", float(is_ready(item)), node=item["metadata"]["name"]) for item in items)


def is_ready(node: Mapping[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
