"""Every error of the bridge, in one tree.

    BridgeError
    ├── ConfigError      wrong use or configuration: raised at start, all problems at once
    ├── RecordError      this record only: it is rejected at the door or held, never the run
    ├── AccessError      who asks may not do this
    ├── LedgerError      the ledger did not do what was asked (a key, a damaged blob, a rule of its tables)
    │   ├── LedgerDown   the ledger itself does not work now (disk, lock, connection): nothing asked of it is at fault
    │   └── LeaseLost    another worker holds this lane now; nothing of ours was written
    └── DefinitionError  a FHIR package or definition cannot be used

What an EHR answers is not an exception but a value (`model.Answer`): the same answer means different things for
different steps, and the decision is a table (`ehr.answers`).

A message names file, line, field, rule and next step; it never carries a patient's value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in words that can be shown to anyone.

    `code` is stable and never reused; `where` is a file:line, a JSON pointer or an item index; `field` the name of the
    setting or path; `rule` what must hold; `next_step` what to do. None of them carries a value of a record.
    """

    code: str
    rule: str
    where: str = ""
    field: str = ""
    next_step: str = ""

    def __str__(self) -> str:
        head = ": ".join(part for part in (self.where, self.field) if part)
        text = f"{head}: {self.rule}" if head else self.rule
        return f"{text} [{self.code}]" + (f"\n    → {self.next_step}" if self.next_step else "")

    def as_dict(self) -> dict[str, str]:
        """The filled fields, for JSON answers."""
        return {name: value for name, value in asdict(self).items() if value}


class BridgeError(Exception):
    """Base of all; carries the problems it stands for."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigError(BridgeError):
    """The settings, project folder, mappings or command line cannot be used as they are."""


class RecordError(BridgeError):
    """One record cannot be taken or translated; others are not affected."""


class AccessError(BridgeError):
    """The caller is not known or may not do this."""


class LedgerError(BridgeError):
    """The ledger could not do what was asked; nothing was written."""


class LedgerDown(LedgerError):
    """The ledger itself does not work now, whatever is asked of it: the same may be asked again later."""


class LeaseLost(LedgerError):
    """The lane's lease passed to another worker; the write carrying the old epoch was refused."""


class DefinitionError(BridgeError):
    """A FHIR package, definition or profile cannot be read or used."""
