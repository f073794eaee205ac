"""What would be sent now, request by request: the line's own code, with nothing written and nobody reached.

Lanes are claimed in a transaction that is rolled back, carried as always, and every write is only remembered. Each
practice's EHR is a stand-in that takes everything: it knows one patient of the number it is asked for, finds nothing
that it is asked to look for, and has what stands as we wrote it last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

import orjson

from bridge import pipeline
from bridge.ehr.chart import Chart
from bridge.ehr.ladder import CORRECTIONS, ways_of
from bridge.ehr.route import HANDOFF, Way, handing, way
from bridge.ehr.ways import CORRECTION, WHOLE
from bridge.fhir.standin import Outgoing, StandIn
from bridge.handoff.over import HandOver, was_handed
from bridge.handoff.rehearsal import Rehearsal
from bridge.jobs import masking
from bridge.model import Action, Hold, type_json
from bridge.moves.line import Line
from bridge.settings import Basic, Connection
from bridge.store import lanes, past_steps, steps
from bridge.store.lanes import EntryWork, LaneWork
from bridge.store.writer import Operation

P = TypeVar("P")
R = TypeVar("R")
SECOND = 1_000_000
OWNER = "rehearsal"
NOWHERE = "http://no-fhir-server.invalid"
"""Stands in the place of a base that there is none of; nothing is asked there."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it would leave. Of a read or a search `name` and `action` are "": it looks, and writes nothing.

    `thing` is the record's own name at the agency; `because`, `causes` and `loses` are the way's (`ehr.route.Way`).
    """

    practice: str
    method: str
    url: str
    headers: dict[str, str]
    content: bytes = field(repr=False)
    thing: str = ""
    name: str = ""
    action: str = ""
    route: str = ""
    because: str = ""
    causes: str = ""
    loses: tuple[str, ...] = ()

    def as_dict(self, *, show: bool) -> type_json:
        """The same, for programs; the shape is stable. Without `show` values are masked (`masking`)."""
        address, _, asked = self.url.partition("?")
        return {
            "practice": self.practice,
            "record": self.thing,
            "entry": self.name,
            "action": self.action,
            "method": self.method,
            "url": f"{address}?{masking.query(asked, show=show)}" if asked else address,
            "headers": masking.headers(self.headers),
            "body": masking.body(self.content, show=show),
            "route": self.route,
            "because": self.because,
            "causes": self.causes,
            "loses": list(self.loses),
        }


@dataclass(frozen=True, slots=True)
class Waits:
    """One entry that would be held."""

    practice: str
    thing: str
    name: str
    hold: Hold

    def as_dict(self) -> type_json:
        """The same, for programs; the shape is stable."""
        return {
            "practice": self.practice,
            "record": self.thing,
            "entry": self.name,
            "reason": str(self.hold.reason),
            "owner": str(self.hold.owner),
            "rule": self.hold.rule,
            "next_step": self.hold.next_step,
        }


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """Every request in the order it would leave, what would be held, and how many charts were looked at."""

    sent: tuple[Sent, ...]
    waits: tuple[Waits, ...]
    charts: int


@dataclass(slots=True)
class DryLine(Line):
    """A line that writes nothing: a step may always leave, and an outcome is remembered."""

    begun: list[steps.Begin] = field(default_factory=list)
    finished: list[steps.Finish] = field(default_factory=list)

    async def write(self, operation: Operation[P, R], parameter: P) -> R:
        """What the operation answers where nothing stands in its way."""
        answer: object = None
        if isinstance(parameter, steps.Begin):
            self.begun.append(parameter)
            answer = steps.Begun.YES
        elif isinstance(parameter, steps.Finish):
            self.finished.append(parameter)
            answer = True
        return cast(R, answer)

    async def learn(self, practice: str, type: str, interaction: str, now: int) -> None:
        """Nothing is learned of a stand-in."""


async def rehearse(
    line: Line, clock: Callable[[], int], *, limit: int = 100, practices: Sequence[str] = ()
) -> Rehearsed:
    """What would be sent to the charts that are due now, at most `limit` of them; of `practices` alone, if any.

    The line's charts know what their EHRs take. A practice whose statement was never read is sent nothing, as always.
    """
    dry = DryLine(line.project, line.ledger, line.translator, line.validator, added=line.added)
    stand_ins: dict[str, StandIn] = {}
    for name, chart in line.charts.items():
        stand_in = stand_ins.setdefault(chart.connection.id, stand_in_of(chart.connection))
        dry.charts[name] = replace(chart, client=stand_in.client)
    hands = {name: Rehearsal() for name, chart in line.charts.items() if chart.practice.handoff is not None}
    dry.hands = dict(hands)
    works = claimed(line, clock(), limit, practices)
    sent: list[Sent] = []
    waits: list[Waits] = []
    for work in works:
        chart = dry.charts[work.practice]
        stand_in = stand_ins[chart.connection.id]
        stand_in.standing = standing(dry, work)
        stand_in.asked.clear()
        dry.begun.clear()
        dry.finished.clear()
        await pipeline.carry(dry, chart, work, clock)
        sent += requests(dry, chart, work, stand_in.asked)
        if work.practice in hands:
            sent += handed_over(dry, chart, work, hands[work.practice].given)
            hands[work.practice].given.clear()
        waits += held(dry, work)
    for stand_in in stand_ins.values():
        await stand_in.client.aclose()
    return Rehearsed(tuple(sent), tuple(waits), len(works))


def stand_in_of(connection: Connection) -> StandIn:
    """What stands in the place of this connection's EHR; its login's header without a secret."""
    scheme = "" if connection.login is None else "Basic" if isinstance(connection.login, Basic) else "Bearer"
    return StandIn(connection.base or NOWHERE, scheme)


def claimed(line: Line, now: int, limit: int, practices: Sequence[str]) -> list[LaneWork]:
    """The lanes that a worker would claim now; nobody holds them afterwards."""
    known = line.project.practices
    shut = [name for name in known if line.charts[name].capability is None or (practices and name not in practices)]
    of = {name: practice.connection for name, practice in known.items()}
    until = now + line.project.limits.lease_seconds * SECOND
    with line.ledger.engine.connect() as connection:
        found = lanes.claim_one(connection, lanes.Claim(line.ledger, OWNER, limit, now, until, tuple(shut), of))
        connection.rollback()
    return found


def standing(line: Line, work: LaneWork) -> dict[str, type_json]:
    """What stands of the lane's open entries, as we wrote it last, by `Type/id`."""
    found = {}
    with line.ledger.read() as connection:
        for entry in work.entries:
            if entry.stands is None:
                continue
            last = past_steps.last(connection, line.ledger, entry.id, digest=entry.stands.digest)
            if last is not None and last.body:
                version = {"versionId": entry.stands.version or "1"}
                written: type_json = {**orjson.loads(last.body), "id": entry.stands.id, "meta": version}
                found[f"{entry.resource_type}/{entry.stands.id}"] = written
    return found


