"""The canary campaign by command: every command, files of every format, lists, the bridge as a process, figures."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import openpyxl
import pytest
import typer

from bench import line as bench
from bench.caseload import records_of
from bridge import cli
from bridge.api.app import create_app
from bridge.cli.run import build
from bridge.demo import counts, told
from bridge.demo.cast import cast_of
from bridge.demo.ehrs import Ehr
from bridge.jobs import alerts
from bridge.jobs.collect import watch
from bridge.moves import signing
from bridge.store import browsing, budgets, leases, recalls, suspending
from bridge.store import referrals as kept
from tests.flow.channels import Listening
from tests.flow.flights import referral_of
from tests.flow.knocking import RECORDS, Visitor, agencies_door, forms, handed, pages, practices_door, whole
from tests.flow.opened import KEY, Campaign
from tests.flow.pilot import AGENCY
from tests.flow.spoilt import bad_records, bad_rows, broken_texts


def commands() -> Iterator[str]:
    """Every command, with its group."""

    def walk(command: Any, before: tuple[str, ...]) -> Iterator[str]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield " ".join(before)
            return
        for name, one in inner.items():
            yield from walk(one, (*before, name))

    return walk(typer.main.get_command(build()), ())


def rosters(it: Campaign) -> None:
    """Lists taken in from the page and by command, with rows, columns and bytes that are wrong."""
    visitor = Visitor(it, create_app(it.pilot.line, it.pilot.clock), "kim")
    for which, rows in bad_rows(it.marks).items():
        text = "\n".join(rows).encode()
        header = f"{it.marks.text('rejected', 'a column')},b\n1,2".encode()
        for number, content in enumerate((text, header, text.decode().encode("utf-16"), b"\xff\xfe\x00" + text)):
            visitor.send(f"/console/sharing/{which}", {}, files={"file": (f"{which}.csv", content, "text/csv")})
            path = it.pilot.folder / f"{which}-{number}.csv"
            path.write_bytes(content)
            command(it, f"{which} import", str(path))
            command(it, f"{which} import", str(path), "--json")


# ── commands and files ────────────────────────────────────────────────────────────────────────────────────────────
def command(it: Campaign, name: str, *arguments: str, project: bool = True) -> int:
    """The command's exit code; what it printed is heard. It sets logging up for itself."""
    out, err = io.StringIO(), io.StringIO()
    where = ["--project", str(it.pilot.folder)] if project else []
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(["--log-level", "debug", *name.split(), *arguments, *where])
    it.heard.commands.append((name, out.getvalue() + err.getvalue()))
    Listening(it.heard).install()
    return code


def looked(it: Campaign) -> None:
    """Every command that shows something, over a ledger full of marks."""
    for name in ("check", "mappings"):
        command(it, name)
    command(it, "mappings schemas", str(it.pilot.folder / "schemas"))
    command(it, "tables export", "ma-soc/contact-place")
    command(it, "tables export", it.marks.word("rejected", "a command"))
    unread = it.pilot.folder / "map.json"
    unread.write_text(it.marks.word("rejected", "a concept map"), encoding="utf-8")
    command(it, "tables import", str(unread), "taken")
    for json_too in ((), ("--json",)):
        for name in ("status", "doctor", "access people", "tables list"):
            command(it, name, *json_too)
        command(it, "held list", "--limit", "500", *json_too)
        command(it, "access link", "ana", *json_too)
        command(it, "capabilities", "maple", *json_too)
        command(it, "capabilities", "maple", "--changes", *json_too)
        command(it, "capabilities", "maple", "--refresh", *json_too)
        command(it, "capabilities", "maple", "--forget", "Task", it.marks.word("rejected", "a refusal"), *json_too)
        command(it, "practices list", *json_too)
        for number in sorted({entry["record"] for entry in it.pilot.entries()})[:2]:
            command(it, "record", str(number), *json_too)
        command(it, "record", it.marks.word("rejected", "a command"), *json_too)
    for hold in {hold["reason"]: hold["id"] for hold in it.pilot.holds()}.values():
        command(it, "held show", str(hold))


