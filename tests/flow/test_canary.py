"""R24, R27, and issue by issue everything that must never flow: marked phrases through every way, found nowhere.

`flights`, `knocking` and `running` push marked records through; `channels` is where they could come out; `canaries.MAY`
says where each class may be. The scan is proven able to fail: `plants` has a leak for every channel. A door, page,
command, column or way out of the process that no channel reads fails here: what is built later brings its canary.
"""

from __future__ import annotations

import ast
import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

import bridge
from bridge.api.app import create_app
from bridge.moves import signing
from bridge.store import tables
from tests.flow import canaries, flights, knocking, running
from tests.flow.canaries import MAY, misplaced
from tests.flow.channels import CHANNELS, Run, Sighting, columns, sightings
from tests.flow.keys import bearers
from tests.flow.opened import Campaign, campaign
from tests.flow.plants import PLANTS, flight

COMMANDS_NOT_FLOWN = {
    "demo": "its caseload is invented; what it tells of a ledger and of EHRs is the channel `figures`",
    "sandbox": "it holds invented data and knows nothing of records",
}
COLUMNS_NOT_FILLED = {f"lease.{column}" for column in ("name", "owner", "epoch", "until", "ran_at")}
"""Names of schedules and workers, while a schedule runs."""
WAYS_OUT = {
    "bridge/api/app.py": "answers",
    "bridge/cli/demo.py": "figures",
    "bridge/cli/drafting.py": "commands",
    "bridge/cli/handoffs.py": "handed",
    "bridge/cli/mappings.py": "the schemas of mapping files",
    "bridge/cli/show.py": "commands",
    "bridge/cli/tables.py": "the project's own code tables, from files of codes",
    "bridge/console/sharing.py": "temporary-files",
    "bridge/cli/updating.py": "what invented cases expect",
    "bridge/demo/display.py": "figures",
    "bridge/demo/ehrs.py": "charts",
    "bridge/demo/folder.py": "the demo's own settings",
    "bridge/demo/run.py": "the demo's invented rosters",
    "bridge/fhir/client.py": "requests",
    "bridge/fhir/exchange.py": "requests",
    "bridge/fhir/generate.py": "definitions made from FHIR packages",
    "bridge/fhir/packages.py": "definitions made from FHIR packages",
    "bridge/handoff/direct.py": "what is in `handed`, signed and encrypted (tests/unit/handoff)",
    "bridge/handoff/journal.py": "handed",
    "bridge/handoff/mllp.py": "the messages that are files in `handed`",
    "bridge/jobs/collect.py": "answer-files",
    "bridge/jobs/alerts.py": "names of the settings, a cause and instants, to the site's own command",
    "bridge/jobs/scratch.py": "temporary-files",
    "bridge/log.py": "stderr",
    "bridge/settings/starter.py": "a new project's settings",
    "bridge/store/keys.py": "a new ledger's key",
}
"""The modules that write files, print, listen, or speak to others: the channel that reads what they let out, or why
nobody's data can reach them. (The ledger itself is read by the three `ledger-` channels.)"""
LETTING_OUT = frozenset(
    {
        "write_text",
        "write_bytes",
        "fdopen",
        "echo",
        "secho",
        "print",
        "AsyncClient",
        "AsyncHTTPTransport",
        "HTTPConnection",
        "Popen",
        "create_subprocess_exec",
        "SMTP",
    }
    | {"TemporaryDirectory", "NamedTemporaryFile", "SpooledTemporaryFile", "TemporaryFile", "mkstemp", "mkdtemp"}
    | {"copytree", "copyfile", "copy2", "socket", "create_connection", "urlopen", "sendmail", "SMTP_SSL"}
    | {"open_connection"}
)