def requests(line: DryLine, chart: Chart, work: LaneWork, asked: Sequence[Outgoing]) -> list[Sent]:
    """The lane's requests; what writes is told with its entry and way."""
    entries = {entry.id: entry for entry in work.entries}
    begun = iter([step for step in line.begun if not was_handed(step.request)])
    found = []
    for request in asked:
        one = Sent(work.practice, request.method, request.url, request.headers, request.content)
        if request.writes:
            step = next(begun)
            entry = entries[step.entry]
            taken = by(chart, entry, step.action)
            one = replace(
                one, thing=entry.thread, name=entry.name, action=str(step.action), route=taken.route,
                because=taken.because, causes=taken.causes, loses=taken.loses,
            )  # fmt: skip
        found.append(one)
    return found


def handed_over(line: DryLine, chart: Chart, work: LaneWork, given: Sequence[HandOver]) -> list[Sent]:
    """What the lane would hand over, as what is said about it: the document itself by its size."""
    entries = {entry.id: entry for entry in work.entries}
    begun = [step for step in line.begun if was_handed(step.request)]
    way = handing(entries[begun[0].entry].kind, chart.planned, chart.practice, chart.ways) if begun else None
    taken = way or Way(HANDOFF, True, "")
    return [
        Sent(
            work.practice, "HAND-OVER", chart.practice.handoff.way if chart.practice.handoff is not None else "", {},
            orjson.dumps(over.summary), entries[step.entry].thread, entries[step.entry].name, str(step.action),
            taken.route, taken.because, taken.causes, taken.loses,
        )
        for step, over in zip(begun, given, strict=True)
    ]  # fmt: skip


def by(chart: Chart, entry: EntryWork, action: Action) -> Way:
    """The way that a step takes, with its reason and losses."""
    capability, practice, ways = chart.planned, chart.practice, chart.ways
    if action is Action.CREATE:
        name = WHOLE if entry.route != "discrete" else entry.resource_type
        return way(name, entry.kind, capability, practice, ways)
    name = next(name for name, (known, _) in CORRECTIONS.items() if known is action)
    found = ways_of(CORRECTION, capability, practice, ways)
    return next((one for one in found if one.route == name), Way(name, True, ""))


def held(line: DryLine, work: LaneWork) -> list[Waits]:
    """What of the lane would be held."""
    entries = {entry.id: entry for entry in work.entries}
    return [
        Waits(work.practice, entries[one.entry].thread, entries[one.entry].name, one.hold)
        for one in line.finished
        if one.hold is not None
    ]
