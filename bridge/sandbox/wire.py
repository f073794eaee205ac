"""The connection itself: closed without an answer, reset, or cut in the middle of one.

ASGI has no such message, so the protocol hands each request its transport.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

TRANSPORT = "sandbox.transport"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Protocol(H11Protocol):
    """uvicorn's HTTP/1.1, with the connection's transport among the extensions of every request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """The connection's own application carries its transport."""
        super().connection_made(transport)
        app = self.app

        async def carrying(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = carrying


class Line:
    """One request's connection."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._transport: asyncio.Transport = scope["extensions"][TRANSPORT]
        self._receive = receive
        self.send = send

    async def cut(self, *, reset: bool = False) -> None:
        """The connection is gone, in good order or by a reset; returns when the server knows."""
        if reset:
            linger = struct.pack("ii", 1, 0)  # on, zero seconds: closing sends a reset
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._transport.abort()
        else:
            self._transport.close()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def half(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Half of the answer leaves, then the connection is gone; of an answer without a body, half its first line."""
        if body:
            await self.send({"type": "http.response.start", "status": status, "headers": headers})
            await self.send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        else:
            self._transport.write(b"HTTP/1.1 2")
        await self.cut()
