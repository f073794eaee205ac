"""Where the time goes: the product's functions timed from outside, each without what it calls of the others.

Times are CPU seconds of the thread that ran, so that waiting costs nothing and threads add up.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from bench.sink import Direct
from bridge import pipeline
from bridge.fhir.client import Client
from bridge.fhir.validate import Validator
from bridge.mappings.translate import Translator
from bridge.moves import granting, planning
from bridge.moves.matching import Matcher
from bridge.store import lanes, permissions, plans, records, steps
from bridge.store.writer import Writer

PLACES: tuple[tuple[str, Any, str], ...] = (
    ("accept: open", pipeline, "accept"),
    ("accept: keep", records, "keep"),
    ("translate: claim", records, "claim"),
    ("translate: mapping engine", Translator, "translate"),
    ("validate", Validator, "check_all"),
    ("validate", Validator, "check"),
    ("plan: consents, links", granting, "grant"),
    ("plan: consents, links", planning, "permissions_of"),
    ("plan: entries", planning, "plan"),
    ("plan: save", plans, "save"),
    ("lane: claim", lanes, "claim"),
    ("lane: match", Matcher, "patient"),
    ("lane: match", permissions, "matched"),
    ("lane: release", lanes, "release"),
    ("step: shape", pipeline, "next_step"),
    ("step: begin", steps, "begin"),
    ("step: send", Client, "send"),
    ("step: send", Direct, "send"),
    ("step: finish", steps, "finish"),
    ("commit", Writer, "_write"),
)
REST = "loop, tasks, waiting"
ENGINE = "translate: mapping engine"


class Stages:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._here = threading.local()

    def enter(self, name: str) -> None:
        """The thread works for this stage from here on."""
        stack: list[list[Any]] = self._here.__dict__.setdefault("stack", [])
        now = time.thread_time()
        if stack:
            stack[-1][2] += now - stack[-1][1]
        stack.append([name, now, 0.0])

    def leave(self) -> None:
        """The thread goes on with what it did before."""
        stack: list[list[Any]] = self._here.stack
        now = time.thread_time()
        name, since, before = stack.pop()
        with self._lock:
            self.seconds[name] += before + now - since
        if stack:
            stack[-1][1] = now

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Every place is timed while this lasts."""
        originals = [(place, name, getattr(place, name)) for _, place, name in PLACES]
        for (stage, place, name), (_, _, original) in zip(PLACES, originals, strict=True):
            setattr(place, name, self._timed(stage, original))
        try:
            yield
        finally:
            for place, name, original in originals:
                setattr(place, name, original)

    def _timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            self.enter(stage)
            try:
                made = function(*arguments, **named)
            finally:
                self.leave()
            return _Watched(self, stage, made) if isinstance(made, Coroutine) else made

        return timed


class _Watched(Awaitable[Any]):
    """A coroutine of which only the running counts, not the waiting."""

    def __init__(self, stages: Stages, stage: str, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._stages, self._stage, self._coroutine = stages, stage, coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        """What the coroutine gives."""
        value: Any = None
        error: BaseException | None = None
        while True:
            self._stages.enter(self._stage)
            try:
                asked = self._coroutine.send(value) if error is None else self._coroutine.throw(error)
            except StopIteration as end:
                return end.value
            finally:
                self._stages.leave()
            try:
                value, error = (yield asked), None
            except BaseException as raised:  # noqa: BLE001 - it is handed on to the coroutine
                error = raised
