"""Logs by allow-list: an event's name and declared fields that are numbers or short codes. Nothing else gets out.

`event("record.accepted", agency="harbor", count=3)` is the only way to log. A field that is not declared in FIELDS, or
whose value is not what its declaration says, is written as "?". Other libraries' messages may quote what they were
given, so of their warnings only the place in their code is written; of exceptions only types and our own lines.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal

from bridge.errors import BridgeError

Kind = Literal["number", "code"]
Value = int | float | str | bool | tuple[str, ...]

NUMBERS = (
    "attempt", "bytes", "count", "entry", "epoch", "hold", "items", "lane", "link", "microseconds", "port", "position",
    "record", "run", "seconds", "status", "step", "workers",
)  # fmt: skip
CODES = (
    "action", "agency", "answer", "code", "codes", "connection", "engine", "fate", "interaction", "job", "kind",
    "mapping", "method", "pack", "practice", "program", "reason", "resource_type", "role", "route", "schedule",
    "settings", "state", "table", "vendor", "version", "worker",
)  # fmt: skip
FIELDS: Mapping[str, Kind] = {
    **dict.fromkeys(NUMBERS, "number"),
    **dict.fromkeys(CODES, "code"),
}
"""What may be logged. A new field is declared here, and is never one that a person's data can reach."""

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,63}")
HIDDEN = "?"
OURS = Path(__file__).resolve().parent
_logger = logging.getLogger("bridge")


def event(name: str, /, *, level: int = logging.INFO, **fields: object) -> None:
    """One line in the log, with what the allow-list lets pass."""
    if _logger.isEnabledFor(level):
        _logger.log(level, name, extra={"fields": {field: clean(field, value) for field, value in fields.items()}})


def failure(name: str, error: BaseException, /, **fields: object) -> None:
    """An error in the log: its type, its codes when it is ours, and our frames. No message, no values."""
    clean_fields = {field: clean(field, value) for field, value in fields.items()}
    _logger.error(name, extra={"fields": clean_fields | describe(error)})


def clean(field: str, value: object) -> Value:
    """`value` when the allow-list lets it pass under this name, else "?"."""
    kind = FIELDS.get(field)
    if kind == "number" and isinstance(value, int | float):
        return value
    if kind == "code" and (isinstance(value, bool) or (isinstance(value, str) and CODE.fullmatch(value))):
        return value
    if kind == "code" and isinstance(value, tuple):
        return tuple(str(clean(field, item)) for item in value)
    return HIDDEN


def describe(error: BaseException) -> dict[str, Value]:
    """Type, codes and our own frames of an error, safe to show anywhere."""
    shown: dict[str, Value] = {"error": type(error).__name__}
    if isinstance(error, BridgeError):
        shown["codes"] = tuple(problem.code for problem in error.problems)
    if error.__cause__ is not None:
        shown["cause"] = type(error.__cause__).__name__
    frames = traceback.extract_tb(error.__traceback__)
    shown["frames"] = tuple(place for frame in frames if (place := our_place(frame.filename, frame.lineno, frame.name)))
    return shown


def where(error: BaseException) -> str:
    """The error's class and the last line of ours that it passed: `KeyError at bridge/log.py:12 event`."""
    frames = describe(error)["frames"]
    last = frames[-1] if isinstance(frames, tuple) and frames else ""
    return f"{type(error).__name__} at {last}" if last else type(error).__name__


def our_place(filename: str, line: int | None, function: str) -> str:
    """`bridge/log.py:12 event` for a line of ours, else nothing."""
    path = Path(filename)
    return f"{path.relative_to(OURS.parent).as_posix()}:{line} {function}" if path.is_relative_to(OURS) else ""


class Lines(logging.Formatter):
    """Our records with their fields; of anybody else's, only who and where. As JSON lines or for a terminal."""

    def __init__(self, form: Literal["json", "console"]) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        name, fields = self._content(record)
        if self._form == "json":
            head = {"time": at.isoformat(timespec="milliseconds"), "level": record.levelname.lower(), "event": name}
            return json.dumps(head | fields, default=lambda _: HIDDEN)
        told = " ".join(
            f"{field}={value if not isinstance(value, tuple) else ','.join(value)}" for field, value in fields.items()
        )
        return f"{at:%H:%M:%S} {record.levelname.lower():8}{name} {told}".rstrip()

    def _content(self, record: logging.LogRecord) -> tuple[str, dict[str, Value]]:
        if record.name == _logger.name:
            fields: dict[str, Value] = getattr(record, "fields", {})
            return record.msg if isinstance(record.msg, str) and CODE.fullmatch(record.msg) else HIDDEN, fields
        fields = {"logger": record.name, "place": f"{Path(record.pathname).name}:{record.lineno}"}
        if record.exc_info and record.exc_info[1]:
            fields |= describe(record.exc_info[1])
        return "library", fields


class StandardError(logging.Handler):
    """Writes to whatever standard error is at the moment, and never prints a record that it could not write."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - logging's own answer would print the message; a lost line is better
            return


def configure(form: Literal["json", "console"] = "console", level: int = logging.INFO) -> None:
    """Logs go to standard error in this form, libraries' from WARNING on; unhandled errors by type and place."""
    handler = StandardError()
    handler.setFormatter(Lines(form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    _logger.setLevel(level)
    for name in ("httpx", "httpcore"):  # at INFO they write whole URLs, searches for patients among them
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)  # else Python prints them itself, and their texts may quote what a library was given
    sys.excepthook = _unhandled
    threading.excepthook = _unhandled_in_thread
    sys.unraisablehook = _unraisable


def _unhandled(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    failure("unhandled", error.with_traceback(trace))


def _unraisable(args: sys.UnraisableHookArgs) -> None:
    if args.exc_value is not None:  # Python's own hook would print the error's words and the object
        failure("unraisable", args.exc_value)


def _unhandled_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        failure("unhandled", args.exc_value)
