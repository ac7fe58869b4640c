"""Ports of this machine: free ones on loopback, and who has one that is taken."""

from __future__ import annotations

import contextlib
import errno
import socket

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on now; whoever wants one should take it soon."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for item in sockets:
            item.bind((LOOPBACK, 0))
        return [item.getsockname()[1] for item in sockets]
    finally:
        for item in sockets:
            item.close()


def is_free(port: int, address: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    return not bind_error(address, port, "TCP")


def listens(pid: int, port: int) -> bool:
    """Whether just that process, one of this user's, has a server there."""
    import psutil

    try:
        connections = psutil.Process(pid).net_connections("tcp4") if pid else []
    except psutil.Error:
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)


def bind_error(address: str, port: int, protocol: str) -> str:
    """Why no server could listen there now, '' where one could; `protocol` is TCP, UDP or SCTP.

    A port that only root may listen on counts as free: the container engine is the one that listens.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol.upper() == "UDP" else socket.SOCK_STREAM
    with socket.socket(family, kind) as item:
        if kind is socket.SOCK_STREAM:
            # As servers do it: connections that ended a moment ago do not count.
            item.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            item.bind((address, port))
        except OSError as error:
            return "" if error.errno == errno.EACCES else (error.strerror or "").lower()
    return ""


def port_holder(port: int) -> str:
    """'nginx (process 123)' for who listens there, '' where this user may not know."""
    import psutil

    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("inet"):
            if connection.pid and connection.laddr and connection.laddr.port == port and not connection.raddr:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