def handoffs(it: Campaign, said: str) -> None:
    """What was handed over: listed, printed, confirmed, handed over anew, and what was not."""
    folder = str(it.pilot.folder / "printed")
    references = handed(it)
    for json_too in ((), ("--json",)):
        command(it, "handoffs list", *json_too)
        command(it, "handoffs print", "pine", *references, "--to", folder, *json_too)  # the second time they are there
        command(it, "handoffs print", "pine", said, "--to", folder, *json_too)
        command(it, "handoffs confirm", "pine", said, *json_too)
        command(it, "handoffs again", said, references[0], *json_too)
    command(it, "handoffs again", "pine", references[0])
    command(it, "handoffs confirm", "pine", *references[1:])


def consents(it: Campaign, said: str) -> None:
    """Forms one at a time and as FHIR, also such as cannot be read."""
    command(it, "consents give", AGENCY, "c-roster", "maple", "--from", "2026-02-01", "--classes", "narrative")
    command(it, "consents give", AGENCY, "c-roster", "maple", "--from", said, "--classes", said, "--authority", said)
    for json_too in ((), ("--json",)):
        command(it, "consents list", AGENCY, "c-roster", *json_too)
    command(it, "consents suspend", AGENCY, "c-roster")
    command(it, "consents export", "--agency", AGENCY)
    file = it.pilot.folder / "consents.ndjson"
    file.write_text(it.heard.commands[-1][1], encoding="utf-8")
    command(it, "consents import", str(file), "--agency", AGENCY)
    whole = json.loads(next(line for line in file.read_bytes().splitlines() if line.startswith(b"{")))
    for spoilt in ({**whole, "status": said}, {**whole, "scope": {"text": said}}, {**whole, "patient": said}, said):
        broken = it.pilot.folder / "spoilt.json"
        broken.write_text(json.dumps(spoilt), encoding="utf-8")
        command(it, "consents import", str(broken), "--agency", AGENCY)
    file.unlink()


def referrals(it: Campaign, said: str) -> None:
    """Practices' referrals from files, good and spoilt; listed, placed and declined."""
    good = referral_of(it, it.marks.word("referred", "a referral's number"))
    file = it.pilot.folder / "referrals.ndjson"
    spoilt = [{**good, "status": said}, {**good, said: said}, {"resourceType": said}]
    file.write_text("\n".join(map(json.dumps, [good, *spoilt])), encoding="utf-8")
    for json_too in ((), ("--json",)):
        command(it, "referrals accept", str(file), "--practice", "maple", "--agency", AGENCY, *json_too)
        command(it, "referrals list", *json_too)
    file.unlink()
    with it.pilot.line.ledger.read() as connection:
        found = [one for one in kept.listed(connection) if one["state"] == "received"]
    command(it, "referrals accept", str(file), "--practice", said)
    command(it, "referrals place", str(found[0]["id"]), said)
    command(it, "referrals decline", str(found[0]["id"]))


def by_command(it: Campaign) -> None:
    """Every command that changes something."""
    holds = {hold["reason"]: hold for hold in it.pilot.holds()}
    for json_too in ((), ("--json",)):
        command(it, "work", "--dry-run", *json_too)
        command(it, "work", "--until-idle", *json_too)
        command(it, "held retry", "--reason", "content", *json_too)
    for hold in holds.values():
        command(it, "held answer", str(hold["id"]), "--drop")
        command(it, "held answer", str(hold["id"]), "--keep", "--json")
    said = it.marks.word("rejected", "a command")
    command(it, "held answer", str(holds["decision"]["id"]), "--stands", f"{said} {said}")
    command(it, "held row", AGENCY, "ma-soc/contact-place", "elsewhere", "--display", "Elsewhere")
    command(it, "held row", AGENCY, said, said, "--display", "x")
    signed_in(it, said)
    command(it, "consents revoke", AGENCY, "c-roster", "maple")
    consents(it, said)
    referrals(it, said)
    handoffs(it, said)
    taken_back(it, said)
    for json_too in ((), ("--json",)):
        command(it, "practices suspend", "maple", "--reason", "as they asked", *json_too)
        command(it, "status", *json_too)
        command(it, "practices list", *json_too)
        command(it, "practices resume", "maple", *json_too)
        command(it, "practices suspend", said, *json_too)
    command(it, "restored", "--reason", "backup")
    package = it.pilot.folder / "package.tgz"
    package.write_bytes(gzip.compress(said.encode()))
    command(it, "definitions add", str(package))
    command(it, "init", str(it.pilot.folder / "another"), project=False)


