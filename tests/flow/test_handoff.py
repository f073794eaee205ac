"""Documents handed over to a practice whose EHR takes none by FHIR: each way, corrected, withdrawn, lost, restarted."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge import sandbox
from bridge.cli import main
from bridge.handoff import journal
from bridge.jobs import alerts, confirming, retrying, standing
from bridge.jobs.open import connected
from bridge.jobs.worker import Worker
from bridge.moves import answering, granting, handing, recalling, suspending
from bridge.moves.confirming import confirm, pages
from bridge.store import alerts as stored
from bridge.store import handoffs, tables, views
from tests.flow.engines import Engine, acknowledged, engine, half, mistaken, silent
from tests.flow.pilot import AGENCY, Pilot, Site, pilot, restored
from tests.flow.test_line import PRACTICE, child, contact, patient
from tests.unit.store.making import rows

VOID = {"id": "k-1", "status": "void", "child": "c-1", "updated_at": "2026-03-05"}
LATER = "2026-03-03T10:00:00-05:00"


@pytest.fixture(scope="module")
def office() -> Iterator[sandbox.Running]:
    """An EHR that is read and not written to."""
    with sandbox.start("nextgen") as running:
        httpx.post(f"{running.admin_url}/load", json=[patient("m-1")]).raise_for_status()
        yield running


@contextmanager
def handed(folder: Path, running: sandbox.Running | None, way: str, **settings: Any) -> Iterator[Pilot]:
    """A practice that is handed documents, its patient linked and its family agreed."""
    base, vendor = (running.base_url, "nextgen") if running is not None else ("", "none")
    with pilot(folder, [Site(PRACTICE, base, vendor, extra=f", handoff: {way}")], **settings) as opened:
        opened.links(PRACTICE, {"c-1": "m-1"})
        opened.consents(f"c-1,{PRACTICE},2026-01-01,,yes")
        opened.accept("ma-soc/child", child(birth_date="2021-03-04"))
        yield opened


@contextmanager
def wired(folder: Path, running: sandbox.Running | None = None, more: str = "") -> Iterator[tuple[Pilot, Engine]]:
    """As `handed`, at an engine's port."""
    with engine() as found:
        way = f"{{ way: mllp, host: 127.0.0.1, port: {found.port}{more} }}"
        with handed(folder, running, way, timeout=1) as opened:
            yield opened, found


def listened(opened: Pilot) -> None:
    """What came back is heard."""

    async def listen() -> None:
        async with connected(opened.line, opened.clock):
            await confirming.listen(opened.line, opened.clock())
            await confirming.remind(opened.line, opened.clock())

    asyncio.run(listen())


def document(opened: Pilot) -> dict[str, Any]:
    """The one entry that is handed over."""
    (found,) = [entry for entry in opened.entries() if entry["name"] == "document"]
    return found


def state(opened: Pilot) -> str:
    return str(document(opened)["state"])


def said(found: Engine) -> list[tuple[str, str, str, str]]:
    """Of each message: trigger, control id, document and parent document."""
    return [(str(one["MSH.F9.R1.C2"]), str(one["MSH.F10"]), str(one["TXA.F12"]), parent(one)) for one in found.messages]


def parent(message: Any) -> str:
    segment = message.segment("TXA")
    return str(segment[13]) if len(segment) > 13 else ""


# ── an engine's port ──────────────────────────────────────────────────────────────────────────────────────────────
def test_r1_an_engine_is_handed_a_contact_its_correction_and_its_withdrawal(
    tmp_path: Path, office: sandbox.Running
) -> None:
    with wired(tmp_path, office) as (maple, found):
        maple.accept("ma-soc/contact", contact(narrative="We read | together & sang."))
        maple.settle()
        assert state(maple) == "delivered", maple.holds()
        maple.accept("ma-soc/contact", contact(narrative="We sang.", updated_at=LATER))
        maple.settle()
        maple.accept("ma-soc/contact", VOID)
        maple.settle()
        assert state(maple) == "retracted"
        (first, second, third, fourth), words = said(found), base64.b64decode(str(found.messages[0]["OBX.F5.R1.C5"]))
        assert (first[0], first[1], first[3]) == ("T02", first[2], "")
        assert (second[0], second[1], second[3]) == ("T10", second[2], first[2])
        assert third == ("T11", f"{second[2]}-C", second[2], "")
        assert fourth == ("T11", f"{first[2]}-C", first[2], ""), "also what is obsolete since it was replaced"
        assert b"We read | together &amp; sang." in words
        assert found.messages[0].segment("PID")[3][0][0] == ["m-1"]


