"""The canary campaign on the line: marked records pushed down every way that succeeds and every way that fails.

Each function of `WAYS` is one theme. What was heard meanwhile is in the campaign's `run`; nothing is asserted here but
that the way was gone: a canary that never flew proves nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from bridge.jobs.open import connected
from bridge.jobs.worker import Worker
from bridge.model import Fate, type_json
from bridge.moves import answering, ending, granting, planning, recalling, referring
from bridge.store import leases
from tests.flow.opened import Campaign
from tests.flow.pilot import AGENCY
from tests.flow.tap import marked


# ── ways that succeed ─────────────────────────────────────────────────────────────────────────────────────────────
def delivered(it: Campaign) -> None:
    """Every kind of record of a family that agreed, words included; corrections, a withdrawal."""
    writer = it.writer("delivered", "released")
    it.ready("c-full")
    it.ready("g-full")
    it.accept("child", writer.child("c-full"))
    it.accept("caregiver", writer.caregiver("g-full", "c-full"))
    it.pilot.work()
    contact = writer.contact("k-full", "c-full", caregiver="g-full", **writer.stress())
    it.accept("contact", contact, writer.contact("k-void", "c-full"))
    it.accept("care-plan", writer.plan("p-full", "c-full", "g-full"))
    discussion, answers = writer.text("released", "discussion"), writer.text("agencyonly", "answers")
    result: type_json = {"instrument": "asq-se-2", "result": {"score": 62.5, "outcome": "positive"}}
    it.accept("screening", writer.screening("s-child", {"child": "c-full"}, discussion=discussion, **result))
    own = {"instrument": "audit-c", "caregiver_result": {"score": 7, "outcome": "positive"}}
    said = writer.text("health", "caregiver_discussion")
    it.accept("screening", writer.screening("s-own", {"caregiver": "g-full"}, caregiver_discussion=said, **own))
    assert answers
    for service, kind in SERVICES:
        it.accept("service-referral", writer.referral(f"r-{service}", service, kind, child="c-full"))
    it.accept("service-referral", writer.referral("r-own", "adult-mental-health", "health", caregiver="g-full"))
    it.accept("team", writer.team("t-full", "c-full"))
    it.accept("dyad", writer.dyad("d-full", "c-full"))
    it.accept("consent", writer.consent("a-full", "maple", child="c-full", caregiver="g-full"))
    it.accept("consent", writer.consent("a-over", "oak", child="c-full", caregiver="g-full", revoked="2026-01-02"))
    it.pilot.settle()
    assert "delivered" in it.states("k-full")
    it.accept("contact", contact, fate=Fate.RESEND)
    later = {"updated_at": "2026-03-05T10:00:00-05:00", "status": "amended"}
    it.accept("contact", writer.contact("k-full", "c-full", caregiver="g-full", **later), fate=Fate.VERSION)
    older = writer.contact("k-full", "c-full", updated_at="2026-03-01T11:30:00-05:00")
    it.accept("contact", older, fate=Fate.OLDER)
    void = {"id": "k-void", "status": "void", "child": "c-full", "updated_at": "2026-03-05", **writer.never("void")}
    it.accept("contact", void, fate=Fate.VOID)
    it.pilot.settle()
    assert "retracted" in it.states("k-void")


SERVICES = (
    ("food-pantry", "staff"),
    ("legal-aid", "legal"),
    ("substance-use-treatment", "substance"),
    ("family-preservation", "welfare"),
    ("shelter", "location"),
    ("domestic-violence", "location"),
    ("housing", "location"),
)
"""Services, and the class that the name of who provides them has."""


def facts_only(it: Campaign) -> None:
    """The family agreed to facts and not to words; one practice searches by GET alone, one takes no documents."""
    for practice in ("maple", "elm", "oak"):
        writer, child = it.writer(f"facts to {practice}"), f"c-facts-{practice}"
        it.ready(child, "no", practice)
        it.accept("contact", writer.contact(f"k-facts-{practice}", child))
        it.accept("care-plan", writer.plan(f"p-facts-{practice}", child, f"g-{practice}"))
    it.accept("service-referral", writer.referral("r-facts", "legal-aid", "legal", child="c-facts-maple"))
    it.pilot.settle()
    assert it.states("r-facts") == {"cancelled"}, "a title over nothing tells that something was withheld"
    assert it.states("k-facts-maple") == it.states("k-facts-elm") == {"delivered"}
    assert it.states("k-facts-oak") == {"held"}
    it.ready("c-facts-maple", "no", "elm")  # a practice that comes late, marked until a worker catches up
    it.snapshot()
    it.pilot.settle()


def gathered(it: Campaign) -> None:
    """A practice that wants its screenings by the week: what was accepted two weeks ago is due."""
    writer, fortnight = it.writer("gathered", "released"), 14 * 86_400
    it.ready("c-week", practice="elm")
    it.pilot.clock.skip(-fortnight)
    for number in (1, 2):
        result: type_json = {"instrument": "asq-se-2", "result": {"score": 60.5 + number, "outcome": "positive"}}
        said = writer.text("released", f"discussion {number}")
        it.accept("screening", writer.screening(f"s-week-{number}", {"child": "c-week"}, discussion=said, **result))
    it.pilot.clock.skip(fortnight)
    it.pilot.settle()
    weeks = [entry for entry in it.pilot.entries() if entry["thread"].startswith("roll-up:")]
    assert [entry["state"] for entry in weeks] == ["delivered"]


def flagged(it: Campaign) -> None:
    """Somebody must not be found, and who learned it died before what stands of their family was looked at."""
    with it.crashing(planning, "look_again", "gone"):
        it.accept("child", it.writer("flagged").child("c-flagged"))
        ran(it)
    it.snapshot()
    it.pilot.settle()


def before_consent(it: Campaign) -> None:
    """The practice's own referral is answered where it asked for that; elsewhere, and after a revocation, it is not."""
    for child, practice in (("c-referred", "maple"), ("c-asked", "elm"), ("c-regretted", "maple")):
        it.link(child, practice)
    it.consent("c-regretted")
    writer = it.writer("before consent")
    it.accept("consent", writer.consent("a-regretted", "maple", child="c-regretted", revoked="2026-02-01"))
    with it.crashing(ending, "tell_ended", "gone"), suppress(ValueError):
        granting.revoke(it.pilot.line, AGENCY, "c-regretted", "maple", "test", it.pilot.clock())
    it.snapshot()
    it.accept("referral-status", writer.referral_status("rs-1", "c-referred"))
    it.accept("contact", writer.contact("k-referred", "c-referred"))
    it.accept("referral-status", writer.referral_status("rs-2", "c-asked", "unreleased"))
    it.accept("referral-status", writer.referral_status("rs-3", "c-regretted", "unreleased"))
    it.pilot.settle()
    assert it.states("rs-1") == {"delivered"}
    assert it.states("rs-2") == it.states("rs-3") == it.states("k-referred") == {"held"}


