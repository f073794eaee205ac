"""Our key set served where sandbox EHRs read it, as `bridge serve` serves it; the server can be away."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bridge.fhir.keyset import MAX_AGE, key_set
from bridge.moves import signing
from bridge.store.ledger import Ledger


@dataclass
class KeyServer:
    """What it serves: the keys of the ledger, once there is one, kept `max_age` seconds; `served` times so far."""

    url: str = ""
    ledger: Ledger | None = None
    away: bool = False
    max_age: int = MAX_AGE
    served: int = 0


@contextmanager
def published() -> Iterator[KeyServer]:
    """A server of our test keys on this machine."""
    keys = KeyServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys.served += 1
            good = keys.ledger is not None and not keys.away
            body = key_set(signing.keys(keys.ledger), "test") if keys.ledger is not None else b""
            self.send_response_only(200 if good else 503)
            self.send_header("Cache-Control", f"public, max-age={keys.max_age}")
            self.send_header("Content-Length", str(len(body) if good else 0))
            self.end_headers()
            self.wfile.write(body if good else b"")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    keys.url = f"http://127.0.0.1:{server.server_address[1]}/.well-known/jwks/test.json"
    try:
        yield keys
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def bearers(headers: str) -> list[str]:
    """The access tokens in a request's headers."""
    return re.findall(r"(?im)^authorization:\s*bearer\s+(\S+)", headers)