def test_an_answer_that_is_lost_is_asked_for_again_under_the_same_control_id(tmp_path: Path) -> None:
    with wired(tmp_path) as (maple, found):
        found.behave = [silent, half, mistaken]
        maple.accept("ma-soc/contact", contact())
        maple.settle()
        assert state(maple) == "delivered"
        assert len(found.raw) == 4
        assert len(set(found.raw)) == 1, "the very same message"


def test_r26_what_is_perhaps_there_is_not_given_again_once_the_family_said_no(tmp_path: Path) -> None:
    with wired(tmp_path) as (maple, found):
        found.behave = [silent]
        maple.accept("ma-soc/contact", contact(narrative="We read."))
        maple.work()
        assert state(maple) == "unknown"
        granting.revoke(maple.line, maple.agency, "c-1", PRACTICE, "test", maple.clock())
        maple.settle()
        words = [base64.b64decode(str(one["OBX.F5.R1.C5"])) for one in found.messages]
        assert sum(b"We read." in one for one in words) == 1
        states = {entry["kind"]: entry["state"] for entry in maple.entries()}
        assert states["ma-soc/contact"] == "held"
        ended = [one for one in words if b"We read." not in one]
        assert len(ended) == len(states) - 1 == 1, "that sharing ended is told by the same way"


def test_a_worker_that_dies_after_the_message_left_leaves_it_to_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with wired(tmp_path) as (maple, found):
        kept = handing.follow
        workers: list[Worker] = []

        async def dies(*arguments: Any) -> Any:
            monkeypatch.setattr(handing, "follow", kept)
            workers[0].stop()
            raise asyncio.CancelledError  # the worker is gone

        async def work() -> None:
            async with connected(maple.line, maple.clock):
                workers.append(Worker(maple.line, maple.clock))
                await workers[0].run(until_idle=True)

        monkeypatch.setattr(handing, "follow", dies)
        maple.accept("ma-soc/contact", contact())
        asyncio.run(work())
        assert (state(maple), len(found.raw)) == ("sending", 1)
        maple.clock.skip(121)
        maple.settle()
        assert (state(maple), len(found.raw), len(set(found.raw))) == ("delivered", 2, 1)


def test_silence_can_be_left_to_a_person(tmp_path: Path) -> None:
    with wired(tmp_path, more=", silence: person") as (maple, found):
        found.behave = [silent]
        maple.accept("ma-soc/contact", contact())
        maple.settle()
        assert (state(maple), len(found.raw)) == ("held", 1)
        reference = document(maple)["reference"]
        assert confirm(maple.line, PRACTICE, reference, "confirmed", "test", maple.clock()) == 1
        assert (state(maple), maple.holds()) == ("delivered", [])


def test_what_an_engine_refuses_waits_for_a_person_with_its_codes_and_none_of_its_words(tmp_path: Path) -> None:
    with wired(tmp_path) as (maple, found):
        found.otherwise = acknowledged("AE", "204")
        maple.accept("ma-soc/contact", contact())
        maple.settle()
        (hold,) = maple.holds()
        assert (state(maple), len(found.raw)) == ("held", 1)
        assert hold["rule"].endswith(": AE 204")
        assert "words of the engine" not in hold["rule"]


def test_an_engine_that_is_down_or_busy_gets_it_later_and_a_commit_waits_for_confirmation(tmp_path: Path) -> None:
    with wired(tmp_path) as (maple, found):
        found.behave, found.otherwise = [acknowledged("AR", "207")], acknowledged("CA")
        maple.accept("ma-soc/contact", contact())
        maple.settle()
        assert (state(maple), len(found.raw)) == ("handed-over", 2)
        maple.clock.skip(4 * 86_400)
        listened(maple)
        listened(maple)
        (hold,) = maple.holds()
        assert (hold["reason"], hold["owner"]) == ("notice", "practice")
        assert confirm(maple.line, PRACTICE, document(maple)["reference"], "again", "test", maple.clock()) == 1
        maple.settle()
        assert [one[0] for one in said(found)] == ["T02", "T02", "T02"]
        assert len({one[1] for one in said(found)}) == 2, "handed over anew under a new reference"