def referred(it: Campaign) -> None:
    """What a practice wrote when it referred: changed, placed and answered; one that nobody placed; one in error."""
    it.accept("child", it.writer("referred").child("c-placed", "2018-11-24"))
    it.pilot.work()
    now = it.pilot.clock()
    first = refer(it, "REF-1", note=[{"text": it.marks.text("referred", "a note")}])
    later = {"meta": {"lastUpdated": "2026-02-20T10:00:00Z"}}
    second = refer(it, "REF-1", **later, patientInstruction=it.marks.text("referred", "an instruction"))
    assert first != second
    assert referring.place(it.pilot.line, second, "c-placed", "ana", now)
    refer(it, it.marks.word("referred", "a referral's number"), priority="urgent")
    refer(it, it.marks.word("referred", "a referral's number"), status="entered-in-error")
    it.accept("referral-status", it.writer("placed").referral_status("rs-placed", "c-placed"))
    it.pilot.settle()
    assert "referral" in it.reasons()


def refer(it: Campaign, number: str, **more: Any) -> int:
    """The number of a referral of a patient whom nobody knows yet."""
    project, resource = it.pilot.line.project, referral_of(it, number, **more)
    of = project.practices["maple"], project.agencies[AGENCY]
    answer = referring.accept(it.pilot.line, *of, resource, "practice:maple", it.pilot.clock(), "body")
    assert answer.record is not None, answer.problem
    return answer.record


