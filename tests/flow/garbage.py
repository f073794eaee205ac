"""Answers no EHR should give: wrong JSON and types, giants, bombs, endless pages, other hosts, headers that are not.

Each is what a server writes on its socket, byte for byte, so that the whole of the client is asked too.
"""

from __future__ import annotations

import gzip
import json
import random
import socket
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from bridge.ehr.delivery import SYSTEM
from tests.unit.ehr.making import REFERENCE

STATUSES = (
    *(200, 200, 200, 201, 201, 202, 203, 204, 205, 206, 207, 226, 301, 302, 303, 307, 308, 400, 401, 403, 404, 409),
    *(410, 412, 418, 422, 428, 429, 500, 503),
)
ID = b'"id":"d-1"'
DOCUMENT = b'{"resourceType":"DocumentReference",%s,"status":"current","subject":{"reference":"Patient/p-1"}}' % ID
PATIENT = b'{"resourceType":"Patient","id":"p-1","active":true,"identifier":[{"system":"urn:x","value":"m-1"}]}'


def bundle(*resources: bytes, more: bytes = b"") -> bytes:
    """A searchset, with whatever else is to stand in it."""
    entries = b",".join(b'{"resource":' + one + b"}" for one in resources)
    return b'{"resourceType":"Bundle","type":"searchset","entry":[' + entries + b"]" + more + b"}"