def test_r7_r29_an_engine_that_is_down_is_one_alert_and_everybody_else_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each entry found out by itself, for ever, and nobody was told."""
    with engine() as gone:
        port = gone.port
    out = tmp_path / "out"
    out.mkdir()
    sites = [
        Site(PRACTICE, "", "none", extra=f", handoff: {{ way: mllp, host: 127.0.0.1, port: {port} }}"),
        Site("elm", "", "none", extra=f", handoff: {{ way: folder, folder: {out} }}"),
    ]
    children = [f"c-{number}" for number in range(1, 6)]
    with pilot(tmp_path / "pilot", sites, timeout=1) as both:
        for practice in (PRACTICE, "elm"):
            both.links(practice, {one: f"m-{one}" for one in children})
            both.consents(*(f"{one},{practice},2026-01-01,,yes" for one in children))
        both.accept("ma-soc/child", *(child(id=one, birth_date="2021-03-04") for one in children))
        both.accept("ma-soc/contact", *(contact(f"k-{one}", child=one) for one in children))
        both.work()
        assert len(list(out.glob("*.xml"))) == len(children), "the other practice has all"
        down = standing_of(both)
        assert (down.state, down.why, down.waiting) == ("down", "engine not reachable", len(children))
        assert down.next_step.startswith("ask who runs the interface engine")
        capsys.readouterr()
        assert main(["status", "--project", str(both.folder)]) == 0
        told = capsys.readouterr().out
        assert f"hand-off to {PRACTICE} (mllp) is down since " in told
        assert f"hand-off to {PRACTICE} (mllp) has {len(children)} waiting for this practice" in told
        assert "hand-off to elm" not in told
        tried = len(steps_of(both, PRACTICE))
        assert tried < len(children), "the others wait without trying"
        both.clock.skip(3_600)
        both.work()
        assert len(steps_of(both, PRACTICE)) == tried, "what cannot be reached is given nothing"
        message = alerts.message(both.line.project, *alerted(both))
        assert (message["connection"], message["state"], message["cause"]) == (
            f"hand-off/{PRACTICE}", "down", "engine not reachable",
        )  # fmt: skip
        assert [one["practice"] for one in message["contacts"]] == ["Maple Pediatrics"]
        both.clock.skip(3_600)
        with engine(port) as found:
            suspending.suspend(both.line, PRACTICE, "they move house", "test", both.clock())
            assert retried(both) == 0
            suspending.resume(both.line, PRACTICE, "test", both.clock())
            assert (retried(both), found.messages) == (1, []), "reached for, and nothing handed over"
            assert standing_of(both).state == "up"
            both.settle()
            assert len({str(one["MSH.F10"]) for one in found.messages}) == len(children)
            assert len(found.messages) == len(children), "each once"
        assert alerted(both) == []
        assert both.counts()["delivered"] + both.counts()["handed-over"] == 2 * len(children)


def standing_of(opened: Pilot) -> standing.Handing:
    """How the practice's hand-off stands."""
    with opened.line.ledger.read() as connection:
        counts = views.practice_counts(connection)
        found = standing.handings(opened.line.project, connection, opened.clock(), counts)
    return next(one for one in found if one.practice == PRACTICE)


def retried(opened: Pilot) -> int:
    """How many of those that were down were asked."""

    async def run() -> int:
        async with connected(opened.line, opened.clock):
            return await retrying.retry(opened.line, opened.clock)

    return asyncio.run(run())


def steps_of(opened: Pilot, practice: str) -> list[dict[str, Any]]:
    """What was begun for a practice."""
    mine = {entry["id"] for entry in opened.entries() if entry["practice"] == practice}
    return [row for row in rows(opened.line.ledger, tables.step) if row["entry"] in mine]


def alerted(opened: Pilot) -> list[stored.Alert]:
    """The alerts that last."""
    with opened.line.ledger.read() as connection:
        return list(stored.open_alerts(connection).values())


