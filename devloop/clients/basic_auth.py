"""Basic authentication (RFC 7617)."""

import base64


def authorization(username: str, password: str) -> str:
    """The value of the `Authorization` header."""
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"
