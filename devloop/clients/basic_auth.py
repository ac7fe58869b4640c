"""Basic authentication, https://www.rfc-editor.org/rfc/rfc7617."""

from __future__ import annotations

import base64


def authorization(username: str, password: str) -> str:
    """The value of the header `Authorization`."""
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"