# ── a folder ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_folder_gets_each_document_once_and_an_acknowledgement_beside_it_is_read(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with handed(tmp_path, None, "{ way: folder, folder: out }") as maple:
        maple.accept("ma-soc/contact", contact(narrative="Ñandú & más"))
        maple.settle()
        first = document(maple)["reference"]
        (file,) = out.glob("*.xml")
        assert (file.stem, state(maple)) == (first, "handed-over")
        assert "Ñandú &amp; más" in file.read_text(encoding="utf-8")
        for text in ('extension="m-1"', "<family>Ejemplo</family>", 'value="20210304"'):
            assert text in file.read_text(encoding="utf-8")
        listened(maple)
        assert state(maple) == "handed-over"
        (out / f"{file.name}.ack").touch()
        listened(maple)
        assert state(maple) == "delivered"
        maple.accept("ma-soc/contact", VOID)
        maple.settle()
        word = (out / f"{first}-C.xml").read_text(encoding="utf-8")
        assert first in word
        assert "Ñandú" not in word, "what should be disregarded is not told once more"
        (out / f"{first}-C.ack").write_bytes(
            b"MSH|^~\\&|E|E|B|B|2026||ACK|1|P|2.5.1\rMSA|AA|" + first.encode() + b"-C\r"
        )
        listened(maple)
        assert state(maple) == "retracted"


