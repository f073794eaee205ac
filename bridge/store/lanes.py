"""Lanes: claimed by one worker at a time, with all it needs to carry them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import BindParameter, Connection, Row, Select, and_, bindparam, case, func, or_, select, update

from bridge.model import Consent, EntryState, Link, Stands, Terms
from bridge.store import leases, tables
from bridge.store.engine import run_each
from bridge.store.kin import Kin
from bridge.store.ledger import Ledger, get_blobs, slices

entry, lane, person, translation = tables.entry, tables.lane, tables.person, tables.translation
DUE = entry.c.due_at.isnot(None)
URGENT, ROUTINE, REPLAY = 1, 0, -1
URGENT_FIRST = (URGENT, ROUTINE, REPLAY)
FIRST = 10  # the rank of what refers to nothing (ehr.route.RANKS)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants lanes, how many, until when; `closed` are the practices not to be sent to now.

    Nor are those sent to that are suspended or whose connection is down or has no budget left: `connections` says which
    it is, by practice. To `quiet` practices only what is urgent goes. `order` says which urgency is looked for first.
    """

    ledger: Ledger
    owner: str
    limit: int
    now: int
    until: int
    closed: tuple[str, ...] = ()
    connections: Mapping[str, str] = field(default_factory=dict)
    quiet: tuple[str, ...] = ()
    order: tuple[int, ...] = URGENT_FIRST


@dataclass(frozen=True, slots=True)
class EntryWork:
    """One entry of a claimed lane, with the parts it is made of (JSON, decrypted)."""

    id: int
    program: str
    thread: str
    name: str
    kind: str
    route: str
    resource_type: str
    parts: tuple[str, ...]
    rank: int
    record: int
    position: int
    revision: int
    state: EntryState
    should: bool
    should_digest: str
    stands: Stands | None
    reference: str
    replaced: int
    occurred_at: int | None
    due: int | None
    look_first: bool
    absent: int
    attempts: int
    claims: int
    withheld: int
    translation: bytes = field(repr=False)
    confirmed: str = ""
    recalled: str = ""
    doubted: int = 0
    own: bool = True  # its record is this person's own, and does not only tell of them
    gathers_until: int | None = None  # a roll-up's window ends then; None = no roll-up
    urgency: int = ROUTINE
    faults: int = 0


@dataclass(frozen=True, slots=True)
class LaneWork:
    """One lane held until `until`: its person, link and consents, and its open entries in the order of their threads.

    `patient` is the person's canonical Patient (JSON), b"" where no record made one. `standing` says what stands of the
    open entries' threads: (thread, name) → the EHR's `Type/id`. `kin` is shared by the lanes of one claim. `probe`:
    it tries a connection that was down, which nobody else does until then.
    """

    id: int
    agency: str
    practice: str
    person: int
    source: str
    owner: str
    epoch: int
    until: int
    consent_revision: int
    consents: tuple[Consent, ...]
    link: Link | None
    patient: bytes = field(repr=False)
    entries: tuple[EntryWork, ...]
    standing: dict[tuple[str, str], str]
    kin: Kin = field(default_factory=Kin, repr=False, compare=False)
    role: str = ""  # in which records speak of the person; "" = none did
    probe: int = 0
    readable: bool = True  # False: a form, the link or the Patient of this person does not open any more


def due_query(
    now: int, limit: int, closed: Sequence[str] = (), urgency: int = ROUTINE, only: Sequence[str] = ()
) -> Select[Any]:
    """Lanes of this urgency with work whose lease is free, the longest due first; `only` of these practices."""
    query = select(lane.c.id).where(lane.c.urgency == urgency, lane.c.due_at <= now, lane.c.until <= now)
    if closed:
        query = query.where(lane.c.practice.not_in(closed))
    if only:
        query = query.where(lane.c.practice.in_(only))
    return query.order_by(lane.c.due_at).limit(limit).with_for_update(skip_locked=True, key_share=True)


def urgent_query(now: int, limit: int, only: Sequence[str]) -> Select[Any]:
    """Lanes of these practices in which something urgent is due itself, and not only something beside it."""
    urgent = entry.c.lane == lane.c.id, entry.c.urgency == URGENT, entry.c.due_at <= now
    return due_query(now, limit, (), URGENT, only).where(select(entry.c.id).where(*urgent).exists())


