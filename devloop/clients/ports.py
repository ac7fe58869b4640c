"""Ports of this machine: free ones on loopback, and the processes that use a port."""

import contextlib
import errno
import socket

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Different ports that are free now; another process may take them."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) for _ in range(count)]
        for item in sockets:
            item.bind((LOOPBACK, 0))
        return [item.getsockname()[1] for item in sockets]


def is_free(port: int, address: str = LOOPBACK) -> bool:
    return not bind_error(address, port, "TCP")


def listens(pid: int, port: int) -> bool:
    """Whether this process of the user listens on the port."""
    import psutil

    with contextlib.suppress(psutil.Error):
        connections = psutil.Process(pid).net_connections("tcp4") if pid else []
        return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)
    return False


def bind_error(address: str, port: int, protocol: str) -> str:
    """Why no server can listen there now, '' if one can; `protocol` is TCP, UDP or SCTP.

    Privileged ports count as free: the container engine is the one that listens.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol.upper() == "UDP" else socket.SOCK_STREAM
    with socket.socket(family, kind) as item:
        if kind is socket.SOCK_STREAM:
            # As servers do: ignore connections in TIME_WAIT.
            item.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            item.bind((address, port))
        except OSError as error:
            return "" if error.errno == errno.EACCES else (error.strerror or "").lower()
    return ""


def port_holder(port: int) -> str:
    """'nginx (process 123)' for the process that listens there, '' if this user cannot see it."""
    import psutil

    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("inet"):
            if connection.pid and connection.laddr and connection.laddr.port == port and not connection.raddr:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