def ours(type: bytes = b"DocumentReference", id: bytes = b'"d-3"', status: bytes = b"current") -> bytes:
    """A resource with the delivery reference that is looked for."""
    said = b'{"resourceType":"%s","id":%s,"status":"%s","identifier":[{"system":"%s","value":"%s"}]}'
    return said % (type, id, status, SYSTEM.encode(), REFERENCE.encode())


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "blank": b" \r\n\t",
    "a page": b"<html><title>Sign in</title><form action=/login>",
    "a document": DOCUMENT,
    "a patient": PATIENT,
    "patients": bundle(PATIENT),
    "documents": bundle(DOCUMENT),
    "cut": DOCUMENT[:40],
    "an array": b"[" + DOCUMENT + b"]",
    "a string": b'"DocumentReference"',
    "null": b"null",
    "a number": b"1e999",
    "not a number": b'{"resourceType":"DocumentReference","id":NaN,"x":Infinity}',
    "utf-16": DOCUMENT.decode().encode("utf-16"),
    "latin-1": b'{"resourceType":"DocumentReference","id":"d\xe9"}',
    "a byte order mark": b"\xef\xbb\xbf" + DOCUMENT,
    "lone surrogates": b'{"resourceType":"DocumentReference","id":"\\ud800"}',
    "deep": b'{"resourceType":' * 9000,
    "deep and whole": b"[" * 900 + b"]" * 900,
    "a key twice": b'{"resourceType":"Task","resourceType":"DocumentReference","id":"x","id":"../../Patient/p-9"}',
    "an id that climbs": b'{"resourceType":"DocumentReference","id":"../Patient/p-9"}',
    "an id with a line": b'{"resourceType":"DocumentReference","id":"a\\r\\nX-Evil: 1"}',
    "types that are not": b'{"resourceType":["DocumentReference"],"id":{"a":1},"meta":7,"subject":[],"identifier":{}}',
    "an outcome": b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing"}]}',
    "an outcome of anything": b'{"resourceType":"OperationOutcome","issue":[7,{"code":[1],"details":"x"}]}',
    "entries that are not": b'{"resourceType":"Bundle","type":"searchset","entry":[1,{"resource":7},{"resource":[]}]}',
    "links that are not": bundle(more=b',"link":[7,{"relation":"next"},{"relation":"next","url":9}]'),
    "a next elsewhere": bundle(more=b',"link":[{"relation":"next","url":"https://evil.example/fhir?x=1"}]'),
    "a next that climbs": bundle(more=b',"link":[{"relation":"next","url":"../../../etc/passwd"}]'),
    "a next for ever": bundle(
        DOCUMENT, more=b',"link":[{"relation":"next","url":"%(base)s/DocumentReference?page=1"}]'
    ),
    "a next that is relative": bundle(more=b',"link":[{"relation":"next","url":"DocumentReference?page=2"}]'),
    "a next by the scheme alone": bundle(more=b',"link":[{"relation":"next","url":"//evil.example/fhir?x=1"}]'),
    "a next at another door": bundle(more=b',"link":[{"relation":"next","url":"%(other)s/fhir/DocumentReference"}]'),
    "a next with a login": bundle(more=b',"link":[{"relation":"next","url":"http://127.0.0.1@evil.example/fhir"}]'),
    "no entries": b'{"resourceType":"Bundle","type":"searchset","entry":null,"total":"7","link":null}',
    "a total that is text": bundle(DOCUMENT, more=b',"total":"many"'),
    "a total without end": bundle(DOCUMENT, more=b',"total":1' + b"0" * 4000),
    "an id that is a number": b'{"resourceType":"DocumentReference","id":7}',
    "an id of nothing": b'{"resourceType":"DocumentReference","id":null,"meta":{"versionId":1}}',
    "an id with nothing in it": b'{"resourceType":"DocumentReference","id":"d\\u00001"}',
    "nothing in between": DOCUMENT.replace(b"d-1", b"d\x00-1"),
    "two ids": DOCUMENT.replace(ID, b'"id":"d-1","id":"d-2"'),
    "another id": DOCUMENT.replace(b"d-1", b"d-7"),
    "another type": b'{"resourceType":"Task","id":"d-1"}',
    "a mark and a page": b"\xef\xbb\xbf<html>",
    "a remark": b'{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational"}]}',
    "ours": ours(),
    "found": bundle(DOCUMENT, ours()),
    "found withdrawn": bundle(ours(status=b"entered-in-error")),
    "found of another type": bundle(ours(b"Task")),
    "found without an id": bundle(ours(id=b"3")),
    "found in a collection": bundle(ours()).replace(b"searchset", b"collection"),
    "larger than any": b" " * 11_000_000,
    "big": b'{"resourceType":"DocumentReference","x":"' + b"a" * 1_000_000 + b'"}',
}
HEADERS: dict[str, list[bytes]] = {
    "none": [],
    "a location": [b"Location: DocumentReference/d-1"],
    "a location elsewhere": [b"Location: https://evil.example/fhir/DocumentReference/d-1"],
    "a patient elsewhere": [b"Location: https://evil.example/fhir/Patient/p-2"],
    "a location that climbs": [b"Location: %(base)s/DocumentReference/../../Patient/p-9"],
    "many locations": [b"Location: DocumentReference/d-1", b"Location: DocumentReference/d-2"],
    "a location of another type": [b"Location: %(base)s/Task/d-1"],
    "a location at another door": [b"Location: %(other)s/fhir/DocumentReference/d-1"],
    "a location with a login": [b"Location: http://127.0.0.1@evil.example/fhir/DocumentReference/d-1"],
    "a location without a scheme": [b"Location: //evil.example/fhir/DocumentReference/d-1"],
    "a whole location": [b"Location: %(base)s/DocumentReference/d-1/_history/1"],
    "a location in the middle": [b"Location: DocumentReference/d-1\rX-Evil: 1"],
    "a location folded": [b"Location: DocumentReference/", b" d-1"],
    "a location with nothing in it": [b"Location: DocumentReference/d\x001"],
    "a location without end": [b"Location: DocumentReference/" + b"d" * 60_000],
    "a header without end": [b"X-Long: " + b"a" * 200_000],
    "where the content is": [b"Content-Location: DocumentReference/d-1"],
    "two lengths": [b"Content-Length: 3"],
    "two ways to end": [b"Transfer-Encoding: chunked"],
    "a version folded": [b'ETag: W/"2', b' X-Evil: 1"'],
    "a wait with a line": [b"Retry-After: 1\rX-Evil: 1"],
    "a version": [b'ETag: W/"2"'],
    "a version that is not": [b'ETag: W/"2" , "3\x0b'],
    "a long wait": [b"Retry-After: 99999999999999999999"],
    "a wait that is not": [b"Retry-After: Fri, 99 Foo 2026 99:99:99 GMT"],
    "a wait before": [b"Retry-After: -30"],
    "cookies": [b"Set-Cookie: a=b", b"Set-Cookie: c=d"],
    "another charset": [b"Content-Type: application/fhir+json; charset=utf-7"],
    "an unknown coding": [b"Content-Encoding: br"],
    "two codings": [b"Content-Encoding: gzip, gzip"],
    "folded": [b"X-A: a", b" b"],
    "long": [b"X-Long: " + b"a" * 30_000],
    "many": [b"X-%d: 1" % number for number in range(90)],
    "no name": [b": nothing"],
}
PACKED = (
    *("plain",) * 8, "gzip", "bomb", "deflate", "deflate bomb", "brotli", "gzip twice", "bomb twice", "gzip in gzip",
    "half", "chunked", "chunks that are not", "longer", "shorter", "hangs up",
)  # fmt: skip
BOMB = zlib.compressobj(9, wbits=31)
BOMBED = BOMB.compress(b" " * 60_000_000) + BOMB.flush()
"""60 KB that unpack to 60 MB."""