def entries_query(lanes: Sequence[int]) -> Select[Any]:
    """What is open in these lanes, in sending order, with the blob of the parts it is made of."""
    made_of = and_(translation.c.record == entry.c.record, translation.c.person == entry.c.person)
    return (
        select(entry, translation.c.parts_blob, (tables.record.c.person == entry.c.person).label("own"))
        .join(tables.record, tables.record.c.id == entry.c.record)
        .outerjoin(translation, made_of)
        .where(entry.c.lane.in_(lanes), tables.OPEN_ENTRY)
        .order_by(entry.c.lane, entry.c.position, entry.c.rank)
    )


def standing_query(lanes: Sequence[int], threads: Sequence[str]) -> Select[Any]:
    """What stands of these threads in these lanes."""
    return select(entry.c.lane, entry.c.thread, entry.c.name, entry.c.resource_type, entry.c.stands_id).where(
        entry.c.lane.in_(lanes), entry.c.thread.in_(threads), entry.c.stands_id.isnot(None)
    )


def claim(connection: Connection, asked: Sequence[Claim]) -> list[list[LaneWork]]:
    """Operation: lanes leased to the asker under a new epoch, with everything needed to send."""
    return [claim_one(connection, ask) for ask in asked]


TAKE = (
    update(lane)
    .where(lane.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        owner=bindparam("holder"),
        epoch=lane.c.epoch + 1,
        until=bindparam("lease"),
        seen=select(person.c.consent_revision).where(person.c.id == lane.c.person).scalar_subquery(),
    )
)
LANES = (
    select(lane, person.c.source, person.c.consent_revision, person.c.patient_blob, person.c.role)
    .join(person, person.c.id == lane.c.person)
    .where(lane.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(lane.c.due_at)
)
OF_THEM: BindParameter[Any] = bindparam("persons", expanding=True)
LINKS = select(tables.link).where(tables.link.c.person.in_(OF_THEM), tables.CURRENT_LINK)
CONSENTS = select(tables.consent).where(tables.consent.c.person.in_(OF_THEM))


def claim_one(connection: Connection, ask: Claim) -> list[LaneWork]:
    """The lanes for one who asked; `seen` remembers which consents their holder decides on."""
    states = leases.connection_states(connection) if ask.connections else {}
    down = {name for name, state in states.items() if state.closed(ask.now)}
    trying = {name for name, state in states.items() if state.half_open(ask.now)}
    never = {*ask.closed, *leases.suspended(connection)}
    closed = sorted({*never, *ask.quiet, *(one for one, of in ask.connections.items() if of in down | trying)})
    quiet = sorted(one for one in ask.quiet if one not in never and ask.connections.get(one) not in down | trying)
    ids: list[int] = []
    probes: dict[int, int] = {}
    for name in sorted(trying):
        practices = sorted(one for one, of in ask.connections.items() if of == name and one not in never)
        for id in probe_of(connection, ask, name, practices) if len(ids) < ask.limit else ():
            probes[id] = ask.until
            ids.append(id)
    if quiet and len(ids) < ask.limit:
        ids += connection.execute(urgent_query(ask.now, ask.limit - len(ids), quiet)).scalars()
    for urgency in ask.order:
        if len(ids) < ask.limit:
            ids += connection.execute(due_query(ask.now, ask.limit - len(ids), closed, urgency)).scalars()
    if not ids:
        return []
    connection.execute(TAKE, {"ids": ids, "holder": ask.owner, "lease": ask.until})
    return [
        replace(one, probe=probes[one.id]) if one.id in probes else one for one in load(connection, ask.ledger, ids)
    ]


def probe_of(connection: Connection, ask: Claim, name: str, practices: Sequence[str]) -> list[int]:
    """The one lane that tries a connection again, if there is any to try it with and nobody else does."""
    quiet = [one for one in practices if one in ask.quiet]
    others = [one for one in practices if one not in ask.quiet]
    queries = [due_query(ask.now, 1, (), urgency, others) for urgency in URGENT_FIRST if others]
    for query in [urgent_query(ask.now, 1, quiet), *queries] if quiet else queries:
        found = list(connection.execute(query).scalars())
        if found:
            return found if leases.take_probe(connection, name, ask.now, ask.until) else []
    return []


def load(connection: Connection, ledger: Ledger, ids: Sequence[int]) -> list[LaneWork]:
    """These lanes as they are now. What does not open is its entry's trouble, or its person's, and nobody else's."""
    lanes = connection.execute(LANES, {"ids": ids}).all()
    persons = [row.person for row in lanes]
    open_entries = connection.execute(entries_query(ids)).all()
    links = {(row.person, row.practice): row for row in connection.execute(LINKS, {"persons": persons})}
    wanted = [row.parts_blob for row in open_entries if row.parts_blob is not None]
    wanted += [row.value_blob for row in links.values()]
    wanted += [row.patient_blob for row in lanes if row.patient_blob is not None]
    practices = {row.practice for row in lanes}
    forms = [row for row in connection.execute(CONSENTS, {"persons": persons}) if row.practice in practices]
    wanted += [row.terms_blob for row in forms]
    damaged: set[int] = set()
    blobs = get_blobs(connection, ledger.keys, wanted, damaged)
    spoilt = {row.person for row in forms if row.terms_blob in damaged}
    spoilt |= {row.person for row in links.values() if row.value_blob in damaged}
    spoilt |= {row.person for row in lanes if row.patient_blob in damaged}
    consents: dict[tuple[int, str], list[Consent]] = {}
    sources = {row.person: row.source for row in lanes}
    for row in forms:
        consents.setdefault((row.person, row.practice), []).extend(as_consents(row, sources[row.person], blobs))
    threads = {row.thread for row in open_entries if row.rank > FIRST}
    standing: dict[int, dict[tuple[str, str], str]] = {}
    for row in connection.execute(standing_query(ids, sorted(threads))) if threads else ():
        standing.setdefault(row.lane, {})[row.thread, row.name] = f"{row.resource_type}/{row.stands_id}"
    by_lane: dict[int, list[EntryWork]] = {}
    for row in open_entries:
        parts = b"" if row.parts_blob in damaged else blobs.get(row.parts_blob, b"[]")
        by_lane.setdefault(row.lane, []).append(as_entry(row, parts))
    kin = Kin(tuple(sorted(set(persons))))
    return [
        LaneWork(
            row.id, row.agency, row.practice, row.person, row.source, row.owner, row.epoch, row.until,
            row.consent_revision, tuple(consents.get((row.person, row.practice), ())),
            as_link(links.get((row.person, row.practice)), row.source, blobs), blobs.get(row.patient_blob, b""),
            tuple(by_lane.get(row.id, ())), standing.get(row.id, {}), kin, row.role, readable=row.person not in spoilt,
        )
        for row in lanes
    ]  # fmt: skip


def as_entry(row: Row[Any], parts: bytes) -> EntryWork:
    """An entry's row and its parts, as work."""
    said = row.stands_version or "", row.stands_digest or "", row.stands_patient or ""
    stands = Stands(row.stands_id, *said) if row.stands_id else None
    return EntryWork(
        row.id, row.program, row.thread, row.name, row.kind, row.route, row.resource_type, tuple(row.parts.split()),
        row.rank, row.record, row.position, row.revision, EntryState(row.state), row.should, row.should_digest,
        stands, row.reference, row.replaced, row.occurred_at, row.due_at, row.look_first, row.absent, row.attempts,
        row.claims, row.withheld, parts, row.confirmed or "", row.recalled or "", row.doubted, bool(row.own),
        row.gathers_until, row.urgency, row.faults,
    )  # fmt: skip


def as_consents(row: Row[Any], source: str, blobs: Mapping[int, bytes]) -> Iterator[Consent]:
    """A consent's row with its decrypted terms; none where the person's key was destroyed.

    `source` is the agency's id of its person.
    """
    if row.terms_blob in blobs:
        terms = Terms.from_dict(orjson.loads(blobs[row.terms_blob]))
        ends = [end for end in (row.revoked, row.ended) if end is not None]
        revoked = min(ends) if ends else None
        yield Consent(
            row.id, row.agency, source, row.practice, row.start, row.until, terms.classes, revoked, row.suspended,
            terms.grantor, terms.authority, terms.purpose, terms.language, terms.document, row.source, row.recorded_at,
        )  # fmt: skip


def as_link(row: Row[Any] | None, source: str, blobs: dict[int, bytes]) -> Link | None:
    """A link's row with its identifier decrypted; None without one, or where the person's key was destroyed."""
    if row is None or row.value_blob not in blobs:
        return None
    system, _, value = blobs[row.value_blob].decode().partition("\x1f")
    return Link(row.id, row.agency, source, row.practice, system, value, row.basis, row.patient, row.matched_at)


@dataclass(frozen=True, slots=True)
class Lease:
    """The proof a write carries."""

    lane: int
    owner: str
    epoch: int

    @classmethod
    def of(cls, work: LaneWork) -> Lease:
        return cls(work.id, work.owner, work.epoch)


LOCKED = (
    select(lane)
    .where(lane.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(lane.c.id)
    .with_for_update(key_share=True)
)


def lock(connection: Connection, ids: Iterable[int]) -> list[Row[Any]]:
    """These lanes, locked for this transaction in the order of their ids: after persons, before records and entries."""
    found: list[Row[Any]] = []
    for some in slices(ids):
        found += connection.execute(LOCKED, {"ids": some}).all()
    return found


def of_persons(people: Iterable[int]) -> Select[Any]:
    """The ids of all lanes of these persons."""
    return select(lane.c.id).where(lane.c.person.in_(sorted(set(people))))


MOST_URGENT = (
    select(func.coalesce(func.max(entry.c.urgency), ROUTINE))
    .where(entry.c.lane == lane.c.id, tables.OPEN_ENTRY)
    .scalar_subquery()
)


def wake(connection: Connection, ids: Iterable[int], due: int) -> None:
    """These lanes are looked at no later than `due`, as urgently as the most urgent of what is open in them."""
    later = or_(lane.c.due_at.is_(None), lane.c.due_at > due)
    earliest = case((later, due), else_=lane.c.due_at)
    for some in slices(ids):
        changes = lane.c.id.in_(some), or_(later, lane.c.urgency != MOST_URGENT)
        connection.execute(update(lane).where(*changes).values(due_at=earliest, urgency=MOST_URGENT))


def held(connection: Connection, leases: Sequence[Lease]) -> dict[Lease, int]:
    """The leases that are still theirs, their lanes locked; each with the consent revision its holder decided on."""
    rows = lock(connection, (lease.lane for lease in leases))
    current = {Lease(row.id, row.owner, row.epoch): row.seen for row in rows}
    return {lease: current[lease] for lease in leases if lease in current}


EARLIEST = (
    select(entry.c.lane, func.min(entry.c.due_at), func.max(entry.c.urgency))
    .where(entry.c.lane.in_(bindparam("lanes", expanding=True)), DUE)
    .group_by(entry.c.lane)
)
FREE = (
    update(lane)
    .where(lane.c.id == bindparam("lane_id"))
    .values(owner=None, until=0, due_at=bindparam("due"), urgency=bindparam("most_urgent"))
)


def release(connection: Connection, asked: Sequence[Lease]) -> list[bool]:
    """Operation: these leases end; each lane is due when its earliest entry is. False where it was lost before."""
    mine = held(connection, asked)
    ids = sorted(lease.lane for lease in mine)
    if ids:
        earliest = {row[0]: (row[1], row[2]) for row in connection.execute(EARLIEST, {"lanes": ids})}
        found = [(lane_id, *earliest.get(lane_id, (None, ROUTINE))) for lane_id in ids]
        run_each(connection, FREE, [{"lane_id": id, "due": due, "most_urgent": most} for id, due, most in found])
    return [lease in mine for lease in asked]


def extend(connection: Connection, asked: Sequence[tuple[Lease, int]]) -> list[bool]:
    """Operation: these leases last until the given instants; False where it was lost before."""
    mine = held(connection, [lease for lease, _ in asked])
    for lease, until in asked:
        if lease in mine:
            connection.execute(update(lane).where(lane.c.id == lease.lane).values(until=until))
    return [lease in mine for lease, _ in asked]


def wake_forgotten(connection: Connection, asked: Sequence[int]) -> list[int]:
    """Operation, for each `now`: lanes that hold a ready or unsettled entry and are not due become due; how many.

    Nothing should ever need this: it is the net under the moves that wake lanes.
    """
    open_states = [EntryState.READY.value, EntryState.SENDING.value, EntryState.UNKNOWN.value]
    lanes_with_work = select(entry.c.lane).where(entry.c.state.in_(open_states))
    return [
        connection.execute(
            update(lane).where(lane.c.id.in_(lanes_with_work), lane.c.due_at.is_(None)).values(due_at=now)
        ).rowcount
        for now in asked
    ]
