"""A campaign: a project with practices behind taps, listened to, with what was planted and heard."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bridge.jobs import worker
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.mappings import load as mappings
from bridge.mappings.load import Mappings
from bridge.mappings.watching import Watching
from bridge.model import Fate, type_json
from bridge.moves import signing
from bridge.settings import load
from tests.flow.canaries import Marks, Writer
from tests.flow.channels import TEMPORARY, Heard, Run, cells, listen
from tests.flow.keys import published
from tests.flow.pilot import AGENCY, Pilot, Site, write_project
from tests.flow.tap import Asked, Tap, marked, tapped, words

CLIENT = "bridge-client"
LOGINS = {
    "maple": f"{{ smart: {{ client_id: {CLIENT} }} }}",
    "elm": f"{{ client_secret: {{ client_id: {CLIENT}, secret: {{ file: secrets/elm }}, method: post }} }}",
}
KEY = "campaign-key-0123456789abcdef0123456789"
PRACTICE_KEY = "the-practices-key-of-thirty-letters"
PEOPLE = """
people:
  ana: { name: Ana Ortiz, email: ana@harbor.example, role: agency-staff, agency: harbor }
  lee: { name: Lee Chen, email: lee@maple.example, role: practice-reader, practice: maple }
  kim: { name: Kim Okafor, email: kim@bridge.example, role: engineer }
"""


@dataclass
class Campaign:
    """A project with four practices, three behind taps: one that takes everything, one that searches by GET alone,
    one that takes no documents; and one that is handed them."""

    pilot: Pilot
    taps: dict[str, Tap]
    heard: Heard
    marks: Marks
    patch: pytest.MonkeyPatch
    refused: dict[str, int] = field(default_factory=dict)  # mark → the status its request is refused with

    @property
    def run(self) -> Run:
        """What the scan reads."""
        return Run(self.pilot, self.taps, self.heard)

    def writer(self, path: str, kind: str = "unreleased") -> Writer:
        """Writes the records of one way."""
        return Writer(self.marks, path, kind)

    def link(self, child: str, practice: str = "maple", birth_date: str = "2019-08-17") -> str:
        """The practice has this person as its patient, and said so; the number."""
        number = self.marks.word("mrn", f"number of {child}")
        self.taps[practice].load(self.writer(child).patient(number, birth_date))
        self.pilot.links(practice, {child: number})
        return number

    def consent(self, child: str, narrative: str = "yes", practice: str = "maple", start: str = "2026-01-01") -> None:
        """The family agreed."""
        self.pilot.consents(f"{child},{practice},{start},,{narrative}")

    def ready(self, child: str, narrative: str = "yes", practice: str = "maple") -> None:
        """Linked and consented."""
        self.link(child, practice)
        self.consent(child, narrative, practice)

    def accept(self, kind: str, *records: type_json, fate: Fate = Fate.NEW) -> None:
        """The records were taken."""
        answers = self.pilot.accept(f"ma-soc/{kind}" if "/" not in kind else kind, *records)
        assert [answer.fate for answer in answers] == [fate] * len(records), [answer.problem for answer in answers]

    def snapshot(self) -> None:
        """What stands in the ledger's columns now is scanned too, also where it goes again."""
        self.heard.cells |= set(cells(self.pilot))

    def states(self, thing: str) -> set[str]:
        """The states of a thing's entries."""
        return {entry["state"] for entry in self.pilot.entries() if entry["thread"].endswith(f"/{thing}")}

    def reasons(self) -> set[str]:
        """Why something is held."""
        return {hold["reason"] for hold in self.pilot.holds()}

    @contextmanager
    def crashing(self, target: Any, name: str, said: str, kind: type[Exception] = ValueError) -> Iterator[None]:
        """A function of ours fails, with somebody's words in its message, as a library's error may have them."""

        def fail(*args: Any, **kwargs: Any) -> Any:
            raise kind(f"cannot handle {said!r}")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(target, name, fail)
            yield