@contextmanager
def process_restored() -> Iterator[None]:
    """Logging and the hooks of this process are as they were."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook, sys.unraisablehook)
    before = root.handlers[:], root.level
    levels = {name: one.level for name, one in root.manager.loggerDict.items() if isinstance(one, logging.Logger)}
    try:
        yield
    finally:
        root.handlers[:], root.level = before
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
        logging.captureWarnings(False)
        for name, one in root.manager.loggerDict.items():
            if isinstance(one, logging.Logger):
                one.setLevel(levels.get(name, logging.NOTSET))


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """Every way was gone once."""
    with ExitStack() as stack:
        with process_restored():
            it = stack.enter_context(campaign(tmp_path_factory.mktemp("campaign")))
            for way in (*flights.WAYS, *running.KNOCKS):
                way(it)
        yield it


@pytest.fixture(scope="module")
def found(flown: Campaign) -> set[Sighting]:
    """Every mark that any channel let out."""
    return sightings(flown.run, literals=flown.marks.literals | secrets_of(flown))


def secrets_of(flown: Campaign) -> dict[bytes, str]:
    """Every token, assertion and private key the campaign signed in with, as no word can stand for it."""
    found: dict[bytes, str] = {}
    for tap in flown.taps.values():
        for asked in tap.asked:
            found |= dict.fromkeys((token.encode() for token in bearers(asked.headers)), "bearer")
            signed = parse_qs(asked.body.decode("utf-8", "replace")).get("client_assertion", ())
            found |= dict.fromkeys((one.rpartition(".")[2].encode() for one in signed), "assertion")
    signer = signing.signer(flown.pilot.line.ledger, "test", ["ES384"], flown.pilot.clock())
    assert signer is not None
    private = ECKey.import_key(signer.private)
    found |= {signer.private: "signingkey", str(private.as_dict(private=True)["d"]).encode(): "signingkey"}
    return found


# ── what was found ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("channel", CHANNELS)
def test_nothing_is_where_it_does_not_belong(flown: Campaign, found: set[Sighting], channel: str) -> None:
    """R24: by default nowhere at all."""
    wrong = [one for one in misplaced(found) if one.channel == channel]
    assert not wrong, flown.marks.explained(wrong)


@pytest.mark.parametrize("kind", [kind for kind, places in MAY.items() if places])
def test_what_may_be_somewhere_was_seen_there(found: set[Sighting], kind: str) -> None:
    """Else the scan, or the campaign, would be blind to it."""
    seen = {one.channel for one in found if one.kind == kind}
    assert seen == set(MAY[kind])


def test_every_class_was_planted_and_the_whole_campaign_was_flown(flown: Campaign) -> None:
    planted = {mark.removeprefix("qz7").rstrip("0123456789x") for mark in flown.marks.planted}
    assert planted | set(flown.marks.literals.values()) | set(secrets_of(flown).values()) == set(MAY)
    assert len(flown.marks.planted) > 1000
    assert {state for entry in flown.pilot.entries() for state in [entry["state"]]} >= {
        "delivered", "held", "retracted", "cancelled", "refused",
    }  # fmt: skip
    everything = {hold["reason"] for hold in all_holds(flown)}
    assert everything >= {"consent", "link", "table", "content", "capability", "decision", "practice"}


def test_whose_records_these_are_is_told_to_nobody_who_need_not_know(flown: Campaign) -> None:
    """Agencies' ids of persons: not in logs, figures, addresses of the EHR, nor the practice's own pages."""
    with flown.pilot.line.ledger.read() as connection:
        ids = [one for one in connection.execute(select(tables.person.c.source)).scalars() if len(one) > 5]
    literals = {one.encode(): "person" for one in ids}
    assert len(literals) > 15
    told = sightings(flown.run, ("logs", "stderr", "figures", "requests", "answers", "pages"), literals)
    named = {f"{one.channel} {one.place}" for one in told if one.kind == "person"}
    assert any(place.startswith("pages agency-staff") for place in named), "the scan sees them where they may be"
    quiet = re.compile(r"(logs|stderr|figures|answers) .*|requests .* (url|headers)|pages practice-reader .*")
    assert [place for place in named if quiet.fullmatch(place)] == []


def test_the_practice_cannot_tell_that_anything_was_withheld(flown: Campaign) -> None:
    pages = [content for place, content in flown.heard.pages if place.startswith("practice-reader")]
    assert len(pages) > 15
    assert not any(word in page.lower() for page in pages for word in (b"withheld", b"left out", b"stayed behind"))


def all_holds(flown: Campaign) -> list[dict[str, Any]]:
    """Every hold there ever was."""
    with flown.pilot.line.ledger.read() as connection:
        return [dict(row._mapping) for row in connection.execute(select(tables.hold))]


# ── what is covered ───────────────────────────────────────────────────────────────────────────────────────────────
def test_every_door_was_knocked_at(flown: Campaign) -> None:
    doors = {(method, path) for method, path, _ in knocking.routes(create_app(flown.pilot.line, flown.pilot.clock))}
    assert len(doors) > 30
    assert not doors - flown.heard.doors, "a route without a canary: send one there in tests/flow/knocking.py"


def test_every_page_was_read_by_every_role(flown: Campaign) -> None:
    pages = {path for method, path in flown.heard.doors if method == "GET" and path.startswith("/console")}
    read = {place for place, _ in flown.heard.pages}
    assert {f"{role} GET {page}" for role in ("agency-staff", "practice-reader", "engineer") for page in pages} <= read


def test_every_command_was_run(flown: Campaign) -> None:
    known = set(running.commands())
    run = {name for name, _ in flown.heard.commands}
    assert not set(COMMANDS_NOT_FLOWN) - known, "a command that is excused is no more"
    assert known - run == set(COMMANDS_NOT_FLOWN), "a command without a canary: run it in tests/flow/running.py"


def test_every_column_was_filled_and_read(flown: Campaign) -> None:
    known = {f"{table}.{column}" for table, column in columns(tables.metadata)}
    filled = {place for place, _ in CHANNELS["ledger-columns"](flown.run)}
    assert sorted(known - filled - COLUMNS_NOT_FILLED) == [], "a column that the campaign does not reach"


def test_every_way_out_of_the_process_is_a_channel() -> None:
    root = Path(bridge.__file__).parent
    modules = {
        f"bridge/{path.relative_to(root).as_posix()}"
        for path in root.rglob("*.py")
        if "sandbox" not in path.relative_to(root).parts and lets_out(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert modules == set(WAYS_OUT), "a module that writes, prints or speaks: which channel reads what it lets out?"


def lets_out(tree: ast.Module) -> bool:
    """Whether a module calls something that writes files, prints, listens or speaks to others."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        words = [
            one.value for one in (*call.args, *(key.value for key in call.keywords)) if isinstance(one, ast.Constant)
        ]
        to_write = name == "open" and any(
            isinstance(word, str) and set(word) & set("wax+") and len(word) < 4 for word in words
        )
        standard = (
            name == "write" and isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value).startswith("sys.")
        )
        if name in LETTING_OUT or to_write or standard:
            return True
    return False


