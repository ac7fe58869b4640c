"""The environment's Git server: real Git (`git http-backend`) over smart HTTP, on loopback, nothing without credentials.

Run as `python -m devloop.provisioners.embedded.git_server FOLDER PORT`. Two users: `flux` may fetch, `devloop` may fetch and push; their
passwords are in FOLDER/git-credentials.json.
"""

from __future__ import annotations

import base64
import gzip
import hmac
import json
import os
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

from devloop.clients import process

REPOSITORY = "devloop.git"
PUSHER, PULLER = "devloop", "flux"
CREDENTIALS = "git-credentials.json"
CHUNK = 1 << 16

# https://git-scm.com/docs/http-protocol: the whole of smart HTTP; the dumb protocol's files are not served.
FETCH, PUSH = "git-upload-pack", "git-receive-pack"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.folder = folder
        self.passwords: dict[str, str] = json.loads((folder / CREDENTIALS).read_text())


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        service = query.removeprefix("service=") if query.startswith("service=") else ""
        self._serve(path == f"/{REPOSITORY}/info/refs" and service in (FETCH, PUSH), service, query)

    def do_POST(self) -> None:
        service = self.path.removeprefix(f"/{REPOSITORY}/")
        self._serve(service in (FETCH, PUSH), service, "")

    def _serve(self, is_known: bool, service: str, query: str) -> None:
        user = self._user()
        if not user:
            self._refuse(401, ("WWW-Authenticate", 'Basic realm="devloop"'))
        elif not is_known:
            self._refuse(404)
        elif service == PUSH and user != PUSHER:
            self._refuse(403)
        else:
            self._backend(user, query)

    def _user(self) -> str:
        """Whose credentials these are, '' for nobody's; in constant time for each user."""
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True) if scheme.lower() == "basic" else b""
        except ValueError:
            given = b""
        found = ""
        for user, password in self.server.passwords.items():
            if hmac.compare_digest(given, f"{user}:{password}".encode()):
                found = user
        return found

    def _refuse(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def _backend(self, user: str, query: str) -> None:
        # The body's length may be unknown (chunked), which CGI has no word for: Git then reads to the end of its input.
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_PROJECT_ROOT": str(self.server.folder / "git"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self.server.folder / "git"),
            "PATH_INFO": self.path.partition("?")[0],
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "REMOTE_USER": user,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        backend = process.spawn(["git", "http-backend"], env=env, stdin=process.PIPE, stdout=process.PIPE)
        assert backend.stdin
        assert backend.stdout
        try:
            self._send_body(backend.stdin)
            backend.stdin.close()
            self._relay(backend.stdout)
        except (BrokenPipeError, ConnectionError, ValueError):
            self.close_connection = True
        finally:
            backend.kill()
            backend.wait()

    def _send_body(self, to: IO[bytes]) -> None:
        if self.headers.get("Content-Encoding") == "gzip":
            to.write(gzip.decompress(b"".join(self._body())))
            return
        for part in self._body():
            to.write(part)

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left > 0 and (part := self.rfile.read(min(left, CHUNK))):
            left -= len(part)
            yield part

    def _relay(self, source: IO[bytes]) -> None:
        """The backend's headers, then its body in chunks of our own."""
        status, headers = 200, []
        while line := source.readline().strip():
            name, _, value = line.decode().partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            else:
                headers.append((name, value))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while part := source.read1(CHUNK) if hasattr(source, "read1") else source.read(CHUNK):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name that http.server gives it)
        sys.stderr.write(f"{self.command} {self.path.partition('?')[0]} {args[1] if len(args) > 1 else ''}\n")


def ensure_repository(folder: Path) -> None:
    """The bare repository, with nothing in it that would run or clean up behind our back."""
    repository = folder / "git" / REPOSITORY
    if not (repository / "HEAD").exists():
        process.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", repository])
    settings = {"http.receivepack": "true", "receive.denyNonFastForwards": "false", "gc.auto": "0", "receive.autogc": "false"}
    for key, value in settings.items():
        process.run(["git", "-C", repository, "config", key, value])


def main(folder: Path, port: int) -> None:
    ensure_repository(folder)
    Server(folder, port).serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