def taken_back(it: Campaign, said: str) -> None:
    """What went to one chart is recalled, and the recall lifted; also where the words asked with are somebody's."""
    asked = ("--practice", "maple", "--person", f"{AGENCY}/c-full")
    for json_too in ((), ("--json",)):
        command(it, "recall", *asked, "--dry-run", *json_too)
        command(it, "recall", *asked, "--reason", "content", "--since", "2026-01-01T00:00:00Z", *json_too)
        command(it, "recall", "--list", *json_too)
        command(it, "recall", "--person", said, "--practice", said, "--since", said, *json_too)
    recalled(it, said)
    with it.pilot.line.ledger.read() as connection:
        found = recalls.incidents(connection)
    (lifted,) = [one["id"] for one in found if one["reason"] == recalls.WRONG_CHART]
    command(it, "recall", "--lift", str(lifted))


def recalled(it: Campaign, said: str) -> None:
    """The same on the pages: looked at, asked for wrongly, taken back; the incident shown, and lifted."""
    with it.pilot.line.ledger.read() as connection:
        (found,) = browsing.find_person(connection, "c-full", AGENCY)
        steps = [step for step in recalls.went(connection, AGENCY, "c-full", "maple") if step["patient"]]
    visitor = Visitor(it, create_app(it.pilot.line, it.pilot.clock), "kim")
    at, asked = {"number": found["id"]}, {"practice": "maple", "chart": steps[-1]["patient"], "reason": "content"}
    visitor.get("/console/people/{number}/recall", **at)
    page = "/console/people/{number}/recall"
    for wrong in ({}, {"reason": said}, {"chart": said}, {"practice": said}, {"since": said}):
        shown = visitor.send(f"{page}/preview", asked | wrong, at=at)
        visitor.send(page, asked | wrong | {"seen": said}, at=at)
        assert shown.status_code == (422 if wrong else 200)
    seen = re.findall(r'name="seen" value="([^"]+)"', visitor.send(f"{page}/preview", asked, at=at).text)[0]
    answer = visitor.send(page, asked | {"seen": seen}, at=at)
    assert answer.status_code == 303, answer.text
    number = int(re.findall(r"/incidents/(\d+)", answer.headers["location"])[0])
    visitor.get("/console/incidents")
    visitor.get("/console/incidents/{number}", f"?said={said}&count=1", number=number)
    visitor.send("/console/incidents/{number}/lift", {}, at={"number": number})


def signed_in(it: Campaign, said: str) -> None:
    """Every command about keys; the one that signs for the campaign's EHRs stays."""
    for json_too in ((), ("--json",)):
        command(it, "keys new", *json_too)  # there is one
        command(it, "keys new", "--kind", "production", "--algorithm", "RS384" if json_too else "ES384", *json_too)
        command(it, "keys rotate", *json_too)
        command(it, "keys list", *json_too)
        command(it, "keys retire", said, *json_too)
    known = signing.keys(it.pilot.line.ledger)
    for key in known:
        if key.kind == "production" or key.signs_from > it.pilot.clock():
            command(it, "keys retire", key.kid, "--now")


