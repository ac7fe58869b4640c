"""A Git server: `git http-backend` over smart HTTP with basic authentication, the same for every provisioner.

This file also runs in a container without devloop, so it imports only the standard library.
`python git_server.py CREDENTIALS FOLDER PORT` serves the repository in FOLDER; CREDENTIALS is a JSON file: user -> password.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from pathlib import Path
from socketserver import TCPServer
from typing import IO

REPOSITORY = "devloop.git"
PUSHER, PULLER = "devloop", "flux"  # only the first may push
CHUNK = 1 << 16
LONGEST_LINE = 1 << 12

# The services of smart HTTP (https://git-scm.com/docs/http-protocol). The files of the dumb protocol are not served.
FETCH, PUSH = "git-upload-pack", "git-receive-pack"

# No background garbage collection, whatever the user's Git configuration sets.
SETTINGS = {
    "safe.directory": "*",
    "http.receivepack": "true",
    "receive.denyNonFastForwards": "false",
    "receive.autogc": "false",
    "gc.auto": "0",
}


class Server(ThreadingHTTPServer):
    """Serves `folder`/REPOSITORY at `address`; `env` is the complete environment of Git."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], folder: Path, passwords: Mapping[str, str], env: Mapping[str, str]) -> None:
        super().__init__(address, Handler)
        self.passwords = passwords
        self.backend_env = {**env, "GIT_PROJECT_ROOT": str(folder), "GIT_HTTP_EXPORT_ALL": "1"}

    def server_bind(self) -> None:
        """Skips the base class's host name lookup, which can take seconds."""
        TCPServer.server_bind(self)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "devloop", ""
    timeout = 120  # seconds without a byte

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        service = query.removeprefix("service=")
        self._serve(path == f"/{REPOSITORY}/info/refs", service, query)

    def do_POST(self) -> None:
        self._serve(self.path.startswith(f"/{REPOSITORY}/"), self.path.removeprefix(f"/{REPOSITORY}/"), "")

    def _serve(self, is_known: bool, service: str, query: str) -> None:
        user = self._user()
        if not user:
            self._refuse(401, {"WWW-Authenticate": 'Basic realm="devloop"'})
        elif not is_known or service not in (FETCH, PUSH):
            self._refuse(404)
        elif service == PUSH and user != PUSHER:
            self._refuse(403)
        else:
            self._backend(user, query)

    def _user(self) -> str:
        """The authenticated user, or ''; comparisons take constant time."""
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True) if scheme.lower() == "basic" else b""
        except ValueError:
            given = b""
        passwords = self.server.passwords.items()
        return "".join(user for user, password in passwords if hmac.compare_digest(given, f"{user}:{password}".encode()))

    def _refuse(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def _backend(self, user: str, query: str) -> None:
        """Run Git for this request; streams its input and output in parallel, without buffering either."""
        pipe = subprocess.PIPE
        with subprocess.Popen(["git", "http-backend"], env=self._cgi(user, query), stdin=pipe, stdout=pipe) as backend:
            assert backend.stdin
            assert isinstance(backend.stdout, BufferedReader)
            feeder = threading.Thread(target=self._feed, args=(backend.stdin,))
            feeder.start()
            try:
                self._relay(backend.stdout)
                backend.wait()
            except OSError:
                self.close_connection = True
            finally:
                backend.kill()
                feeder.join()

    def _cgi(self, user: str, query: str) -> dict[str, str]:
        """CGI variables (RFC 3875) without CONTENT_LENGTH, which may be unknown: Git then reads to the end. Git also decompresses gzip."""
        return self.server.backend_env | {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": self.path.partition("?")[0],
            "QUERY_STRING": query,
            "REMOTE_USER": user,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }

    def _feed(self, stdin: IO[bytes]) -> None:
        # If the body ends early or Git stops reading, the connection cannot be reused.
        try:
            with stdin:
                for part in self._body():
                    stdin.write(part)
        except (OSError, ValueError):
            self.close_connection = True

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            yield from self._read(int(self.headers.get("Content-Length") or 0))
            return
        while size := int(self.rfile.readline(LONGEST_LINE).partition(b";")[0], 16):
            yield from self._read(size)
            self.rfile.readline(LONGEST_LINE)
        while self.rfile.readline(LONGEST_LINE).strip():
            """Skip trailers."""

    def _read(self, size: int) -> Iterator[bytes]:
        while size > 0:
            part = self.rfile.read(min(size, CHUNK))
            if not part:
                raise ConnectionError("the request ended early")
            size -= len(part)
            yield part

    def _relay(self, stdout: BufferedReader) -> None:
        """The backend's headers, then its body in chunks."""
        headers = dict(line.decode().split(": ", 1) for line in iter(lambda: stdout.readline().strip(), b""))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while part := stdout.read1(CHUNK):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")


def git_env(env: Mapping[str, str]) -> dict[str, str]:
    """`env` for Git with only our SETTINGS, without system or user configuration."""
    result = {**env, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_COUNT": str(len(SETTINGS))}
    for number, (key, value) in enumerate(SETTINGS.items()):
        result |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return result


def serve(address: tuple[str, int], folder: Path, passwords: Mapping[str, str], env: Mapping[str, str]) -> None:
    """Create the repository if it is missing and serve it until the process ends."""
    settings = git_env(env)
    command = ["git", "init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(folder / REPOSITORY)]
    subprocess.run(command, env=settings, check=True)
    with Server(address, folder, passwords, settings) as server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    # Listens on all addresses: the container publishes the port only on the host's loopback.
    credentials = json.loads(Path(sys.argv[1]).read_text())
    serve(("", int(sys.argv[3])), Path(sys.argv[2]), credentials, {"PATH": os.environ["PATH"], "HOME": "/tmp"})
