"""`python -m benchmarks.bandwidth MEGABYTES PORT:TARGET...`: forwards loopback ports to others at one rate for all of them together."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Coroutine
from functools import partial

CHUNK = 64 * 1024


class Line:
    """`rate` in bytes per second, shared by everything that is sent."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._free_at = 0.0

    async def send(self, size: int) -> None:
        """Wait until `size` more bytes have passed."""
        self._free_at = max(self._free_at, time.monotonic()) + size / self._rate
        await asyncio.sleep(self._free_at - time.monotonic())


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: Line) -> None:
    try:
        while data := await reader.read(CHUNK):
            await line.send(len(data))
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def _forward(line: Line, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    inner, outer = await asyncio.open_connection("127.0.0.1", target)
    await asyncio.gather(_copy(reader, outer, line), _copy(inner, writer, line))


async def _serve(rate: float, ports: list[tuple[int, int]]) -> None:
    line = Line(rate)
    servers = [await asyncio.start_server(partial(_forward, line, target), "127.0.0.1", port) for port, target in ports]
    waits: list[Coroutine[None, None, None]] = [server.serve_forever() for server in servers]
    await asyncio.gather(*waits)


if __name__ == "__main__":
    pairs = [tuple(map(int, pair.split(":"))) for pair in sys.argv[2:]]
    asyncio.run(_serve(float(sys.argv[1]) * 1e6, [(port, target) for port, target in pairs]))
