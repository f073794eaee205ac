"""A slow wire to an EHR: a create arrives some time after it left, whether or not its sender still waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.flow.campaign.sites import Site


@contextmanager
def slow_wire(site: Site, seconds: float) -> Iterator[str]:
    """The FHIR base of the site at the other end of such a wire."""
    host, port = site.base.removeprefix("http://").removesuffix("/fhir").split(":")
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    bases: list[str] = []

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        with suppress(ConnectionError):
            await asyncio.gather(carry(reader, back, seconds), carry(there, writer, 0))
        for end in (back, writer):
            end.close()

    async def serve() -> None:
        server = await asyncio.start_server(connection, "127.0.0.1", 0)
        bases.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/fhir")
        ready.set()
        async with server:
            await over.wait()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop), return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run, name=f"wire-{port}", daemon=True)
    thread.start()
    try:
        assert ready.wait(10)
        yield bases[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)


async def carry(source: asyncio.StreamReader, to: asyncio.StreamWriter, seconds: float) -> None:
    """What comes from one end reaches the other; a create `seconds` later."""
    while data := await source.read(65_536):
        if seconds and data.startswith(b"POST ") and b"/_search" not in data.partition(b"\r\n")[0]:
            await asyncio.sleep(seconds)
        to.write(data)
        with suppress(ConnectionError):
            await to.drain()
    with suppress(OSError):
        to.write_eof()