def referral_of(it: Campaign, number: str, **more: Any) -> type_json:
    """A ServiceRequest with its Patient; everything in it is marked."""
    marks = it.marks
    name = {"family": marks.word("referred", "a family name"), "given": [marks.word("referred", "a given name")]}
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": "urn:oid:1.2.3", "value": f"n-{number}"}],
        "name": [name],
    }
    return {
        "resourceType": "ServiceRequest",
        "contained": [patient],
        "identifier": [{"system": "urn:oid:1.2.4", "value": number}],
        "status": "active",
        "intent": "order",
        "subject": {"reference": "#p"},
        "code": {"text": marks.text("referred", "what is asked for")},
        "reasonCode": [{"text": marks.text("referred", "a reason")}],
        "requester": {"display": marks.word("referred", "who referred")},
        **more,
    }


# ── ways that are held ────────────────────────────────────────────────────────────────────────────────────────────
def held(it: Campaign) -> None:
    """No consent, one that ended, was taken back or begins later; no link, or a doubtful one; no practice at all."""
    for child in ("c-none", "c-expired", "c-revoked", "c-later"):
        it.link(child)
    it.link("c-later")  # another number than before
    it.pilot.consents("c-expired,maple,2025-01-01,2025-02-01,yes", "c-later,maple,2031-01-01,,yes")
    it.consent("c-revoked")
    granting.revoke(it.pilot.line, AGENCY, "c-revoked", "maple", "test", it.pilot.clock())
    for child in ("c-unlinked", "c-unknown", "c-born", "c-twin-1", "c-twin-2"):
        it.consent(child)
    it.pilot.links("maple", {"c-unknown": it.marks.word("mrn", "a number nobody has")})
    it.accept("child", it.writer("c-born").child("c-born", "2018-11-23"))
    it.link("c-born")
    twins = it.link("c-twin-1")
    it.pilot.links("maple", {"c-twin-2": twins})
    it.pilot.work()
    everybody = ("none", "expired", "revoked", "later", "unlinked", "unknown", "born", "twin-1", "nobody")
    for name in everybody:
        it.accept("contact", it.writer(f"held: {name}").contact(f"k-{name}", f"c-{name}"))
    it.pilot.settle()
    assert {"consent", "link", "practice"} <= it.reasons()
    for name in everybody[:-1]:
        assert "held" in it.states(f"k-{name}"), name
        assert "delivered" not in it.states(f"k-{name}"), name