@pytest.mark.parametrize("stage", list(journal.Stage))
def test_a_kill_anywhere_leaves_one_file_and_the_folder_says_whether_it_was_given(
    tmp_path: Path, stage: journal.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    taken: list[str] = []

    def killed(folder: Path, name: str, content: bytes, digest: str) -> bool:
        """Dies after this stage; the engine takes away what was given."""
        monkeypatch.undo()
        own = folder / journal.OWN
        own.mkdir()
        if stage is not journal.Stage.NONE:
            journal.write(own / f"{name}{journal.PART}", content)
        if stage is journal.Stage.GIVEN:
            journal.write(own / f"{name}{journal.GIVEN}", b"")
            (own / f"{name}{journal.PART}").unlink()
            taken.append(name)
        raise TimeoutError

    with handed(tmp_path, None, "{ way: folder, folder: out }") as maple:
        monkeypatch.setattr(journal, "put", killed)
        maple.accept("ma-soc/contact", contact())
        maple.settle()
        assert state(maple) == "handed-over"
        assert len([*out.glob("*.xml"), *taken]) == 1


@pytest.mark.parametrize("message", ["document", "mdm"])
def test_r1_a_restored_ledger_finds_in_the_folder_what_had_gone_and_hands_nothing_over_twice(
    tmp_path: Path, message: str
) -> None:
    """Nothing of it is in the backup: the agency sends it again, one corrected meanwhile and one withdrawn."""
    out = tmp_path / "out"
    out.mkdir()
    with handed(tmp_path, None, f"{{ way: folder, folder: out, message: {message} }}") as maple:
        with restored(maple):
            maple.accept("ma-soc/contact", *(contact(id=f"k-{number}") for number in (1, 2, 3, 4)))
            maple.settle()
            maple.accept("ma-soc/contact", contact(narrative="We sang.", updated_at=LATER), {**VOID, "id": "k-4"})
            maple.settle()
        given = {file.name for file in out.glob("DB-*")}
        assert len(given) == 6
        for file in out.glob("DB-*"):
            file.unlink()  # the engine took it
        maple.accept("ma-soc/contact", contact(narrative="We sang.", updated_at=LATER), contact(id="k-2"))
        maple.accept("ma-soc/contact", contact(id="k-3", narrative="We danced."), {**VOID, "id": "k-4"})
        maple.settle()
        (again,) = out.glob("DB-*")
        assert again.name not in given, "the one that says something else by now takes the place of what was found"
        assert "We danced." in words_of(again)
        assert maple.counts()["handed-over"] == 3
        assert maple.holds() == []
        for name in given:
            (out / f"{name}.ack").touch()
        listened(maple)
        assert (maple.counts()["delivered"], maple.counts()["handed-over"]) == (2, 1)


def test_a_restored_ledger_finds_what_was_taken_back_since_and_says_it_anew(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with handed(tmp_path, None, "{ way: folder, folder: out, format: text }") as maple:
        maple.accept("ma-soc/contact", contact())
        maple.settle()
        with restored(maple):
            maple.accept("ma-soc/contact", VOID)
            maple.settle()
        maple.accept("ma-soc/contact", contact(narrative="We sang.", updated_at="2026-03-07T10:00:00-05:00"))
        maple.settle()
        assert len(list(out.glob("DB-*"))) == 3
        (new,) = [file for file in out.glob("DB-*") if "We sang." in file.read_text(encoding="utf-8")]
        assert "place" not in new.read_text(encoding="utf-8").splitlines()[0], "in nobody's place"


# ── what the other side holds ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("recall", [False, True])
def test_r7_every_document_that_a_folder_s_readers_hold_is_to_be_disregarded(tmp_path: Path, recall: bool) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with handed(tmp_path, None, "{ way: folder, folder: out, format: text }") as maple:
        first, second = corrected(maple)
        if recall:
            asked = recalling.Asked(AGENCY, "c-1", PRACTICE, reason="content")
            steps, _ = recalling.recall(maple.line, asked, "test", maple.clock())
            assert [back.value for _, back in recalling.documents(maple.line, steps)] == ["handed", "handed"]
        else:
            maple.accept("ma-soc/contact", VOID)
        maple.settle()
        for reference in (first, second):
            word = (out / f"{reference}-C.txt").read_text(encoding="utf-8")
            assert reference in word
            assert "We " not in word
        assert len(list(out.glob("DB-*"))) == 4
        with maple.line.ledger.read() as connection:
            waits = handoffs.waiting(connection, PRACTICE)
        assert sorted(row["reference"] for row in waits) == sorted([first, second])
        (out / f"{first}-C.ack").touch()
        listened(maple)
        assert state(maple) == "handed-over", "the word about the other is not confirmed"
        assert confirm(maple.line, PRACTICE, f"{second}-C", "confirmed", "test", maple.clock()) == 1
        assert state(maple) == "retracted"


def test_r7_what_went_to_a_wrong_chart_and_was_corrected_there_is_removed_whole_and_goes_to_the_right_one(
    tmp_path: Path,
) -> None:
    with sandbox.start("nextgen") as office, wired(tmp_path, office) as (maple, found):
        httpx.post(f"{office.admin_url}/load", json=[patient("m-1"), patient("m-2", id="p-2")]).raise_for_status()
        first, second = corrected(maple)
        recalling.recall(maple.line, recalling.Asked(AGENCY, "c-1", PRACTICE), "test", maple.clock())
        maple.links(PRACTICE, {"c-1": "m-2"})
        maple.settle()
        told = [
            (one[0], one[2], str(message.segment("PID")[3][0][0]))
            for one, message in zip(said(found), found.messages, strict=True)
        ]
        assert told[2:4] == [("T11", second, "m-1"), ("T11", first, "m-1")]
        assert (told[4][0], told[4][2], len(told)) == ("T02", "m-2", 5)
        assert state(maple) == "delivered"


def test_what_is_said_again_while_it_is_taken_back_takes_the_place_of_what_is_left(tmp_path: Path) -> None:
    with wired(tmp_path) as (maple, found):
        first, second = corrected(maple)
        found.behave = [silent]
        maple.accept("ma-soc/contact", VOID)
        maple.work()
        maple.accept("ma-soc/contact", contact(narrative="We read.", updated_at="2026-03-07T10:00:00-05:00"))
        maple.settle()
        (last,) = said(found)[-1:]
        assert (last[0], last[3]) == ("T10", second), "whether the word came is not known"
        assert state(maple) == "delivered"
        maple.accept("ma-soc/contact", {**VOID, "updated_at": "2026-03-08"})
        maple.settle()
        assert [one[2] for one in said(found)[-3:]] == [last[2], second, first]


def test_what_never_came_in_another_s_place_is_handed_over_anew_in_that_one_s_place(tmp_path: Path) -> None:
    with handed(tmp_path, None, "{ way: packet, format: text }") as maple:
        first, second = corrected(maple)
        assert confirm(maple.line, PRACTICE, second, "again", "test", maple.clock()) == 1
        maple.settle()
        reference = document(maple)["reference"]
        assert first in pages(maple.line, PRACTICE, reference).body.decode(), "it names the one that did come"
        maple.accept("ma-soc/contact", VOID)
        maple.settle()
        for one in (reference, first):
            assert one in pages(maple.line, PRACTICE, f"{one}-C").body.decode()
        with maple.line.ledger.read() as connection:
            assert len(handoffs.waiting(connection, PRACTICE)) == 2, "what never came is not asked for"


@pytest.mark.parametrize("refused", [True, False])
def test_what_a_person_answers_about_one_document_leaves_the_others_to_be_taken_back(
    tmp_path: Path, refused: bool
) -> None:
    """The engine refused to remove an obsolete version, or said nothing."""
    with wired(tmp_path, more=", silence: person") as (maple, found):
        first, second = corrected(maple)
        found.behave = [acknowledged("AE", "204") if refused else silent]
        maple.accept("ma-soc/contact", VOID)
        maple.settle()
        assert state(maple) == "held"
        (hold,) = maple.holds()
        if refused:
            assert answering.decide(maple.line, hold["id"], "", True, False, "test", maple.clock())
        else:
            assert confirm(maple.line, PRACTICE, f"{second}-C", "confirmed", "test", maple.clock()) == 1
        maple.settle()
        assert [one[2] for one in said(found)[2:]] == [second, first]
        assert (state(maple), maple.holds()) == ("retracted", [])


def corrected(maple: Pilot) -> tuple[str, str]:
    """A contact and its correction were handed over; their references."""
    maple.accept("ma-soc/contact", contact(narrative="We read."))
    maple.settle()
    first = str(document(maple)["reference"])
    maple.accept("ma-soc/contact", contact(narrative="We sang.", updated_at=LATER))
    maple.settle()
    return first, str(document(maple)["reference"])


def words_of(file: Path) -> str:
    """What a file tells, also one that is a message."""
    text = file.read_text(encoding="utf-8")
    inside = text.partition("^Base64^")[2].partition("|")[0]
    return base64.b64decode(inside).decode() if inside else text


# ── people, plug-ins, prefer ──────────────────────────────────────────────────────────────────────────────────────
def test_a_packet_is_listed_printed_and_confirmed_by_a_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with handed(tmp_path, None, "{ way: packet, format: text }") as maple:
        maple.accept("ma-soc/contact", contact())
        maple.settle()
        assert state(maple) == "handed-over"
        reference, where = document(maple)["reference"], ["--project", str(tmp_path)]
        pages = tmp_path / "pages"

        def bridge(*arguments: str) -> tuple[int, str]:
            code = main(["handoffs", *arguments, *where])
            return code, capsys.readouterr().out

        assert json.loads(bridge("list", "--json")[1])["waiting"][0]["reference"] == reference
        assert bridge("print", PRACTICE, reference, "--to", str(pages)) == (0, f"{pages / reference}.txt\n")
        assert "About: Luz Ejemplo, 2021-03-04" in (pages / f"{reference}.txt").read_text(encoding="utf-8")
        assert bridge("print", PRACTICE, reference, "--to", str(pages))[0] == 2, "nothing is overwritten"
        assert bridge("confirm", PRACTICE, reference) == (0, "1 done\n")
        assert bridge("confirm", PRACTICE, reference)[0] == 1
        assert state(maple) == "delivered"


def test_a_plug_in_is_given_the_document_and_its_patient(tmp_path: Path) -> None:
    from tests.flow import an_office

    an_office.inbox.clear()
    an_office.says[:] = ["raise", "unknown", "accepted"]
    way = '{ way: plugin, plugin: "tests.flow.an_office:file_it" }'
    with handed(tmp_path, None, way) as maple:
        maple.accept("ma-soc/contact", contact(narrative="We read."))
        maple.settle()
        assert state(maple) == "delivered"
        (over,) = an_office.inbox
        assert (over.patient.value, over.patient.family, over.replaces) == ("m-1", "Ejemplo", "")
        assert b"We read." in over.body


def test_a_document_is_in_one_way_though_the_practice_changes_to_another(tmp_path: Path) -> None:
    with sandbox.start("open") as running:
        httpx.post(f"{running.admin_url}/load", json=[patient("m-1")]).raise_for_status()
        out = tmp_path / "out"
        out.mkdir()
        with pilot(tmp_path, [Site(PRACTICE, running.base_url)]) as maple:
            maple.links(PRACTICE, {"c-1": "m-1"})
            maple.consents(f"c-1,{PRACTICE},2026-01-01,,yes")
            maple.accept("ma-soc/child", child(birth_date="2021-03-04"))
            maple.accept("ma-soc/contact", contact())
            maple.settle()
            assert state(maple) == "delivered"
        site = Site(PRACTICE, running.base_url, extra=", handoff: { way: folder, folder: out, prefer: true }")
        with pilot(tmp_path, [site]) as maple:
            maple.accept("ma-soc/contact", contact(narrative="We sang.", updated_at=LATER))
            maple.accept("ma-soc/contact", contact(id="k-2"))
            maple.settle()
            routes = {entry["thread"].rpartition("/")[2]: entry["state"] for entry in maple.entries()}
            assert routes == {"k-1": "delivered", "k-2": "handed-over"}, "what stands is corrected where it stands"
            assert len(list(out.glob("*.xml"))) == 1


def test_r25_without_certainty_whose_it_is_nothing_is_handed_over(tmp_path: Path) -> None:
    with wired(tmp_path) as (maple, found):
        maple.links(PRACTICE, {"c-2": "m-1"})  # twins on one line of the roster
        maple.accept("ma-soc/contact", contact())
        maple.settle()
        assert (state(maple), found.raw) == ("held", [])
        assert [hold["reason"] for hold in maple.holds() if hold["entry"]] == ["link"]


def test_a_patient_nobody_named_in_full_is_asked_for(tmp_path: Path) -> None:
    with wired(tmp_path) as (maple, found):
        maple.accept("ma-soc/child", child(updated_at="2026-06-01"))
        maple.accept("ma-soc/contact", contact())
        maple.settle()
        assert (state(maple), found.raw) == ("held", [])
        assert "name or birth date" in next(hold["rule"] for hold in maple.holds() if hold["entry"])


def test_a_week_s_roll_up_is_handed_over_once_and_reissued_when_a_contact_is_corrected(tmp_path: Path) -> None:
    with engine() as found:
        way = (
            f"{{ way: mllp, host: 127.0.0.1, port: {found.port} }}, cadence: {{ kinds: {{ ma-soc/contact: weekly }} }}"
        )
        with handed(tmp_path, None, way, timeout=1) as maple:
            maple.accept("ma-soc/contact", contact(narrative="We read."), contact(id="k-2", narrative="We sang."))
            maple.settle(within=30 * 86_400)
            (first,) = found.messages
            words = base64.b64decode(str(first["OBX.F5.R1.C5"]))
            assert b"We read." in words
            assert b"We sang." in words
            maple.accept("ma-soc/contact", contact(narrative="We danced.", updated_at=LATER))
            maple.settle(within=30 * 86_400)
            assert [one[0] for one in said(found)] == ["T02", "T10"]
            assert b"We danced." in base64.b64decode(str(found.messages[1]["OBX.F5.R1.C5"]))


def test_r25_what_was_handed_over_for_one_patient_is_not_corrected_in_another_s_chart(tmp_path: Path) -> None:
    with wired(tmp_path) as (maple, found):
        maple.accept("ma-soc/contact", contact(), contact(id="k-2"))
        maple.settle()
        maple.links(PRACTICE, {"c-1": "m-2"})  # the practice says now that it is another patient
        maple.accept("ma-soc/contact", contact(narrative="We sang.", updated_at=LATER), {**VOID, "id": "k-2"})
        maple.settle()
        states = {entry["thread"].rpartition("/")[2]: entry["state"] for entry in maple.entries()}
        assert states == {"k-1": "held", "k-2": "retracted"}
        assert [one[0] for one in said(found)] == ["T02", "T02", "T11"]
        assert "m-1" in str(found.messages[-1].segment("PID")[3]), "it is taken back where it was handed over"


def test_a_dry_run_hands_nothing_over_and_says_what_it_would(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def planned() -> None:
        async with connected(maple.line, maple.clock):
            while Worker(maple.line, maple.clock).translate_some():
                pass

    with wired(tmp_path) as (maple, found):
        maple.accept("ma-soc/contact", contact(narrative="We read."))
        asyncio.run(planned())
        assert main(["work", "--dry-run", "--json", "--project", str(tmp_path)]) == 0
        (one,) = json.loads(capsys.readouterr().out)["requests"]
        assert (one["method"], one["url"], one["route"], one["action"]) == ("HAND-OVER", "mllp", "handoff", "create")
        assert "Ejemplo" not in json.dumps(one)
        assert found.raw == []