def files(it: Campaign) -> None:
    """Records in files of every format, good and bad, by command, by query and from the watched folder."""
    writer, folder = it.writer("files"), it.pilot.folder / "files"
    folder.mkdir()
    drafts = [{"id": f"k-file-{n}", "status": "draft", "child": "c-file"} for n in range(3)]
    for draft in drafts:
        draft |= {
            "narrative": writer.text("unreleased", "a cell"),
            "home_observation": writer.text("agencyonly", "a cell"),
        }
    bad = it.writer("refused in a file")
    rows = [*drafts, *bad_records(bad)]
    name = it.marks.word("filename", "a file's name")
    (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    (folder / "broken.json").write_text(broken_texts(bad)[4], encoding="utf-8")
    lines = [*map(json.dumps, rows), *broken_texts(bad)]
    (folder / "lines.ndjson").write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    columns = ["id", "status", "child", "narrative", "self_disclosure", "phone"]
    cells = [[f"k-cell-{n}", "draft", "c-file", writer.text("unreleased", "a cell"), writer.text("never", "a cell"),
              writer.text("agencyonly", "a cell")] for n in range(2)]  # fmt: skip
    cells.append(["k-cell-9", bad.text("rejected", "a cell"), "c-file", bad.text("rejected", "a cell"), "", ""])
    quoted = [",".join(f'"{cell}"' for cell in row) for row in (columns, *cells)]
    ragged = f'"{bad.text("rejected", "a short row")}",1'
    (folder / "table.csv").write_text("\n".join([*quoted, ragged]), encoding="utf-8")
    (folder / "header.csv").write_text(f"{bad.text('rejected', 'a header').replace(',', ';')}\t;x\n1", encoding="utf-8")
    workbook(folder / "table.xlsx", [columns, *cells], bad.text("rejected", "a second sheet"), sheets=1)
    workbook(folder / "sheets.xlsx", [columns, *cells], bad.text("rejected", "a second sheet"), sheets=2)
    for path in sorted(folder.iterdir()):
        kind = "ma-soc/contact"
        command(it, "accept", str(path), "--kind", kind)
        command(it, "accept", str(path), "--kind", kind, "--json")
    for path in sorted([*folder.glob("*.csv"), *folder.glob("*.xlsx")]):  # whose fields have the names of fields
        drawn = it.pilot.folder / "drawn" / path.suffix[1:]
        command(it, "draft", str(path), "--kind", "drawn/rows", "--into", str(drawn), "--force")
        for made in sorted(drawn.rglob("*.*")):
            it.heard.commands.append(("draft", made.read_text(encoding="utf-8")))
    for broken in ("broken.json", "header.csv"):  # of a good record it shows, on purpose, what its mapping makes
        command(it, "try", "ma-soc/contact", str(folder / broken))
    query = it.pilot.folder / "query.sql"
    source = "read_json_objects(getvariable('folder') || '/" + name + ".json', format = 'array')"
    for select in (
        "json",
        "CAST(json->>'narrative' AS INTEGER)",
        "no_such_column",
        f"error('{bad.text('rejected', 'sql').replace('«', '')}')",
    ):
        query.write_text(f"SELECT {select} FROM {source}", encoding="utf-8")
        command(it, "accept", str(folder), "--query", str(query), "--kind", "ma-soc/contact")
    watched(it, folder)


def previews(it: Campaign) -> None:
    """What would leave, with lists and FHIR Consents, good and spoilt: of what stays not a word is shown."""
    kept, agreed, bad = it.writer("preview"), it.writer("preview", "released"), it.writer("refused in a preview")
    records, forms = it.pilot.folder / "preview.ndjson", it.pilot.folder / "preview.csv"
    facts = agreed.contact("k-shown", "c-shown") | {"narrative": agreed.text("released", "narrative")}
    told = [kept.contact("k-facts", "c-facts"), kept.contact("k-nobody", "c-nobody"), facts, *bad_records(bad)]
    records.write_text("\n".join(map(json.dumps, told)), encoding="utf-8")
    header = "agency,person,practice,from,until,narrative"
    rows = [f"{AGENCY},c-facts,maple,2026-01-01,,no", f"{AGENCY},c-shown,maple,2026-01-01,,yes"]
    said = it.marks.word("rejected", "a consent of a preview")
    spoilt = [f"{said},{said},{said},{said},{said},{said}", f"{AGENCY},c-facts,maple,{said},{said},{said}"]
    asked = ("try", "ma-soc/contact", str(records), "--agency", AGENCY, "--recipient", "maple", "--at", "2026-03-02")
    for listed in (rows, [*rows, *spoilt], [said]):
        forms.write_text("\n".join([header, *listed]), encoding="utf-8")
        for json_too in ((), ("--json",)):
            command(it, *asked, "--consents", str(forms), *json_too)
    written = it.pilot.folder / "preview.json"
    for one in ({"resourceType": "Consent", "status": said}, {"id": said}, said, [{"child": "c-facts", "from": said}]):
        written.write_text(json.dumps(one), encoding="utf-8")
        command(it, *asked, "--consents", str(written))
    requests = (*asked[:5], "--practice", "maple")
    for json_too in ((), ("--json",)):
        command(it, *requests, *json_too)
    command(it, *requests[:-1], said)
    command(it, *requests, "--statement", str(written))
    command(it, *asked[:-1], said)
    command(it, *asked[:-3], said)
    for path in (records, forms, written):
        path.unlink()


def workbook(path: Any, rows: list[list[str]], said: str, sheets: int) -> None:
    """A workbook of these rows, perhaps with a second sheet that says something."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if sheets > 1:
        book.create_sheet("more").append([said])
    book.save(path)


def watched(it: Campaign, folder: Any) -> None:
    """The same files, put into the agency's watched folder."""
    inbox = it.pilot.folder / "inbox" / "ma-soc" / "contact"
    inbox.mkdir(parents=True)
    for path in sorted(folder.iterdir()):
        (inbox / path.name).write_bytes(path.read_bytes())
    line = it.pilot.line
    assert watch(line, line.project.agencies[AGENCY], it.pilot.clock) >= 5
    it.heard.files += sorted(inbox.glob("*.answer"))
    assert len(it.heard.files) >= 5


def served(it: Campaign) -> None:
    """The whole bridge as a process of its own: asked, given bad records, stopped. Its output is heard."""
    refused = it.writer("refused by a process")
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "--log-level", "debug", "--log", "json", "serve", "--port", "0",
         "--project", str(it.pilot.folder), "--sign-in", "ana"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    try:
        while "READY" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        base = re.findall(r"READY (\S+)", said)[0]
        for record in bad_records(refused)[:4]:
            answer = httpx.post(
                f"{base}/agencies/{AGENCY}/records", params={"kind": "ma-soc/contact"}, json=record,
                headers={"Authorization": f"Bearer {KEY}"},
            )  # fmt: skip
            it.heard.answers.append((f"POST {RECORDS} {answer.status_code}", whole(answer)))
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"{base}/{refused.word('rejected', 'a path')}?q={refused.word('rejected', 'a query')}")
        time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGTERM)
        said += process.communicate(timeout=30)[0]
    it.heard.commands.append(("serve", said))
    assert process.returncode == 0, said