@contextmanager
def campaign(folder: Path, practices: Sequence[str] = ("maple", "elm", "oak", "pine")) -> Iterator[Campaign]:
    """A project that is open, listened to, with nothing gone through yet."""
    with ExitStack() as stack:
        marks, heard = Marks(), Heard()
        secret = marks.word("secret", "a client's secret")
        keys = stack.enter_context(published())
        ways: dict[str, dict[str, Any]] = {
            "maple": {"smart": {CLIENT: keys.url}}, "elm": {"secrets": {CLIENT: secret}}, "oak": {}
        }  # fmt: skip
        taps = {name: stack.enter_context(tapped(SHAPES[name], **ways[name])) for name in practices if name in SHAPES}
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        (folder / TEMPORARY).mkdir(parents=True)
        patch.setattr(tempfile, "tempdir", str(folder / TEMPORARY))
        listen(heard, patch)
        quicken(patch)
        vendors, enabled = (
            {"oak": "openemr", "pine": "none"},
            {"maple": ("Encounter", "Goal", "CarePlan", "Communication")},
        )
        answered = {
            "maple": ", referral_status: true, caregiver_screening: true, key: { file: secrets/maple.key }",
            "elm": ", cadence: { kinds: { ma-soc/screening: weekly } }",
            "pine": HANDED,
        }
        (folder / "handed").mkdir()
        sites = [
            Site(
                one,
                taps[one].base if one in taps else "",
                vendors.get(one, "open"),
                enabled.get(one, ()),
                LOGINS.get(one, "none"),
                answered.get(one, ""),
            )
            for one in practices
        ]
        write_project(folder, sites, packs="ma-soc, konote")
        settings = folder / "bridge.yaml"
        text = settings.read_text(encoding="utf-8").replace("limits: {", "limits: { body_mib: 1, item_kib: 64,")
        text = text.replace(
            "phone: 555-0100", "phone: 555-0100\n    key: { file: secrets/harbor.key }\n    watch: inbox"
        )
        settings.write_text(text + PEOPLE.replace("maple", practices[0]), encoding="utf-8")
        for name, value in (("harbor.key", KEY), ("maple.key", PRACTICE_KEY), ("elm", secret)):
            (folder / "secrets" / name).write_text(value, encoding="utf-8")
            (folder / "secrets" / name).chmod(0o600)
        line = stack.enter_context(open_line(load(folder), "test", system_clock()))
        keys.ledger = line.ledger
        signing.new(line.ledger, "test", "ES384", "test", system_clock())
        made = Campaign(Pilot(line, folder, AGENCY), taps, heard, marks, patch)
        for name, tap in taps.items():
            tap.refuse = partial(refuse, made, name)
        yield made


def quicken(patch: pytest.MonkeyPatch) -> None:
    """What a campaign does two dozen times, and what it would wait for, costs little."""
    patch.setattr(mappings, "load", remembered(mappings.load))
    patch.setattr(worker, "IDLE_PAUSE", 0.02)
    # every EHR here is reached by plain HTTP on loopback
    patch.setattr(ssl.SSLContext, "load_verify_locations", lambda self, *args, **kwargs: None)


READ: dict[tuple[tuple[str, str], ...], Mappings] = {}
"""The mappings of each content, read once: two dozen commands open the same project."""


def remembered(load: Callable[..., Mappings]) -> Callable[..., Mappings]:
    """The same as `load`, which is asked once for each content."""

    def once(files: Mapping[str, str], watching: Watching | None = None) -> Mappings:
        if watching is not None:
            return load(files, watching)
        key = tuple(sorted(files.items()))
        if key not in READ:
            READ[key] = load(files)
        return READ[key]

    return once


HANDED = ", handoff: { way: folder, folder: handed, message: mdm, format: text }"
"""How pine, which has no FHIR server, is given documents; over a port they would be the same messages."""

SHAPES = {"maple": "open", "elm": "open", "oak": "openemr"}


def refuse(made: Campaign, practice: str, asked: Asked) -> int | None:
    """The status for a request that carries one of the marks to be refused; elm takes no search by POST."""
    if practice == "elm" and asked.what.endswith("_search"):
        return 405
    found = (made.refused[mark] for mark in marked(words(asked.body)) if mark in made.refused)
    return next(found, None)
