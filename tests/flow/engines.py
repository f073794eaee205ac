"""The other side of a hand-off, as practices have it: an interface engine's port that answers, refuses or is silent."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hl7

START, END = b"\x0b", b"\x1c\r"
Behaviour = Callable[[str, bytes], bytes | None]
"""(control id, message) → the framed answer, part of one, or None for silence."""


def acknowledged(code: str, errors: str = "") -> Behaviour:
    """Every message is answered with this code, and an error's code where one is given."""

    def answer(control: str, message: bytes) -> bytes:
        error = f"ERR|||{errors}^words of the engine\r" if errors else ""
        return START + f"MSH|^~\\&|E|E|B|B|20260301||ACK|1|P|2.5.1\rMSA|{code}|{control}\r{error}".encode() + END

    return answer


def silent(control: str, message: bytes) -> None:
    """Nothing is said."""
    return


def half(control: str, message: bytes) -> bytes:
    """The answer breaks off."""
    return (acknowledged("AA")(control, message) or b"")[:20]


def mistaken(control: str, message: bytes) -> bytes | None:
    """The answer is of another message."""
    return acknowledged("AA")("DB-ANOTHERMESSG", message)


class Engine:
    """Listens; `messages` are what it took, `behave` what it says of them."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.messages: list[hl7.Message] = []
        self.raw: list[bytes] = []
        self.behave: list[Behaviour] = []
        self.otherwise: Behaviour = acknowledged("AA")

    def take(self, message: bytes) -> bytes | None:
        """What is said of one message."""
        self.raw.append(message)
        read = hl7.parse(message.decode())
        self.messages.append(read)
        behave = self.behave.pop(0) if self.behave else self.otherwise
        return behave(str(read["MSH.F10"]), message)


@contextmanager
def engine(port: int = 0) -> Iterator[Engine]:
    """An interface engine at a port of this machine, any where none is named."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            said = b""
            self.request.settimeout(10)
            while not said.endswith(END):
                more = self.request.recv(65_536)
                if not more:
                    return
                said += more
            answer = found.take(said.removeprefix(START).removesuffix(END))
            if answer is not None:
                self.request.sendall(answer)
                self.request.close()
            else:
                self.request.settimeout(5)
                self.request.recv(1)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """The other side went away."""

    with Server(("127.0.0.1", port), Handler) as server:
        found = Engine(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
