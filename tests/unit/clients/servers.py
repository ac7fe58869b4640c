"""HTTP servers on loopback that behave as a test says."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from devloop.provisioners.embedded.authority import new_authority

# Answers one request with the methods of `handler`.
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """`requests` are those that came: path and headers."""

    url: str
    port: int
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextlib.contextmanager
def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.requests.append((self.path, dict(self.headers)))
            answer(self)

        do_CONNECT = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing to say."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that went away is no news."""

    with Quiet(("127.0.0.1", 0), Handler) as running:
        if tls:
            running.socket = tls.wrap_socket(running.socket, server_side=True)
        server = Server(f"{'https' if tls else 'http'}://127.0.0.1:{running.server_port}", running.server_port)
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        running.shutdown()


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    """A whole answer; `_` in the names of headers stands for `-`."""
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def cut(handler: BaseHTTPRequestHandler) -> None:
    """End the connection without another word."""
    handler.wfile.flush()
    handler.close_connection = True


def file_server(content: bytes, *, version: str = '"1"', ends: list[int]) -> Answer:
    """Serves `content` with ranges, as a release server does. Each number of `ends` cuts one answer off there."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        start = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        resumes = bool(start) and handler.headers.get("If-Range") == version
        if resumes and start >= len(content):
            send(handler, 416, Content_Range=f"bytes */{len(content)}")
            return
        body = content[start:] if resumes else content
        handler.send_response(206 if resumes else 200)
        handler.send_header("ETag", version)
        handler.send_header("Content-Length", str(len(body)))
        if resumes:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.end_headers()
        end = ends.pop(0) if ends else len(content)
        handler.wfile.write(body[: max(0, end - (start if resumes else 0))])
        if end < len(content):
            cut(handler)

    return answer


def own_authority(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """The certificate of an authority that nobody knows, and the context of a server with a certificate from it."""
    authority = new_authority("tests")
    issued = authority.issue("server", hosts=("127.0.0.1", "localhost", "releases.example"))
    (folder / "ca.pem").write_text(authority.pem)
    (folder / "server.pem").write_text(issued.certificate + issued.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return folder / "ca.pem", context


def proxy(target: int, credentials: str) -> Answer:
    """Sends everything, whatever its host, to the port `target`, for those who know `credentials`."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("Proxy-Authorization") != "Basic " + base64.b64encode(credentials.encode()).decode():
            send(handler, 407, Proxy_Authenticate='Basic realm="proxy"')
            return
        with socket.create_connection(("127.0.0.1", target)) as upstream:
            if handler.command == "CONNECT":
                handler.send_response(200)
                handler.end_headers()
            else:
                upstream.sendall(f"GET {urlsplit(handler.path).path} HTTP/1.0\r\n\r\n".encode())
            threading.Thread(target=_copy, args=(handler.connection, upstream), daemon=True).start()
            _copy(upstream, handler.connection)
        handler.close_connection = True

    return answer


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