def guarded(it: Campaign) -> None:
    """Words with a number, an address, a sister's name: read by a person first, and the one they let go leaves."""
    it.ready("c-guard")
    writer, kept = it.writer("guarded", "released"), it.writer("guarded, kept", "guarded")
    sister = writer.child("c-sister", "2018-10-09")
    it.accept("child", sister)
    family = [{"child": one, "relationship": "mother"} for one in ("c-guard", "c-sister")]
    named_otherwise = {"family": "Guardia", "given": ["Marisela"]}  # a name that a caregiver has too is let be
    it.accept("caregiver", {**writer.caregiver("g-guard", "c-guard"), "children": family, "name": named_otherwise})
    it.pilot.work()
    for name, said in (
        ("phone", "617-555-0182"),
        ("place", "12 Elm Street"),
        ("mail", "a@b.example"),
        ("link", "www.x-y.org"),
    ):
        words = f"{kept.text('guarded', f'{name} in the words')} {said}"
        it.accept("contact", kept.contact(f"k-{name}", "c-guard", narrative=words, place_name="", next_steps=""))
    named = f"{kept.text('guarded', 'a sister named')} {sister['name']['given'][0].title()}"
    it.accept("contact", kept.contact("k-sister", "c-guard", narrative=named, next_steps=""))
    goes = f"{writer.text('released', 'let go')} 617-555-0183"
    it.accept("contact", writer.contact("k-let-go", "c-guard", narrative=goes))
    it.pilot.settle()
    asked = {hold["thing"].rpartition("/")[2]: hold["id"] for hold in it.pilot.holds() if "guard:" in hold["waits_for"]}
    assert set(asked) == {"k-phone", "k-place", "k-mail", "k-link", "k-sister", "k-let-go"}
    assert answering.let_leave(it.pilot.line, asked["k-let-go"], "ana", it.pilot.clock())
    answering.decide(it.pilot.line, asked["k-mail"], "", False, True, "ana", it.pilot.clock())
    it.pilot.settle()
    assert "delivered" in it.states("k-let-go")
    assert "held" in it.states("k-sister")


def held_records(it: Campaign) -> None:
    """Codes without a row, impossible times, unwritable words, what only a person can decide, what is not signed."""
    it.ready("c-record")
    writer = it.writer("held record")
    it.accept("contact", writer.contact("k-code", "c-record", place=writer.word("code", "place")))
    it.accept("contact", writer.contact("k-times", "c-record", ended="2026-02-27T10:00:00-05:00"))
    it.accept("contact", writer.contact("k-control", "c-record", narrative=writer.text("unreleased", "bell") + "\x07"))
    it.accept("contact", writer.contact("k-someone", "c-record", **writer.stress()))
    draft = {"id": "k-draft", "status": "draft", "child": "c-record", "narrative": writer.text("unreleased", "draft")}
    it.accept("contact", draft, fate=Fate.UNFINISHED)
    it.accept("contact", writer.contact("k-elsewhere", "c-elsewhere", practice=writer.word("place", "practice")))
    group = {"id": "n-group", "client": "c-record", "interaction": "group", "happened": "2026-02-10"}
    group |= {"updated_at": "2026-02-11", "summary": writer.text("unreleased", "group summary")}
    group |= {"password": writer.text("never", "password"), "status_reason": writer.text("never", "status_reason")}
    it.accept("konote/note", group)
    it.pilot.settle()
    assert {"table", "content", "decision"} <= it.reasons()


def mappings_fail(it: Campaign) -> None:
    """The engine fails on a record; what it made is no FHIR; planning and keeping fail; a worker does not survive."""
    from bridge.mappings.functions import Functions
    from bridge.mappings.translate import Translator
    from bridge.store import plans, records

    it.ready("c-mapping")
    writer = it.writer("mapping fails", "released")
    contacts = [writer.contact(f"k-mapping-{number}", "c-mapping") for number in range(5)]
    said = str(contacts[0]["narrative"])
    it.accept("contact", contacts[0])
    with it.crashing(Functions, "words", said):
        it.pilot.work()
    it.accept("contact", contacts[1])
    with it.crashing(Translator, "translate", said, KeyError):
        it.pilot.work()
    it.accept("contact", contacts[2])
    translate = Translator.translate

    def wrong(self: Translator, *args: Any, **kwargs: Any) -> Any:
        made = translate(self, *args, **kwargs)
        for part in made.parts:
            part.resource.update({"status": said, "unheard-of": said, said: said, "subject": {"reference": said}})
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Translator, "translate", wrong)
        it.pilot.work()
    assert "content" in it.reasons()
    it.accept("contact", contacts[3])
    for target, name in ((planning, "plan"), (plans, "save"), (records, "mark")):
        before = len(it.heard.errors)
        with it.crashing(target, name, said):
            ran(it)
        assert len(it.heard.errors) > before, name
        it.pilot.clock.skip(300)
    it.accept("contact", contacts[4])
    it.pilot.clock.skip(300)
    it.pilot.settle()