DEFLATED = zlib.compress(b" " * 60_000_000, 9)
CODINGS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "gzip": (b"gzip", gzip.compress),
    "bomb": (b"gzip", lambda content: BOMBED),
    "deflate": (b"deflate", zlib.compress),
    "deflate bomb": (b"deflate", lambda content: DEFLATED),
    "brotli": (b"br", lambda content: b"\x1b" + content[:999]),
    "gzip twice": (b"gzip, gzip", lambda content: gzip.compress(gzip.compress(content))),
    "bomb twice": (b"gzip, gzip", lambda content: gzip.compress(BOMBED)),
    "gzip in gzip": (b"gzip", lambda content: gzip.compress(gzip.compress(content))),
}
"""How what is sent is packed, and what the header says of it."""


@dataclass(frozen=True)
class Exchange:
    """One request, and the answer as it was written on the wire."""

    asked: str  # METHOD path
    body: bytes
    wire: bytes


@dataclass
class Garbler:
    """A server whose answers are drawn; it counts what it was asked, and what came with a token."""

    drawn: random.Random
    base: str = ""
    other: str = ""
    """Another door of the same machine, to which nothing may ever come."""
    asked: int = 0
    tokens: list[bytes] = field(default_factory=list)
    answered: dict[str, int] = field(default_factory=dict)
    chosen: Callable[[str, bytes], bytes | None] = lambda asked, body: None
    """The answer to some of the requests (`METHOD path` and its body), where it is not drawn."""
    heard: Callable[[Exchange], None] = lambda exchange: None
    """Is told of every exchange before its answer is written."""

    def answer(self, asked: str, sent: bytes) -> bytes:
        """What is written back."""
        given = self.chosen(asked, sent)
        wire = self.draw(self.drawn.choice(PACKED)) if given is None else given
        self.heard(Exchange(asked, sent, wire))
        return wire

    def draw(self, packed: str, bodies: Sequence[str] = tuple(BODIES)) -> bytes:
        """One answer, packed so, with one of these bodies."""
        status = self.drawn.choice(STATUSES)
        body, headers = self.drawn.choice(bodies), self.drawn.choice(list(HEADERS))
        self.answered[body] = self.answered.get(body, 0) + 1
        content = self.named(BODIES[body])
        lines = [b"HTTP/1.1 %d X" % status, *map(self.named, HEADERS[headers])]
        length: int | None = len(content)
        if packed in CODINGS:
            coding, pack = CODINGS[packed]
            content = pack(content)
            length = len(content)
            lines.append(b"Content-Encoding: " + coding)
        elif packed == "half":
            length = len(content) + 10_000
        elif packed.startswith("chunk"):
            lines.append(b"Transfer-Encoding: chunked")
            size = b"%x" % len(content) if packed == "chunked" else b"zz"
            content, length = size + b"\r\n" + content + b"\r\n0\r\n\r\n", None
        elif packed == "longer":
            content += b"HTTP/1.1 200 OK\r\n\r\n"
        elif packed == "shorter":
            length = max(0, len(content) - 5)
        elif packed == "hangs up":
            return b""
        if length is not None:
            lines.append(b"Content-Length: %d" % length)
        return b"\r\n".join(lines) + b"\r\n\r\n" + content

    def named(self, text: bytes) -> bytes:
        """With this server's own address in it."""
        return text.replace(b"%(base)s", self.base.encode()).replace(b"%(other)s", self.other.encode())


@contextmanager
def garbling(seed: int) -> Iterator[Garbler]:
    """A server that runs. Raises AssertionError where anybody came to the other door."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_server(("127.0.0.1", 0)) as door:
        base, other = (f"http://127.0.0.1:{one.getsockname()[1]}" for one in (listening, door))
        made = Garbler(random.Random(seed), f"{base}/fhir", other)
        stopping = threading.Event()

        def serve() -> None:
            while not stopping.is_set():
                with suppress(OSError):
                    connection, _ = listening.accept()
                    with connection:
                        connection.settimeout(2)
                        one(made, connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            stopping.set()
            with suppress(OSError), socket.create_connection(listening.getsockname(), 1):
                pass
            thread.join(5)
        door.setblocking(False)
        with suppress(BlockingIOError):
            door.accept()
            raise AssertionError("another door was asked")


def one(made: Garbler, connection: socket.socket) -> None:
    """One request is read and answered."""
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.recv(65_536)
        if not more:
            return
        head += more
    start, _, rest = head.partition(b"\r\n\r\n")
    lines = start.split(b"\r\n")
    length = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)
    while len(rest) < length:
        rest += connection.recv(65_536)
    made.asked += 1
    made.tokens += [line for line in lines if line.lower().startswith(b"authorization:")]
    method, path = lines[0].split(b" ")[:2]
    connection.sendall(made.answer(f"{method.decode()} {path.decode('latin-1')}", rest))


def whole(resource: object, status: int = 200, *headers: str) -> bytes:
    """A well-formed answer."""
    body = json.dumps(resource).encode()
    lines = [f"HTTP/1.1 {status} X", "Content-Type: application/fhir+json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\nConnection: close\r\n\r\n" + body