# ── figures ───────────────────────────────────────────────────────────────────────────────────────────────────────
def told_by_demo(it: Campaign) -> None:
    """What the demo tells of this ledger and these EHRs."""
    line = it.pilot.line
    cast = cast_of(line.project)
    cast = replace(cast, sites=tuple(site for site in cast.sites if site.id in it.taps))
    ehrs = {name: Ehr(tap.ehr.base_url) for name, tap in it.taps.items()}
    told_of = counts.counted(line, cast, ehrs, {"never said"}, 1.0)
    it.heard.figures.append(("demo --json", json.dumps([told_of.answer, told_of.wrong], ensure_ascii=False)))
    it.heard.figures.append(("demo", "\n".join([*told.practices(cast, told_of), *told.questions(told_of)])))


def measured(it: Campaign) -> None:
    """What a bench writes of records like these."""
    writer = it.writer("bench", "released")

    def marked_records(*arguments: Any) -> Iterator[dict[str, Any]]:
        for record in records_of(*arguments):
            yield record | {"narrative": writer.text("released", "narrative"), **writer.never("bench")}

    path = it.pilot.folder / "figures.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "records_of", marked_records)
        way = next(iter(bench.ways("sqlite", [1])))
        found = bench.measure(way, 4, 1, "sqlite:///ledger.sqlite", {}, None)
        bench.write(path, 1, [found], [found])
    it.heard.figures.append(("bench.line", path.read_text(encoding="utf-8") + found.line()))


def paced(it: Campaign) -> None:
    """A budget spent and learned, an alert told both ways, a practice suspended that nothing else is about."""
    ledger, now = it.pilot.line.ledger, it.pilot.clock()
    ask = budgets.Ask("nobody-ehr", now, now, now + 1, budgets.Most(minute=30), 30, 0)
    ledger.write(budgets.take, replace(ask, most=budgets.Most()))
    ledger.write(budgets.too_many, budgets.TooMany("nobody-ehr", now, now, "it asked us to wait", learn=True))
    ledger.write(budgets.keep_width, ("nobody-ehr", 2))
    for until in (now + 1, 0):
        ledger.write(leases.went, leases.Went("catch-up", "KeyError at bridge/log.py:1 event", now))
        ledger.write(leases.set_circuit, leases.Circuit("nobody-ehr", until, "login refused", now - 3_600_000_000))
        asyncio.run(alerts.tell(it.pilot.line, it.pilot.clock))
    ledger.write(suspending.suspend, suspending.Suspend("nobody", "as they asked", "test", now))
    command(it, "status")


KNOCKS = (
    agencies_door,
    practices_door,
    pages,
    looked,
    rosters,
    forms,
    files,
    previews,
    by_command,
    paced,
    served,
    told_by_demo,
    measured,
)