# ── ways that fail on the line ────────────────────────────────────────────────────────────────────────────────────
REFUSALS = (400, 403, 404, 405, 409, 413, 422, 429, 500)


def refused(it: Campaign) -> None:
    """The EHR says no and quotes what it was sent, in every status; answers are lost; a login is refused."""
    it.ready("c-refused")
    for status in REFUSALS:
        writer = it.writer(f"refused with {status}", "released")
        contact = writer.contact(f"k-{status}", "c-refused")
        it.refused |= dict.fromkeys(marked(contact["narrative"]), status)
        it.accept("contact", contact)
        it.pilot.work()
        it.snapshot()
        forget(it)  # or nothing more would be sent after the first that says "not supported"
    assert {state for status in (400, 422) for state in it.states(f"k-{status}")} == {"held", "delivered"}
    it.refused.clear()
    for fault in ("drop-after", "half-body"):
        it.taps["maple"].fault(fault=fault, count=1, match={"method": "POST", "type": "DocumentReference"})
        it.accept("contact", it.writer(fault, "released").contact(f"k-{fault}", "c-refused"))
        it.pilot.work()
    it.pilot.settle()
    forget(it)
    changed(it)
    login(it)
    it.pilot.settle()


def forget(it: Campaign) -> None:
    """What a refusal taught is forgotten, and how long it asked to wait."""
    from sqlalchemy import delete, update

    from bridge.store import tables

    with it.pilot.line.ledger.engine.begin() as connection:
        connection.execute(delete(tables.learned))
        connection.execute(update(tables.connection_state).values(not_before=0, learned_per_minute=None))


def changed(it: Campaign) -> None:
    """A correction is refused and quoted; the practice changed what we want to correct."""
    writer = it.writer("corrections", "released")
    for status in (400, 409, 412):
        it.accept("contact", writer.contact(f"k-change-{status}", "c-refused"))
    it.pilot.settle()
    for status in (400, 409, 412):
        later = {"status": "amended", "updated_at": "2026-03-06T10:00:00-05:00"}
        newer = writer.contact(f"k-change-{status}", "c-refused", **later)
        it.refused |= dict.fromkeys(marked(newer["narrative"]), status)
        it.accept("contact", newer, fate=Fate.VERSION)
        it.pilot.work()
    it.refused.clear()


def login(it: Campaign) -> None:
    """The login is refused, with the words that were sent."""
    contact = it.writer("refused with 401", "released").contact("k-401", "c-refused")
    it.refused |= dict.fromkeys(marked(contact["narrative"]), 401)
    it.accept("contact", contact)
    it.pilot.work()
    it.refused.clear()
    with it.pilot.line.ledger.read() as connection:
        assert leases.closed_connections(connection, it.pilot.clock()) == {"maple-ehr": "login refused"}
    it.pilot.clock.skip(7200)


def crashes(it: Campaign) -> None:
    """A worker fails at every stage of a sending, with somebody's words in the error."""
    from bridge.ehr import match
    from bridge.fhir.client import Client
    from bridge.moves import finishing, holding, writing
    from bridge.store import lanes, steps

    it.ready("c-crash")
    stages: Sequence[tuple[Any, str]] = (
        (planning, "parts_of"),
        (match, "candidates"),
        (writing, "shape"),
        (holding, "wrong"),
        (steps, "begin"),
        (Client, "send"),
        (writing, "classify"),
        (finishing, "receipt"),
        (steps, "finish"),
        (lanes, "claim"),
    )
    for number, (target, name) in enumerate(stages):
        writer = it.writer(f"crash in {name}", "released")
        contact = writer.contact(f"k-crash-{number}", "c-crash")
        it.accept("contact", contact)
        before = len(it.heard.errors)
        with it.crashing(target, name, str(contact["narrative"])):
            ran(it)
        assert len(it.heard.errors) > before, name
        it.pilot.clock.skip(300)
    it.pilot.settle()


