"""Why a download failed: a reason for programs and a line for people, without paths, queries or credentials of a URL."""

from __future__ import annotations

import ssl
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse


class Reason(Enum):
    """What went wrong. The values are for messages and reports."""

    NOT_FOUND = "not-found"
    DENIED = "denied"
    RATE_LIMITED = "rate-limited"
    NO_NETWORK = "no-network"
    TIMED_OUT = "timed-out"
    SERVER_ERROR = "server-error"
    CUT_OFF = "cut-off"
    WRONG_DIGEST = "wrong-digest"
    TOO_MANY_REDIRECTS = "too-many-redirects"
    INSECURE_REDIRECT = "insecure-redirect"
    UNTRUSTED = "untrusted"
    TOO_LARGE = "too-large"
    UNUSABLE = "unusable"
    """It arrived, but is not what it should be: a damaged archive, a missing member, an unknown format."""


# The same request may succeed a little later. Without a network the next channel is quicker.
PASSING = frozenset({Reason.RATE_LIMITED, Reason.TIMED_OUT, Reason.SERVER_ERROR, Reason.CUT_OFF})

_STATUS = {
    401: Reason.DENIED,
    403: Reason.DENIED,
    404: Reason.NOT_FOUND,
    407: Reason.DENIED,
    408: Reason.TIMED_OUT,
    410: Reason.NOT_FOUND,
    416: Reason.CUT_OFF,
    429: Reason.RATE_LIMITED,
}


_PROXY_DENIES = "the proxy denies access (407): check the user and the password in HTTPS_PROXY"


class DownloadFailed(Exception):
    """The message fits in one line. `status` is that of the answer, if there was one; `retry_after` what the server asks for, in seconds;
    `challenge` its WWW-Authenticate header."""

    def __init__(self, reason: Reason, message: str, *, status: int = 0, retry_after: float | None = None, challenge: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.challenge = challenge


def from_answer(host: str, answer: BaseHTTPResponse) -> DownloadFailed:
    """The failure that a status other than 2xx stands for."""
    reason = _STATUS.get(answer.status, Reason.SERVER_ERROR if answer.status >= 500 else Reason.DENIED)
    words = f"{host} answers {answer.status} {answer.reason or ''}".strip()
    if answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        words = _PROXY_DENIES
    seconds = _retry_after(answer)
    return DownloadFailed(
        reason,
        f"{words}, try again in {seconds:.0f} s" if seconds else words,
        status=answer.status,
        retry_after=seconds,
        challenge=answer.headers.get("WWW-Authenticate", ""),
    )


def _retry_after(answer: BaseHTTPResponse) -> float | None:
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    try:
        return Retry().get_retry_after(answer)
    except InvalidHeader:
        return None


def from_error(host: str, error: Exception) -> DownloadFailed:
    """The failure that an exception of urllib3 stands for."""
    from urllib3 import exceptions

    if isinstance(error, exceptions.ProxyError):
        return _from_proxy(error)
    if isinstance(error, exceptions.SSLError):
        return _from_tls(host, error)
    if isinstance(error, exceptions.ConnectTimeoutError):
        return DownloadFailed(Reason.NO_NETWORK, f"cannot connect to {host}: {_detail(error)}")
    if isinstance(error, exceptions.TimeoutError):
        return DownloadFailed(Reason.TIMED_OUT, f"{host} does not answer")
    if isinstance(error, exceptions.LocationValueError):
        return DownloadFailed(Reason.NOT_FOUND, "the URL is invalid")
    return DownloadFailed(Reason.CUT_OFF, f"{host} ended the connection early")


def _from_proxy(error: Exception) -> DownloadFailed:
    detail = _detail(error)
    if "407" in detail:
        return DownloadFailed(Reason.DENIED, _PROXY_DENIES, status=HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
    return DownloadFailed(Reason.NO_NETWORK, f"the proxy does not connect: {detail}")


def _from_tls(host: str, error: Exception) -> DownloadFailed:
    cause = _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return DownloadFailed(Reason.UNTRUSTED, f"the certificate of {host} is not trusted: {cause.verify_message}")
    return DownloadFailed(Reason.CUT_OFF, f"{host} ended the TLS connection: {_detail(error)}")


def _detail(error: Exception) -> str:
    """The system's own words."""
    cause = _cause(error)
    text = (isinstance(cause, OSError) and cause.strerror) or str(cause)
    return text[:1].lower() + text[1:]


def _cause(error: Exception) -> BaseException:
    """The innermost exception, which urllib3 wraps."""
    found: BaseException = error
    while inner := found.__cause__ or found.__context__ or next((each for each in found.args if isinstance(each, Exception)), None):
        found = inner
    return found
