"""What the ledger's tests are about: one agency, one practice, few people, each move in one short call."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Table, select

from bridge.model import Accepted, Action, EntryState, Fate, Hold, HoldReason, Item, Owner, RecordState, Stands, Terms
from bridge.store import (
    answers,
    audit,
    holds,
    lanes,
    leases,
    past_steps,
    permissions,
    persons,
    plans,
    records,
    rollups,
    steps,
    tables,
    views,
)  # fmt: skip
from bridge.store.ledger import Ledger, get_blobs

AGENCY, PRACTICE, CHILD = "harbor", "elm-street", "child-1"
NOW = 1_780_000_000_000_000
MINUTE = 60_000_000
WEEK = 7 * 24 * 60 * MINUTE
UNTIL = NOW + MINUTE
CONSENT_KEY = f"consent:{AGENCY}/{CHILD}/{PRACTICE}"
LINK_KEY = f"link:{AGENCY}/{CHILD}/{PRACTICE}"
TABLE_KEY = f"table:{AGENCY}:contact-place:K9"

WITH_WORDS = Terms(frozenset({"ordinary", "narrative"}))

NEEDS_CONSENT = Hold(HoldReason.CONSENT, CONSENT_KEY, Owner.AGENCY, "no consent", "record it")
NEEDS_LINK = Hold(HoldReason.LINK, LINK_KEY, Owner.PRACTICE, "no link", "import it")
NEEDS_ROW = Hold(HoldReason.TABLE, TABLE_KEY, Owner.AGENCY, "no row", "add it")
NEEDS_DECISION = Hold(HoldReason.DECISION, "decision:1", Owner.PRACTICE, "is it there?", "look")


PARTS = (
    b'[{"name":"note","about":"c-1","role":"child","resource":{"resourceType":"Composition","id":"n"},'
    b'"labels":["ordinary"],"sections":[]}]'
)


def item(source_id: str = "c1", raw: bytes = b'{"a":1}', **changes: Any) -> Item:
    """One contact with one child, final unless said otherwise."""
    made = Item(
        agency=AGENCY, program="visits", kind="ma-soc/contact", source_id=source_id, version="", subject=CHILD,
        when=NOW - MINUTE, final=True, void=False, digest=hashlib.sha256(raw).hexdigest(), raw=raw,
    )  # fmt: skip
    return replace(made, **changes)


def fate(found: Item, known: Sequence[records.Version]) -> tuple[Fate, RecordState]:
    """The simplest rules: what was seen is a resend, what is lower is older, all else is newer."""
    if any(version.digest == found.digest for version in known):
        return Fate.RESEND, RecordState.ACCEPTED
    if found.version and any(int(version.version) > int(found.version) for version in known):
        return Fate.OLDER, RecordState.SUPERSEDED
    return (Fate.VERSION if known else Fate.NEW), RecordState.ACCEPTED


def keep(ledger: Ledger, *items: Item, now: int = NOW) -> list[Accepted]:
    return records.keep_items(ledger, list(enumerate(items)), fate, now)


def claim(
    ledger: Ledger, owner: str = "w1", now: int = NOW, until: int = UNTIL, limit: int = 100
) -> list[records.Work]:
    return ledger.write(records.claim, records.Claim(ledger, owner, limit, now, until))


def entry_plan(name: str = "document", digest: str = "d1", **changes: Any) -> plans.EntryPlan:
    """One document in one chart."""
    made = plans.EntryPlan(
        practice=PRACTICE, person=CHILD, name=name, kind="ma-soc/contact", route="document",
        resource_type="DocumentReference", rank=0, parts=("note", "encounter"), digest=digest,
        reference=f"DB-{name}", withheld=0,
    )  # fmt: skip
    return replace(made, **changes)


def week(number: int = 0, due: int | None = None) -> plans.Gathering:
    """The roll-up of a week, which ends so many weeks after an hour from now."""
    until = NOW + 60 * MINUTE + number * WEEK
    return plans.Gathering(f"roll-up:{number}", until - WEEK, until, due or until, f"DB-week-{number}")


def translated(
    ledger: Ledger,
    work: records.Work,
    *entries: plans.EntryPlan,
    holds: tuple[Hold, ...] = (),
    parts: Mapping[str, bytes] | None = None,
    patients: Mapping[str, bytes] | None = None,
    people: Iterable[str] = (),
    owner: str = "w1",
    now: int = NOW,
    **rest: Any,
) -> plans.Translated:
    """What became of a record, with the persons and ids its saving needs."""
    said = {work.subject: PARTS} if parts is None else dict(parts)
    everybody = {work.subject, *said, *people, *(entry.person for entry in entries)}
    count = len(said) + len(patients or {}) + len(holds) + 3 * len(entries)
    return plans.Translated(
        ledger=ledger,
        work=work,
        owner=owner,
        now=now,
        parts=said,
        patients=dict(patients or {}),
        entries=entries,
        holds=holds,
        hashes=("m1", "e1", "f1"),
        hold_due=now + 100 * MINUTE,
        people={source: persons.prepare(ledger, work.agency, source) for source in everybody},
        ids=tuple(ledger.ids.take() for _ in range(count)),
        **rest,
    )


def save(ledger: Ledger, work: records.Work, *entries: plans.EntryPlan, **rest: Any) -> bool:
    return ledger.write(plans.save, translated(ledger, work, *entries, **rest))


def planned(ledger: Ledger, found: Item | None = None, *entries: plans.EntryPlan, **rest: Any) -> records.Work:
    """A record kept, claimed, translated and planned in one go."""
    now = rest.get("now", NOW)
    keep(ledger, found or item(), now=now)
    (work,) = claim(ledger, now=now, until=now + MINUTE)
    assert save(ledger, work, *(entries or (entry_plan(),)), **rest)
    return work


def claim_lanes(
    ledger: Ledger, owner: str = "w1", now: int = NOW, until: int = UNTIL, limit: int = 10, closed: tuple[str, ...] = ()
) -> list[lanes.LaneWork]:
    return ledger.write(lanes.claim, lanes.Claim(ledger, owner, limit, now, until, closed))


def claim_lane(ledger: Ledger, owner: str = "w1", now: int = NOW, until: int = UNTIL) -> lanes.LaneWork:
    (found,) = claim_lanes(ledger, owner, now, until)
    return found


def to_begin(ledger: Ledger, lane: lanes.LaneWork, entry: lanes.EntryWork, **changes: Any) -> steps.Begin:
    made = steps.Begin(
        ledger=ledger, lease=lanes.Lease.of(lane), agency=lane.agency, practice=lane.practice, person=lane.person,
        consent_revision=lane.consent_revision, entry=entry.id, revision=entry.revision, record=entry.record,
        step=ledger.ids.take(), action=Action.CREATE, digest="d1", withheld=0, consents=(), correction=False,
        patient="pat-1", target="",
        reference=entry.reference, replaced=entry.replaced, request_blob=ledger.ids.take(), request=b"POST it", now=NOW,
    )  # fmt: skip
    return replace(made, **changes)


def begin(ledger: Ledger, lane: lanes.LaneWork, entry: lanes.EntryWork, **changes: Any) -> tuple[steps.Begun, int]:
    """Whether the step may leave, and its id."""
    ask = to_begin(ledger, lane, entry, **changes)
    return ledger.write(steps.begin, ask), ask.step


def to_finish(
    ledger: Ledger, lane: lanes.LaneWork, entry: lanes.EntryWork, state: EntryState, **changes: Any
) -> steps.Finish:
    made = steps.Finish(
        ledger=ledger, lease=lanes.Lease.of(lane), agency=lane.agency, practice=lane.practice, person=lane.person,
        entry=entry.id, revision=entry.revision, state=state, due=None, now=NOW, hold_id=ledger.ids.take(),
        hold_due=NOW + 100 * MINUTE, receipt_blob=ledger.ids.take(),
    )  # fmt: skip
    return replace(made, **changes)


def finish(ledger: Ledger, lane: lanes.LaneWork, entry: lanes.EntryWork, state: EntryState, **changes: Any) -> bool:
    return ledger.write(steps.finish, to_finish(ledger, lane, entry, state, **changes))


def release(ledger: Ledger, lane: lanes.LaneWork) -> bool:
    return ledger.write(lanes.release, lanes.Lease.of(lane))


def deliver(ledger: Ledger, digest: str = "d1", stands: str = "doc-1", now: int = NOW) -> None:
    """The one lane that is due is claimed, its entries are sent and stand."""
    lane = claim_lane(ledger, now=now, until=now + MINUTE)
    for entry in lane.entries:
        begun, step = begin(ledger, lane, entry, digest=digest)
        assert begun is steps.Begun.YES
        there = Stands(stands, "1", digest)
        assert finish(ledger, lane, entry, EntryState.DELIVERED, stands=there, step=step, answer="done", status=201)
    assert release(ledger, lane)


def consent(ledger: Ledger, **changes: Any) -> bool:
    made = permissions.GiveConsent(
        ledger=ledger, id=ledger.ids.take(), blob=ledger.ids.take(), person=persons.prepare(ledger, AGENCY, CHILD),
        practice=PRACTICE, start=NOW - MINUTE, until=None, revoked=None, terms=WITH_WORDS, source="roster",
        source_ref="form-1", keys=(CONSENT_KEY,), by="ana", now=NOW,
    )  # fmt: skip
    return ledger.write(permissions.give_consent, replace(made, **changes))


def revoke(ledger: Ledger, now: int = NOW, source: str = CHILD) -> int:
    ask = permissions.RevokeConsent(AGENCY, source, PRACTICE, CONSENT_KEY, "ana", now)
    return ledger.write(permissions.revoke_consent, ask)


def link(ledger: Ledger, value: str = "MRN-1", person: str = CHILD, **changes: Any) -> bool:
    made = permissions.MakeLink(
        ledger=ledger, id=ledger.ids.take(), blob=ledger.ids.take(), person=persons.prepare(ledger, AGENCY, person),
        practice=PRACTICE, system="urn:mrn", value=value, basis="roster", keys=(LINK_KEY,), by="ana", now=NOW,
    )  # fmt: skip
    return ledger.write(permissions.make_link, replace(made, **changes))


def add_row(ledger: Ledger, code: str = "K9", key: str = TABLE_KEY, display: str = "Kitchen") -> int:
    ask = permissions.AddRow(ledger.ids.take(), AGENCY, "contact-place", code, {"display": display}, key, "ana", NOW)
    return ledger.write(permissions.add_row, ask)


def rows(ledger: Ledger, table: Table) -> list[dict[str, Any]]:
    """All rows of a table, in the order of its key."""
    with ledger.read() as connection:
        found = connection.execute(select(table).order_by(*table.primary_key.columns))
        return [dict(row._mapping) for row in found]


def one(ledger: Ledger, table: Table) -> dict[str, Any]:
    """The only row of a table."""
    (row,) = rows(ledger, table)
    return row


def entries(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """The entries by name."""
    return {row["name"]: row for row in rows(ledger, tables.entry)}


def person(ledger: Ledger, source: str = CHILD) -> dict[str, Any]:
    (row,) = [row for row in rows(ledger, tables.person) if row["source"] == source]
    return row


def open_holds(ledger: Ledger) -> list[dict[str, Any]]:
    return [row for row in rows(ledger, tables.hold) if row["closed_at"] is None]


def a_day(ledger: Ledger) -> None:
    """Two records from the door to the chart, with everything that people say meanwhile."""
    keep(ledger, item("c1", b"1"), item("c2", b"2", practice=PRACTICE))
    keep(ledger, item("c1", b"1b"), item("c2", b"2"))
    held, clear = claim(ledger)
    assert save(ledger, held, holds=(NEEDS_ROW,))
    assert save(ledger, clear, entry_plan(hold=NEEDS_CONSENT), patients={CHILD: b"{}"}, revisions={CHILD: 1})
    assert add_row(ledger) == 1
    (again,) = claim(ledger)
    assert save(ledger, again, entry_plan("document"), entry_plan("encounter"))
    assert consent(ledger)
    assert link(ledger)
    lane = claim_lane(ledger)
    assert lane.link is not None
    ledger.write(permissions.matched, (lane.link.id, "pat-1", NOW))
    for entry in lane.entries:
        begun, step = begin(ledger, lane, entry)
        assert begun is steps.Begun.YES
        assert finish(ledger, lane, entry, EntryState.DELIVERED, step=step, receipt=b"201")
    assert release(ledger, lane)
    assert revoke(ledger) == 1
    keep(ledger, item("c2", b"2b"))
    (newer,) = claim(ledger)
    assert save(ledger, newer, entry_plan("document", "d2"), entry_plan("withheld whole"))
    keep(ledger, item("c3", b"3"))
    (waits,) = claim(ledger)
    assert save(ledger, waits, holds=(NEEDS_CONSENT,))
    lane = claim_lane(ledger)
    document, whole = sorted(lane.entries, key=lambda entry: entry.name)
    assert finish(ledger, lane, document, EntryState.HELD, hold=NEEDS_LINK)
    assert finish(ledger, lane, whole, EntryState.CANCELLED)
    ledger.write(lanes.extend, (lanes.Lease.of(lane), UNTIL + 1))
    assert release(ledger, lane)
    assert not link(ledger)
    assert consent(ledger, source_ref="form-2")
    lane = claim_lane(ledger)
    document = next(entry for entry in lane.entries if entry.name == "document")
    assert finish(ledger, lane, document, EntryState.HELD, hold=NEEDS_DECISION)
    with ledger.read() as connection:
        of = tables.hold.c.entry == document.id
        decision = connection.execute(select(tables.hold.c.id).where(of, tables.OPEN_HOLD)).scalar_one()
    ledger.write(answers.decide, answers.Verdict(decision, document.id, "absent", "", "ana", NOW))
    ledger.write(answers.retry, answers.Retry(decision, "", "ana", NOW))
    assert release(ledger, lane)
    ledger.write(holds.arrive, holds.Arrival(("nothing",), NOW, "test"))
    keep(ledger, item("c4", b"4"), item("c5", b"5"))
    for work in claim(ledger):
        assert save(ledger, work, entry_plan(gathered=week()))
    keep(ledger, item("c4", b"4b"), item("c5", b"5b"))
    moved, gone = claim(ledger)
    assert save(ledger, moved, entry_plan(gathered=week(1)))
    assert save(ledger, gone)
    ledger.write(audit.note, audit.Line(ledger.ids.take(), AGENCY, NOW, "ana", "read", "record:1"))
    ledger.write(audit.seal, audit.Seal(ledger.ids.take(), AGENCY, NOW))
    with ledger.read() as connection:
        permissions.of_persons(connection, ledger, AGENCY, [CHILD])
        permissions.shared_link(connection, PRACTICE, lane.person)
        past_steps.last(connection, ledger, document.id)
        get_blobs(connection, ledger.keys, [1, 2])
        rollups.members(connection, ledger, document.id, lane.person)
        leases.closed_connections(connection, NOW)
        views.life(connection, clear.id)
        views.open_holds(connection, agency=AGENCY)
