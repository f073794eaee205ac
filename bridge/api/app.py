"""The doors put together and served on loopback, beside the workers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from bridge import __version__
from bridge.api import intake, keys, metrics, problems, referrals
from bridge.console.app import console
from bridge.errors import ConfigError, Problem
from bridge.jobs.serve import Serve
from bridge.moves.line import Line

BACKLOG = 512


def create_app(line: Line, clock: Callable[[], int]) -> FastAPI:
    """The app over one line: agencies' door, operations, pages."""
    # An address with a slash too many is not answered: a redirect would repeat its query.
    app = FastAPI(title="Dyad Bridge", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.door = intake.Door.of(line, clock)
    problems.install(app)
    app.include_router(intake.routes)
    app.include_router(referrals.routes)
    app.include_router(metrics.router(line, clock))
    app.include_router(keys.router(line))
    app.mount("/console", console(line, clock))

    @app.get("/", include_in_schema=False)
    @app.get("/console", include_in_schema=False)
    def first() -> RedirectResponse:
        """People who type the address come to the pages."""
        return RedirectResponse("/console/", 303)

    return app


class Server(uvicorn.Server):
    """Uvicorn that leaves signals to whoever runs the loop: workers and doors stop together."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


def doors(line: Line, clock: Callable[[], int], host: str, port: int, ready: Callable[[str], None]) -> Serve:
    """What `jobs.serve.run` runs beside the workers: the doors, until the event is set or they break down.

    They listen from now on; `ready` is told the address once they answer. Requests under way are finished when they
    stop, as long as `limits.stop_seconds` allows. Raises ConfigError where nobody can listen there.
    """
    listening = listen(host, port)

    async def serve(stop: asyncio.Event) -> None:
        config = uvicorn.Config(
            create_app(line, clock),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=line.project.limits.stop_seconds,
        )
        server = Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        stopping = asyncio.create_task(stop.wait())
        while not server.started and not serving.done():
            await asyncio.sleep(0.02)
        if server.started:
            ready(address(listening))
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.should_exit = True
        await serving

    return serve


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. Raises ConfigError where that cannot be."""
    # With TCP named, unlike socket.create_server: asyncio sets TCP_NODELAY only on sockets that say so, and without it
    # each answer with a body waits about 40 ms for the client's delayed acknowledgement.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        rule = f"nobody can listen at {host}:{port} ({error.strerror or type(error).__name__})"
        step = "stop what listens there, or choose another port: `server.port`, or --port; 0 takes a free one"
        raise ConfigError(Problem("server-address", rule, "server", "port", step)) from None
    return listening


def address(listening: socket.socket) -> str:
    """`http://host:port` of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
