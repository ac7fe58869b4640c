"""The HTTP server of every workload: liveness, readiness, metrics, and the workload's own paths."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .metrics import Sample, write

# Path (without its query) -> the answer as JSON; KeyError for "not found".
Answer = Callable[[str], object]


class Port:
    """The answers of the port; the workload sets `ready`."""

    def __init__(self, samples: Callable[[], Iterable[Sample]], answer: Answer | None = None) -> None:
        self.ready = threading.Event()
        self._samples = samples
        self._answer = answer

    def respond(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type, body."""
        if path == "/healthz":
            return 200, "text/plain", b"ok\n"
        if path == "/readyz":
            return (200, "text/plain", b"ready\n") if self.ready.is_set() else (503, "text/plain", b"not ready\n")
        if path == "/metrics":
            return 200, "text/plain; version=0.0.4", write(self._samples()).encode()
        return self._respond(path)

    def _respond(self, path: str) -> tuple[int, str, bytes]:
        try:
            answer = self._answer(path) if self._answer else {"paths": ["/healthz", "/readyz", "/metrics"]}
        except KeyError:
            return 404, "application/json", b'{"error": "not found"}\n'
        return 200, "application/json", json.dumps(answer).encode() + b"\n"


@contextmanager
def listening(port: Port, number: int) -> Iterator[None]:
    """Listen on all addresses, since the kubelet's probes use the pod's; not ready once the context ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            status, kind, body = port.respond(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes would flood the log."""

    server = ThreadingHTTPServer(("", number), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        port.ready.clear()
        server.shutdown()
        server.server_close()