def ran(it: Campaign) -> None:
    """A worker ran until something went wrong, or nothing was left to do; some failures would be tried for ever."""
    before, patience = len(it.heard.errors), time.monotonic() + 20

    async def turn() -> None:
        async with connected(it.pilot.line):
            working = Worker(it.pilot.line, it.pilot.clock)

            async def watch() -> None:
                while len(it.heard.errors) == before and time.monotonic() < patience:
                    await asyncio.sleep(0.02)
                it.snapshot()
                working.stop()

            watching = asyncio.create_task(watch())
            try:
                await working.run(until_idle=True)
            finally:
                watching.cancel()

    try:
        asyncio.run(turn())
    except Exception as error:  # noqa: BLE001 - as the command's last place would see it
        it.heard.raised(error)


def handed_over(it: Campaign) -> None:
    """A family whose practice has no FHIR server: a contact, its correction, a withdrawal; one that did not agree."""
    writer = it.writer("handed over", "released")
    number = it.marks.word("mrn", "number of c-handed")
    it.pilot.links("pine", {"c-handed": number, "c-silent": it.marks.word("mrn", "number of c-silent")})
    it.consent("c-handed", practice="pine")
    it.accept("child", writer.child("c-handed", practice="pine"))
    it.accept("contact", writer.contact("k-handed", "c-handed"), writer.contact("k-taken", "c-handed"))
    it.accept("contact", it.writer("not agreed").contact("k-silent", "c-silent"))
    it.pilot.settle()
    assert it.states("k-handed") == {"handed-over"}
    later = {"updated_at": "2026-03-05T10:00:00-05:00", "status": "amended"}
    it.accept("contact", writer.contact("k-handed", "c-handed", **later), fate=Fate.VERSION)
    void = {"id": "k-taken", "status": "void", "child": "c-handed", "updated_at": "2026-03-05", **writer.never("void")}
    it.accept("contact", void, fate=Fate.VOID)
    it.pilot.settle()
    assert len(list((it.pilot.folder / "handed").glob("*.hl7"))) == 4


def astray(it: Campaign) -> None:
    """A chart is merged into another; then all that went there is recalled, as another patient's."""
    number = it.link("c-astray")
    it.consent("c-astray")
    writer = it.writer("astray", "released")
    it.accept("contact", writer.contact("k-astray", "c-astray"))
    it.pilot.settle()
    (stood,) = {entry["stands_patient"] for entry in it.pilot.entries() if entry["thread"].endswith("/k-astray")}
    chart, other = writer.patient(number), {"other": {"reference": "Patient/p-survivor"}, "type": "replaced-by"}
    it.taps["maple"].load({**chart, "id": stood, "active": False, "link": [other]}, {**chart, "id": "p-survivor"})
    it.pilot.clock.skip(86_400)
    later = {"status": "amended", "updated_at": "2026-03-07T10:00:00-05:00"}
    it.accept("contact", writer.contact("k-astray", "c-astray", **later), fate=Fate.VERSION)
    it.pilot.settle()
    assert it.states("k-astray") == {"delivered"}
    asked = recalling.Asked(AGENCY, "c-astray", "maple", chart=stood)
    assert recalling.recall(it.pilot.line, asked, "kim", it.pilot.clock())[1].new
    it.snapshot()
    it.pilot.settle()


WAYS = (
    flagged, handed_over, delivered, facts_only, gathered, before_consent, referred, guarded, held, held_records,
    mappings_fail, refused, astray, crashes,
)  # fmt: skip
