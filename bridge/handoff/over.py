"""What is handed over, what became of it, and what every way of handing over can do."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Protocol

import orjson

from bridge.model import Action, type_json

CANCELS = "-C"
"""The end of a cancellation's control id: the document's own reference stands before it."""

MARK = b'{"handover":1,'
"""How a step's kept bytes begin where it handed something over; FHIR resources begin otherwise."""


@dataclass(frozen=True, slots=True)
class Person:
    """The chart's patient, named in full: the practice's own identifier, and what the agency knows of them."""

    system: str
    value: str = field(repr=False)
    family: str = field(default="", repr=False)
    given: tuple[str, ...] = field(default=(), repr=False)
    birth_date: str = field(default="", repr=False)
    gender: str = ""  # http://hl7.org/fhir/administrative-gender


@dataclass(frozen=True, slots=True)
class HandOver:
    """One document on its way to one practice, or the word that one handed over before should be disregarded.

    `reference` is the delivery reference; `control` the id by which an engine tells a repetition: the same whenever
    the same is given again. `replaces` is the reference of the document this takes the place of, "" where none.
    `when` is the clinical day or instant (FHIR), `made` when it was prepared (microseconds UTC). `said` is a keyed
    digest of what it tells, "" where it tells nothing.
    """

    reference: str
    control: str
    practice: str
    kind: str  # of the record, PACK/NAME
    action: Action
    title: str = field(repr=False)
    mime: str
    body: bytes = field(repr=False)
    patient: Person
    agency: str
    authors: tuple[str, ...] = field(default=(), repr=False)
    type: tuple[str, str, str] = ("", "", "")  # of the document: code, display, system
    when: str = ""
    made: int = 0
    replaces: str = ""
    said: str = ""

    @property
    def cancels(self) -> bool:
        """Whether it says that what was handed over before should be disregarded."""
        return self.action is Action.RETRACT

    @property
    def summary(self) -> type_json:
        """What is said about it, without the document itself."""
        return asdict(self) | {"body": f"{len(self.body)} bytes"}

    def kept(self) -> bytes:
        """The bytes a step keeps: `read` makes the same of them."""
        said = asdict(self) | {"body": base64.b64encode(self.body).decode()}
        return orjson.dumps({"handover": 1, **said})

    @classmethod
    def read(cls, kept: bytes) -> HandOver:
        """What `kept` was made of."""
        said: type_json = orjson.loads(kept)
        del said["handover"]
        person = said.pop("patient")
        return cls(
            **said
            | {
                "action": Action(said["action"]),
                "body": base64.b64decode(said["body"]),
                "patient": Person(**person | {"given": tuple(person["given"])}),
                "authors": tuple(said["authors"]),
                "type": tuple(said["type"]),
            }
        )


class Fate(StrEnum):
    """What became of one hand-over."""

    GIVEN = "given"  # the other side has it; whether it reached the chart is confirmed later
    CONFIRMED = "confirmed"  # the other side says that it took it
    REFUSED = "refused"  # the other side says that it did not take it
    LATER = "later"  # it provably was not given
    LOST = "lost"  # it may have been given


@dataclass(frozen=True, slots=True)
class Given:
    """What became of it. `code` says why, in codes alone; `kept` is what came back, for the ledger."""

    fate: Fate
    code: str
    kept: bytes = field(default=b"", repr=False)


class Look(StrEnum):
    """What looking says of one whose answer was lost."""

    GIVEN = "given"
    CONFIRMED = "confirmed"
    ABSENT = "absent"  # it provably was not given
    AGAIN = "again"  # the same may be given again: the other side can tell by its control id
    PERSON = "person"  # only a person can say


class Hand(Protocol):
    """One way of handing over, opened for one practice."""

    @property
    def takes(self) -> float:
        """Seconds that one hand-over lasts at the most."""

    @property
    def turns(self) -> asyncio.Semaphore:
        """How many at a time."""

    async def give(self, over: HandOver) -> Given:
        """It is given, once; raises nothing that the other side does."""

    async def look(self, over: HandOver) -> Look:
        """Whether one whose answer was lost was given."""

    async def said(self, over: HandOver) -> str:
        """The `said` of what was given under this control id; "" where that is not remembered."""

    async def heard(self, controls: frozenset[str]) -> Mapping[str, Fate]:
        """Of these control ids those that were confirmed since, or refused."""

    async def reach(self) -> str:
        """ "" where the other side can be reached, else why not, in words without a person's data."""


def control_of(reference: str, action: Action) -> str:
    """The control id: the delivery reference itself, or that of a cancellation. At most 20 characters (MSH-10)."""
    return reference + CANCELS if action is Action.RETRACT else reference


def was_handed(body: bytes) -> bool:
    """Whether a step's kept bytes are of a hand-over."""
    return body.startswith(MARK)