# ── the scan can fail ─────────────────────────────────────────────────────────────────────────────────────────────
pytestmark = pytest.mark.timeout(300)  # the campaign is one fixture


def test_every_channel_has_a_planted_leak() -> None:
    assert set(PLANTS) == set(CHANNELS)


@pytest.mark.parametrize("channel", PLANTS)
def test_a_planted_leak_is_found(tmp_path: Path, channel: str) -> None:
    practices = {"stderr": ("elm",), "handed": ("pine",)}.get(channel, ("maple",))
    with process_restored(), pytest.MonkeyPatch.context() as patch, campaign(tmp_path, practices) as it:
        PLANTS[channel](it, patch)
        seen = misplaced(sightings(it.run, [channel], it.marks.literals))
        assert {one.channel for one in seen} == {channel}, "the scan is blind here"


def test_without_a_leak_the_same_flight_shows_nothing(tmp_path: Path) -> None:
    with process_restored(), campaign(tmp_path, ("maple",)) as it:
        flight(it)
        seen = sightings(it.run, literals=it.marks.literals)
        assert {one.channel for one in seen} >= {"ledger-content", "requests", "charts"}
        assert misplaced(seen) == []


@pytest.mark.parametrize("coded", ["plain", "upper", "utf-16-le", "utf-16", "base64", "hex", "zlib", "escaped", "url"])
def test_a_mark_is_found_however_it_is_written(coded: str) -> None:
    import base64
    import json
    import zlib
    from urllib.parse import quote

    from tests.flow.channels import marks_in

    text = "¿Qué? qz7narrative77x, born 2019-08-17"
    written = {
        "plain": text.encode(),
        "upper": text.upper().encode(),
        "utf-16-le": text.encode("utf-16-le"),
        "utf-16": text.encode("utf-16"),
        "base64": json.dumps({"data": base64.b64encode(text.encode()).decode()}).encode(),
        "hex": text.encode().hex().encode(),
        "zlib": zlib.compress(text.encode()),
        "escaped": json.dumps(text).encode(),
        "url": quote(text).encode(),
    }
    found = marks_in(written[coded], {b"2019-08-17": "birthdate"})
    assert found == {("qz7narrative77x", "narrative"), ("2019-08-17", "birthdate")}


# ── beside the ledger's content ───────────────────────────────────────────────────────────────────────────────────
def test_no_column_lets_a_guess_be_compared(tmp_path: Path) -> None:
    """Two ledgers that hold the same record have no fingerprint of it in common: each is keyed."""
    held = [fingerprints(tmp_path / name) for name in ("one", "other")]
    assert all(len(one) > 5 for one in held)
    assert held[0] & held[1] == set()


def fingerprints(folder: Path) -> set[tuple[str, str]]:
    """Every hash-like cell of a ledger in which one family's contact was delivered, but those of our own files."""
    ours = {"activation.hash", "record.mapping_hash", "record.engine_hash", "record.definitions_hash"}
    with process_restored(), campaign(folder, ("maple",)) as it:
        it.pilot.links("maple", {"c-plant": "m-1"})
        it.taps["maple"].load(it.writer("same").patient("m-1"))
        it.consent("c-plant")
        it.accept("child", canaries.Writer(it.marks, "same").child("c-plant"))
        it.pilot.work()
        it.accept("contact", canaries.Writer(it.marks, "same").contact("k-plant", "c-plant"))
        it.pilot.settle()
        assert it.states("k-plant") == {"delivered"}
        cells = CHANNELS["ledger-columns"](Run(it.pilot, it.taps, it.heard))
        return {
            (place, value.decode())
            for place, value in cells
            if place not in ours
            and len(value) >= 12
            and set(value) <= set(b"0123456789abcdef") - {0}
            and not value.isdigit()
        }


def test_what_python_would_print_itself_goes_through_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings of libraries and errors in finalizers: their words may quote what they were given."""
    from bridge import log

    class Fragile:
        def __del__(self) -> None:
            raise ValueError("qz7released1x")

    with process_restored():
        logging.captureWarnings(False)
        log.configure("console")
        fragile = Fragile()
        del fragile
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(True)
            warnings.warn("qz7released2x", UserWarning, stacklevel=1)
            logging.captureWarnings(False)
    said = capsys.readouterr().err
    assert "unraisable" in said
    assert "error=ValueError" in said
    assert "logger=py.warnings" in said
    assert "qz7" not in said
