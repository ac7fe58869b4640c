"""Waits until a component answers, and gives up early, with its last words, when it keeps dying."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from devloop.clients.logs import tail
from devloop.errors import DevloopError
from devloop.provisioners.embedded import control
from devloop.provisioners.embedded.layout import Layout

PATIENCE = 120.0  # seconds; a cold start on a busy machine takes ten
PAUSE = 0.03
HOPELESS = 3  # restarts after which a component will not come up by itself


class NotYet(DevloopError):
    """It does not answer yet."""


def wait_for(layout: Layout, url: str, names: Sequence[str], *, credentials: str = "") -> None:
    """Until `url` answers with less than 500; `names` are the components that it takes, `credentials` a user of the PKI."""
    from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

    context = _context(layout, credentials) if credentials else None
    retrying = Retrying(wait=wait_fixed(PAUSE), stop=stop_after_delay(PATIENCE), retry=retry_if_exception_type(NotYet), reraise=True)
    retrying(_probe, layout, url, names, context)


def _context(layout: Layout, user: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(layout.pki / "ca.crt"))
    context.load_cert_chain(layout.pki / f"{user}.crt", layout.pki / f"{user}.key")
    return context


def _probe(layout: Layout, url: str, names: Sequence[str], context: ssl.SSLContext | None) -> None:
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port
    connection = (
        http.client.HTTPSConnection(host, port, timeout=5, context=context) if context else http.client.HTTPConnection(host, port, 5)
    )
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        if connection.getresponse().status < 500:
            return
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()
    _give_up_on_the_dying(layout, names)
    raise NotYet(f"{names[-1]} does not answer", hint=f"read {layout.log(names[-1])}")


def _give_up_on_the_dying(layout: Layout, names: Sequence[str]) -> None:
    for component in control.ask(layout, {"op": "status"})["components"]:
        name = component["name"]
        if name in names and component["restarts"] >= HOPELESS:
            raise DevloopError(
                f"{name} keeps ending (status {component['ended_with']}): {tail(layout.log(name), 3)}", hint=f"read {layout.log(name)}"
            )
