"""Sandboxes running: one or several in a process, each on its own port of 127.0.0.1, in a background thread."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from bridge.sandbox.admin import admin, malformed
from bridge.sandbox.door import Door
from bridge.sandbox.ehr import Ehr, Settings
from bridge.sandbox.faults import Plan
from bridge.sandbox.wire import Protocol

HOST = "127.0.0.1"
PATIENCE = 10.0  # seconds to wait for a server to start or stop


class Sandbox:
    """One EHR with its application: FHIR under `/fhir`, the sandbox's own address under `/_sandbox`."""

    def __init__(self, shape: str, settings: Settings | None = None) -> None:
        self.ehr = Ehr(shape, settings or Settings())
        self.door = Door(self.ehr)
        self.app = FastAPI(title=self.ehr.shape.title, openapi_url=None, docs_url=None, redoc_url=None)
        self.app.add_exception_handler(RequestValidationError, malformed)
        self.app.include_router(admin(self.ehr))
        self.app.mount("/fhir", self.door)


class _Server(uvicorn.Server):
    """Ends every wait of the sandbox before uvicorn waits for its connections."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._door = sandbox.door
        super().__init__(
            uvicorn.Config(
                sandbox.app,
                http=Protocol,
                loop="asyncio",
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="warning",
                server_header=False,
                timeout_graceful_shutdown=2,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """The server stops, without waiting for faults that are waiting."""
        self._door.closing.set()
        await super().shutdown(sockets)


class Running:
    """A sandbox that answers; stops at the end of a `with` or by `stop`."""

    def __init__(self, sandbox: Sandbox, port: int) -> None:
        listener = _listener(port)
        self.ehr = sandbox.ehr
        self.port: int = listener.getsockname()[1]
        self.base_url = f"http://{HOST}:{self.port}/fhir"
        self.admin_url = f"http://{HOST}:{self.port}/_sandbox"
        self._server = _Server(sandbox)
        self._thread = threading.Thread(target=self._run, args=(listener,), name=f"sandbox-{self.port}", daemon=True)
        self._thread.start()
        self._await(lambda: self._server.started)

    def stop(self) -> None:
        """The port is free; further calls do nothing."""
        self._server.should_exit = True
        self._thread.join(PATIENCE)

    def __enter__(self) -> Self:
        """This sandbox, running."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """It is stopped."""
        self.stop()

    def _run(self, listener: socket.socket) -> None:
        with listener:
            asyncio.run(self._server.serve([listener]))

    def _await(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.002)


def _listener(port: int) -> socket.socket:
    # With the protocol named, unlike socket.create_server: asyncio sets TCP_NODELAY only on connections that say TCP,
    # and without it each answer with a body waits about 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener


def start(
    shape: str,
    port: int = 0,
    *,
    bearer: str | None = None,
    visibility_delay: float = 0.0,
    site: dict[str, Any] | None = None,
    faults: Plan | None = None,
    smart: dict[str, str] | None = None,
    secrets: dict[str, str] | None = None,
    token_seconds: int = 300,
) -> Running:
    """A sandbox of this shape (a name, or a file) answers on 127.0.0.1; port 0 takes a free one.

    `visibility_delay` are seconds until a search sees a write, `site` overrides what the shape leaves to a site,
    `faults` is a seeded schedule. `smart` (client → address of its key set) and `secrets` (client → secret) are the
    clients that may sign in, and then everybody must; `token_seconds` a token lasts. `ShapeError` when the shape cannot
    be used, `OSError` when the port cannot.
    """
    settings = Settings(bearer, visibility_delay, site or {}, faults)
    settings = replace(settings, smart=smart or {}, secrets=secrets or {}, token_seconds=token_seconds)
    return Running(Sandbox(shape, settings), port)


def serve(
    shape: str,
    port: int = 0,
    *,
    bearer: str | None = None,
    visibility_delay: float = 0.0,
    site: dict[str, Any] | None = None,
    faults: Plan | None = None,
    smart: dict[str, str] | None = None,
    ready: Callable[[Running], None] = lambda running: None,
) -> None:
    """As `start`, until SIGTERM or SIGINT (of the main thread's); `ready` is called once it answers."""
    asked = threading.Event()
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with start(
            shape, port, bearer=bearer, visibility_delay=visibility_delay, site=site, faults=faults, smart=smart
        ) as running:
            ready(running)
            asked.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
