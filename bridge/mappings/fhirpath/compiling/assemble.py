"""From source to a function, and from what it raises to an error with a place in the mapping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from bridge.mappings.fhirpath.compiling.code import Code
from bridge.mappings.fhirpath.problems import EvaluationError, Fault, Halt, Position
from bridge.mappings.fhirpath.running import Run
from bridge.mappings.fhirpath.runtime import RUNTIME

ENTRY = "run"
_WRONG = (TypeError, AttributeError, ValueError, LookupError, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A function of (Run, input), the source it was made of and the position each of its lines came from."""

    source: str
    positions: tuple[Position, ...] = field(repr=False)
    function: Callable[[Run, object], object] = field(repr=False)
    filename: str = ""

    def __call__(self, run: Run, data: object) -> object:
        """What the function returns. Raises EvaluationError for this record, and Halt as a function raised it."""
        try:
            return self.function(run, data)
        except Fault as fault:
            place, _ = self._place(fault.__traceback__)
            raise EvaluationError(fault.code, place, fault.rule, fault.next_step) from None
        except Halt as halt:
            halt.position, _ = self._place(halt.__traceback__)
            raise
        except _WRONG as wrong:
            place, direct = self._place(wrong.__traceback__)
            raise _misfit(place, direct) from None

    def _place(self, trace: TracebackType | None) -> tuple[Position, bool]:
        """Where in the mapping it was raised, and whether by a line of compiled code itself."""
        place, direct = self.positions[0], False
        while trace is not None:
            direct = trace.tb_frame.f_code.co_filename == self.filename
            if direct and 0 < trace.tb_lineno <= len(self.positions):
                place = self.positions[trace.tb_lineno - 1]
            trace = trace.tb_next
        return place, direct


def _misfit(place: Position, direct: bool) -> EvaluationError:
    if direct:
        rule = "the record has another shape here than its schema says"
        return EvaluationError("FE06", place, rule, "validate the record against its kind before it is translated")
    return EvaluationError("FE07", place, "a function cannot take this value", "look at what the function takes")


def assemble(code: Code, name: str) -> Compiled:
    """The function named ENTRY of the module that the lines are.

    This is the one `exec` of the project: mappings are compiled once, at activation. What is executed was written by
    `Code` from a parsed tree, with literals through repr and names of its own; it has no builtins and reaches only
    RUNTIME and the registry's functions.
    """
    source = code.source()
    filename = f"<mapping {name}>"
    namespace: dict[str, object] = {"__builtins__": {}, **RUNTIME, **code.constants}
    exec(compile(source, filename, "exec"), namespace)  # noqa: S102 (see above)
    function: Callable[[Run, object], object] = namespace[ENTRY]  # type: ignore[assignment]
    return Compiled(source, tuple(code.positions), function, filename)
