"""Where the doors listen, and what is said where they cannot."""

from __future__ import annotations

import asyncio
import socket

import pytest

from bridge.api import app
from bridge.api.app import address, listen
from bridge.errors import ConfigError
from tests.unit.api.opened import Opened


def test_port_0_takes_a_free_one_and_says_which() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP
        assert address(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(ConfigError) as caught:
            listen("127.0.0.1", listening.getsockname()[1])
    (problem,) = caught.value.problems
    assert problem.code == "server-address"
    assert "in use" in problem.rule


def test_an_address_of_the_newer_kind_is_written_in_brackets() -> None:
    try:
        listening = listen("::1", 0)
    except ConfigError:
        pytest.skip("this machine has no ::1")
    with listening:
        assert address(listening).startswith("http://[::1]:")


def test_the_doors_answer_until_they_are_told_to_stop(doors: Opened) -> None:
    told: list[str] = []

    async def run() -> bytes:
        stop = asyncio.Event()
        serving = asyncio.ensure_future(app.doors(doors.line, doors.clock, "127.0.0.1", 0, told.append)(stop))
        while not told:
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection(*told[0].removeprefix("http://").split(":"))
        writer.write(b"GET /health HTTP/1.1\r\nHost: bridge\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        stop.set()
        await serving
        return answer

    answer = asyncio.run(run())
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"server:" not in answer.lower()
