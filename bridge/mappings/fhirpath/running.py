"""What compiled code holds while it runs: the caller's environment and what is left of the bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bridge.mappings.fhirpath.limits import DEFAULT_LIMITS, Limits
from bridge.mappings.fhirpath.model import TypeModel
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.values import Items


@dataclass(frozen=True, slots=True)
class Environment:
    """What one evaluation may reach beside its input.

    `variables` are read as %name (a list is several items). `references` holds what resolve() may find, by
    "Type/id". `member(value set, system, code)` answers memberOf(): None where it does not know the value set.
    `data` is handed to functions declared with `context`.
    """

    variables: Mapping[str, object] = field(default_factory=dict)
    references: Mapping[str, dict[str, object]] = field(default_factory=dict)
    member: Callable[[str, str, str], bool | None] | None = None
    data: object = None
    limits: Limits = DEFAULT_LIMITS


NOTHING = Environment()


class Run:
    """One evaluation: its environment, its types, its root and the work that is left."""

    __slots__ = ("data", "env", "left", "model", "root")

    def __init__(self, env: Environment, model: TypeModel | None, root: object) -> None:
        self.env = env
        self.model = model
        self.root = root
        self.data = env.data
        self.left = env.limits.work

    def spend(self, work: int) -> None:
        """Count work done. Raises Fault FE04 when the bound is passed."""
        self.left -= work
        if self.left < 0:
            rule = f"one evaluation takes up and writes at most {self.env.limits.work} items"
            raise Fault("FE04", rule, "look whether a loop or where() runs inside another over the same list")


def variable(run: Run, name: str) -> Items:
    """The value of %name as items. Raises Fault FE03."""
    if name not in run.env.variables:
        raise Fault("FE03", f"%{name} has no value here", "define it with {% assign %}, or correct its name")
    value = run.env.variables[name]
    if isinstance(value, list):
        run.spend(len(value))
        return [item for item in value if item is not None]
    return [] if value is None else [value]


def one_variable(run: Run, name: str) -> object:
    """The single value of %name, None where it is empty. Raises Fault FE01, FE03."""
    items = variable(run, name)
    if len(items) > 1:
        raise Fault("FE01", f"%{name} is one value")
    return items[0] if items else None
