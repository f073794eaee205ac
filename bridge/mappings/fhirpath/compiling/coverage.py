"""Which parts of a mapping a record exercises: the ground of a case's coverage."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from bridge.mappings.fhirpath.compiling.assemble import Compiled
from bridge.mappings.fhirpath.problems import Position


def positions_run(compiled: Compiled, call: Callable[[], object]) -> frozenset[Position]:
    """The positions of a compiled mapping whose code runs while `call` does; all of them are `compiled.positions`.

    Only for checking cases: it slows the call down. Whatever the call raises passes through.
    """
    lines: set[int] = set()

    def follow(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code is not compiled.function.__code__ and frame.f_code.co_filename != compiled.filename:
            return None
        if event == "line":
            lines.add(frame.f_lineno)
        return follow

    before = sys.gettrace()
    sys.settrace(follow)
    try:
        call()
    finally:
        sys.settrace(before)
    return frozenset(compiled.positions[line - 1] for line in lines if 0 < line <= len(compiled.positions))
