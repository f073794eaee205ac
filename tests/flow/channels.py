"""Where a person's words could come out of the bridge, and the scan over it.

A channel is a function over a finished `Run`: every place it has, with the bytes that left there. `sightings` looks for
marks in all of them, also where they are encoded. What nobody reads here is no channel: `test_canary` compares these
functions with the doors, pages, commands and columns there are.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import logging
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from sqlalchemy import LargeBinary, MetaData, select

from bridge import log
from bridge.errors import BridgeError, Problem
from bridge.model import Answer, Finding, Hold
from bridge.store import tables
from bridge.store.ledger import get_blobs
from tests.flow.pilot import Pilot
from tests.flow.tap import Tap

Sight = tuple[str, bytes]
MARK = re.compile(rb"qz7([a-z]+)([0-9]+)x")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{20,}={0,2}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_HEX = re.compile(rb"(?:[0-9a-f]{2}){10,}")


@dataclass(slots=True)
class Heard:
    """What was heard while the bridge ran: (place, text) pairs, and what was asked of which door."""

    logged: list[tuple[str, str]] = field(default_factory=list)
    lines: set[tuple[str, str]] = field(default_factory=set)
    said: list[tuple[str, str]] = field(default_factory=list)
    shapes: list[tuple[str, str]] = field(default_factory=list)
    answers: list[tuple[str, bytes]] = field(default_factory=list)
    pages: list[tuple[str, bytes]] = field(default_factory=list)
    forms: list[tuple[str, bytes]] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    figures: list[tuple[str, str]] = field(default_factory=list)
    cells: set[Sight] = field(default_factory=set)  # what stood in the ledger's columns for a while
    doors: set[tuple[str, str]] = field(default_factory=set)  # method and path template of every request
    errors: list[BaseException] = field(default_factory=list)

    def raised(self, error: BaseException) -> None:
        """An exception that somebody could print: how our own values in its frames print; the words of an error of ours
        are heard when it is made, a library's are its own and must go no further."""
        self.errors.append(error)
        seen: set[int] = set()
        link: BaseException | None = error
        while link is not None and id(link) not in seen:
            seen.add(id(link))
            for name, value in frames(link.__traceback__):
                self.shapes.append((f"{type(value).__module__}.{type(value).__qualname__}", f"{name}={value!r}"))
            link = link.__cause__ or link.__context__


def frames(trace: TracebackType | None) -> Iterator[tuple[str, Any]]:
    """Every local that is a value of ours, of each frame; plain dicts and strings are what Python's memory holds."""
    while trace is not None:
        for name, value in trace.tb_frame.f_locals.items():
            values = value if isinstance(value, list | tuple) else [value]
            yield from ((name, one) for one in values if type(one).__module__.startswith("bridge."))
        trace = trace.tb_next


@dataclass(frozen=True, slots=True)
class Run:
    """A campaign that is over: the open project, the lines to its EHRs, what was heard."""

    pilot: Pilot
    taps: dict[str, Tap]
    heard: Heard


@dataclass(frozen=True, slots=True)
class Sighting:
    """A mark where it was found."""

    mark: str
    kind: str
    channel: str
    place: str


# ── the scan ──────────────────────────────────────────────────────────────────────────────────────────────────────
def sightings(run: Run, channels: Iterable[str] = (), literals: dict[bytes, str] | None = None) -> set[Sighting]:
    """Every mark in these channels, all of them where none is named. `literals` are texts that stand for a mark."""
    found = set()
    for channel in channels or CHANNELS:
        seen: dict[bytes, set[tuple[str, str]]] = {}  # the same text comes again in many places
        for place, content in CHANNELS[channel](run):
            if content not in seen:
                seen[content] = marks_in(content, literals or {})
            found |= {Sighting(mark, kind, channel, place) for mark, kind in seen[content]}
    return found


def marks_in(content: bytes, literals: dict[bytes, str]) -> set[tuple[str, str]]:
    """The marks in a content and in what it holds encoded: (mark, its kind)."""
    found = set()
    for view in views(content, (b"qz7", *literals)):
        small = view.lower()
        found |= {(match[0].decode(), match[1].decode()) for match in MARK.finditer(small)}
        found |= {(text.decode(), kind) for text, kind in literals.items() if text.lower() in small}
    return found


