"""A line to a sandbox EHR that hears every request as it comes over the wire, and can answer with what it was sent."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx

from bridge import sandbox
from bridge.model import type_json

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `what` is its path without ids, `target` the path with the query as it was sent."""

    method: str
    target: str
    what: str
    headers: str
    body: bytes


@dataclass
class Tap:
    """The line to one sandbox. `refuse` says for a request with which status its own words are sent back."""

    ehr: sandbox.Running
    asked: list[Asked] = field(default_factory=list)
    refuse: Callable[[Asked], int | None] = lambda asked: None
    base: str = ""

    def load(self, *resources: type_json) -> None:
        """The practice put these in."""
        httpx.post(f"{self.ehr.admin_url}/load", json=list(resources)).raise_for_status()

    def fault(self, **fault: Any) -> None:
        """The next requests meet this."""
        httpx.post(f"{self.ehr.admin_url}/faults", json=fault).raise_for_status()

    def stored(self, type: str) -> list[type_json]:
        """What the EHR holds of a type."""
        found = httpx.get(f"{self.ehr.admin_url}/resources", params={"type": type}).json()["resources"]
        return [item.get("resource", item) for item in found]

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Everything the EHR holds but its own Patients: type and JSON, every version kept."""
        for item in httpx.get(f"{self.ehr.admin_url}/resources").json()["resources"]:
            resource = item.get("resource", item)
            if resource["resourceType"] != "Patient":
                yield resource["resourceType"], json.dumps(item).encode()


@contextlib.contextmanager
def tapped(shape: str, **logins: Any) -> Iterator[Tap]:
    """A sandbox of this shape behind a tap, with the clients that may sign in there."""
    with sandbox.start(shape, **logins) as running:
        tap = Tap(running)
        server = ThreadingHTTPServer((HOST, 0), handler(tap))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        tap.base = f"http://{HOST}:{server.server_address[1]}/fhir"
        try:
            yield tap
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def handler(tap: Tap) -> type[BaseHTTPRequestHandler]:
    """What answers the requests of one tap."""
    behind = urlsplit(tap.ehr.base_url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.carry()

        def do_POST(self) -> None:
            self.carry()

        def do_PUT(self) -> None:
            self.carry()

        def carry(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            what = self.path.partition("?")[0].removeprefix("/fhir/")
            what = what if what.endswith("_search") else what.partition("/")[0]
            asked = Asked(self.command, self.path, what, str(self.headers), body)
            tap.asked.append(asked)
            status = tap.refuse(asked)
            if status is not None:
                self.answer(status, [("Content-Type", "application/fhir+json"), *echoing(body)], outcome(body))
                return
            there = http.client.HTTPConnection(HOST, behind.port, timeout=10)
            try:
                there.request(self.command, self.path, body or None, dict(self.headers))
                came = there.getresponse()
                kept = [
                    pair for pair in came.getheaders() if pair[0].lower() not in ("transfer-encoding", "connection")
                ]
                self.answer(came.status, kept, came.read())
            except (OSError, http.client.HTTPException):  # the sandbox cut the line, and so do we
                self.close_connection = True
            finally:
                there.close()

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() != "content-length":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: what a tap hears is the test's."""

    return Handler


def words(body: bytes) -> str:
    """What an unkind server quotes: the body, and the document in it."""
    try:
        resource = json.loads(body)
        data = resource["content"][0]["attachment"]["data"]
        return f"{base64.b64decode(data).decode()} {body.decode()}"
    except (ValueError, KeyError, IndexError, TypeError):
        return body.decode("utf-8", "replace")


def outcome(body: bytes) -> bytes:
    """An OperationOutcome that quotes what was sent, wherever it has room for words."""
    said = words(body)
    issues = [
        {
            "severity": "error",
            "code": "processing",
            "details": {"text": text, "coding": [{"code": text, "display": text}]},
            "diagnostics": text,
            "expression": [text, f"DocumentReference.{text}"],
            "location": [text],
        }
        for text in (said, *marked(said))
    ]
    return json.dumps({"resourceType": "OperationOutcome", "text": {"div": said}, "issue": issues}).encode()


def echoing(body: bytes) -> list[tuple[str, str]]:
    """Headers that quote what was sent."""
    said = " ".join(words(body).split()).encode("ascii", "replace").decode()[:4000]
    quoted = [("Warning", f'199 - "{said}"'), ("X-Said", said)]
    for mark in marked(said)[:1]:
        quoted += [("Location", f"/fhir/DocumentReference/{mark}/_history/{mark}"), ("ETag", f'W/"{mark}"')]
    return quoted


def marked(said: str) -> list[str]:
    """The marks in a text, as a server would quote one word."""
    return re.findall(r"qz7[a-z]+[0-9]+x", said)