def views(content: bytes, sought: tuple[bytes, ...]) -> Iterator[bytes]:
    """The content as it is, without the zeros of UTF-16, and what of it is base64, hexadecimal or zlib and may hold
    what is sought."""
    yield content
    if b"\0" in content:
        yield content.replace(b"\0", b"")
    whole = content.translate(_URL_SAFE)
    inside = [core for text in sought for core in cores(text) if core in whole]
    for part in _BASE64.finditer(content) if inside else ():
        coded = part[0].rstrip(b"=").translate(_URL_SAFE)
        for skip in range(4) if any(core in coded for core in inside) else ():
            with contextlib.suppress(binascii.Error):
                yield base64.b64decode(coded[skip:] + b"=" * (-len(coded[skip:]) % 4))
    for part in _HEX.finditer(content.lower()):
        yield bytes.fromhex(part[0].decode())
    if content[:1] == b"\x78":
        with contextlib.suppress(zlib.error):
            yield zlib.decompress(content)


@cache
def cores(text: bytes) -> tuple[bytes, ...]:
    """What every base64 of something with this text in it has, wherever in it the text begins."""
    found = []
    for before in range(3):
        coded = base64.b64encode(bytes(before) + text)
        found.append(coded[-(-before * 8 // 6) : (len(text) + before) * 8 // 6])
    return tuple(found)


# ── the ledger ────────────────────────────────────────────────────────────────────────────────────────────────────
BLOBS = (
    (tables.record.c.raw_blob, "raw"),
    (tables.translation.c.parts_blob, "parts"),
    (tables.person.c.patient_blob, "patient"),
    (tables.step.c.request_blob, "request"),
    (tables.step.c.receipt_blob, "receipt"),
    (tables.link.c.value_blob, "link"),
    (tables.referral.c.raw_blob, "referral"),
)
"""What refers to encrypted content, and what is in it; what nothing refers to any more is "loose"."""


def ledger_content(run: Run) -> Iterator[Sight]:
    """Every encrypted blob, opened."""
    ledger = run.pilot.line.ledger
    with ledger.engine.connect() as connection:
        named = {number: name for column, name in BLOBS for number in connection.execute(select(column)).scalars()}
        everything = list(connection.execute(select(tables.blob.c.id)).scalars())
        for number, content in get_blobs(connection, ledger.keys, everything).items():
            yield named.get(number, "loose"), content


def ledger_columns(run: Run) -> Iterator[Sight]:
    """Every cell of every table but the encrypted ones, now and when it was looked at before."""
    yield from run.heard.cells | set(cells(run.pilot))


def cells(pilot: Pilot) -> Iterator[Sight]:
    """Every cell as it is now."""
    with pilot.line.ledger.engine.connect() as connection:
        for table, column in columns(tables.metadata):
            for value in connection.execute(select(tables.metadata.tables[table].c[column])).scalars():
                if value is not None:
                    yield f"{table}.{column}", value if isinstance(value, bytes) else str(value).encode()


def columns(metadata: MetaData) -> Iterator[tuple[str, str]]:
    """Table and name of every column that is not encrypted."""
    for table in metadata.sorted_tables:
        for column in table.c:
            if not (table is tables.blob and isinstance(column.type, LargeBinary)):
                yield table.name, column.name


def ledger_bytes(run: Run) -> Iterator[Sight]:
    """SQLite's files, whatever is left in them."""
    for path in sorted(run.pilot.folder.glob("ledger.sqlite*")):
        yield path.name.removeprefix("ledger."), path.read_bytes()


# ── the practices ─────────────────────────────────────────────────────────────────────────────────────────────────
def requests(run: Run) -> Iterator[Sight]:
    """Every request as it came over the wire: its URL, its headers, its body."""
    for name, tap in run.taps.items():
        for asked in tap.asked:
            what = f"{name} {asked.method} {asked.what}"
            yield f"{what} url", asked.target.encode()
            yield f"{what} headers", asked.headers.encode()
            yield f"{what} body", asked.body


def charts(run: Run) -> Iterator[Sight]:
    """Everything the EHRs hold that they did not hold before."""
    for name, tap in run.taps.items():
        for resource_type, content in tap.written():
            yield f"{name} {resource_type}", content


def handed(run: Run) -> Iterator[Sight]:
    """Every file in the folders that practices are handed documents in, and that pages were printed into."""
    for folder in ("handed", "printed"):
        for path in sorted((run.pilot.folder / folder).rglob("*")):
            if path.is_file():
                yield f"{folder} name", path.name.encode()
                yield f"{folder} content", path.read_bytes()


# ── the process ───────────────────────────────────────────────────────────────────────────────────────────────────
def texts(of: str) -> Callable[[Run], Iterator[Sight]]:
    """The channel of what was heard under this name."""

    def channel(run: Run) -> Iterator[Sight]:
        for place, content in getattr(run.heard, of):
            yield place, content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")

    channel.__doc__ = f"What was heard as {of}."
    return channel


def answer_files(run: Run) -> Iterator[Sight]:
    """The answers that stand beside watched files, and their names."""
    for path in run.heard.files:
        yield "name", path.name.encode()
        yield "content", path.read_bytes()


def temporary_files(run: Run) -> Iterator[Sight]:
    """What is left in the folder for temporary files."""
    for path in sorted((run.pilot.folder / TEMPORARY).rglob("*")):
        if path.is_file():
            yield path.suffix, path.read_bytes()


TEMPORARY = "temporary"
"""The folder, in the project's, that a campaign makes the process's own for temporary files."""

CHANNELS: dict[str, Callable[[Run], Iterator[Sight]]] = {
    "ledger-content": ledger_content,
    "ledger-columns": ledger_columns,
    "ledger-bytes": ledger_bytes,
    "requests": requests,
    "charts": charts,
    "handed": handed,
    "logs": texts("logged"),  # messages and fields of every logger, at the levels a bridge has with --log-level debug
    "stderr": texts("lines"),  # the lines written for every record of every logger at DEBUG, in both forms
    "errors": texts("said"),  # exceptions, problems, holds, findings, answers: whatever says something in words
    "shapes": texts("shapes"),  # how our own values print in a trace that shows locals
    "answers": texts("answers"),  # status, headers and body of every answer of the agencies' door, /health, /metrics
    "pages": texts("pages"),
    "forms": texts("forms"),  # answers to what people send from pages
    "commands": texts("commands"),
    "answer-files": answer_files,
    "temporary-files": temporary_files,
    "figures": texts("figures"),  # what `bridge demo` and the benches write as JSON
}


# ── listening ─────────────────────────────────────────────────────────────────────────────────────────────────────
class Listening(logging.Handler):
    """Hears every record of every logger, however a command configured logging meanwhile."""

    def __init__(self, heard: Heard) -> None:
        super().__init__(logging.DEBUG)
        self.heard = heard
        self.forms = (
            (log.Lines("json"), len('{"time": "2026-03-01T10:00:00.000')),
            (log.Lines("console"), len("10:00:00")),
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Its own words where a bridge would let them through; and the lines written for it, without their times."""
        if record.name == "bridge" or record.levelno >= logging.WARNING:
            fields = getattr(record, "fields", "")
            self.heard.logged.append((record.name, f"{record.getMessage()} {fields}"))
        for form, begins in self.forms:
            self.heard.lines.add((record.name, form.format(record)[begins:]))

    def install(self) -> None:
        """From now on, at DEBUG for every logger there is."""
        log.configure("json", logging.DEBUG)
        root = logging.getLogger()
        root.handlers[:] = [self]
        root.setLevel(logging.DEBUG)
        for logger in logging.root.manager.loggerDict.values():
            if isinstance(logger, logging.Logger):
                rows = logger.name.startswith("sqlalchemy")  # at DEBUG it logs each row it reads: 150,000 here
                logger.setLevel(logging.INFO if rows else logging.DEBUG)
                logger.disabled = False


def listen(heard: Heard, patch: pytest.MonkeyPatch) -> Listening:
    """Every log record, every value that says something in words, every error that is logged is heard from now on."""
    told = log.failure

    def failure(name: str, error: BaseException, /, **fields: object) -> None:
        heard.raised(error)
        told(name, error, **fields)

    patch.setattr(log, "failure", failure)
    for shape in (Problem, Hold, Finding, Answer, BridgeError):
        hear(shape, heard, patch)
    listening = Listening(heard)
    listening.install()
    return listening


def hear(shape: type, heard: Heard, patch: pytest.MonkeyPatch) -> None:
    """Every value of this type is heard when it is made: each of its fields for itself."""
    made: Any = vars(shape)["__init__"]

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        if isinstance(self, BridgeError):
            heard.said.append((type(self).__name__, f"{self}\n{self!r}"))
            heard.errors.append(self)
            return
        for name in shape.__dataclass_fields__:  # type: ignore[attr-defined]
            heard.said.append((f"{shape.__name__}.{name}", str(getattr(self, name))))

    patch.setattr(shape, "__init__", init)
