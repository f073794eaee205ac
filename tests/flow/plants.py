"""Leaks on purpose, one for every channel: what each would look like if somebody made that mistake."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from typing import Any

import pytest

from bridge.api.app import create_app
from tests.flow import flights, knocking, running
from tests.flow.opened import Campaign
from tests.flow.spoilt import bad_rows

Plant = Callable[[Campaign, pytest.MonkeyPatch], None]


def flight(it: Campaign) -> None:
    """One family that agreed, one contact with everything in it."""
    it.ready("c-plant")
    it.accept("contact", it.writer("plant", "released").contact("k-plant", "c-plant"))
    it.pilot.settle()


def bad(it: Campaign) -> dict[str, Any]:
    """A record that is refused."""
    writer = it.writer("plant")
    return {"id": "k-plant", "status": writer.text("rejected", "status"), "child": "c-plant"}


def never_kept(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    from bridge.mappings.kinds import Kind

    patch.setattr(Kind, "strip", lambda self, record: record)
    patch.setattr(Kind, "check", lambda self, record: [])
    flight(it)


def into_a_column(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    from bridge.store import records

    made = records.record_row
    patch.setattr(records, "record_row", lambda ask, *more: made(ask, *more) | {"digest": ask.item.raw.decode()})
    flight(it)


def unencrypted(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    from bridge.store import ledger

    patch.setattr(ledger, "seal", lambda key, number, plain: ("none", plain))
    it.accept("contact", it.writer("plant").contact("k-plant", "c-plant"))


def everything_open(patch: pytest.MonkeyPatch) -> None:
    from bridge import consent
    from bridge.model import Released

    patch.setattr(
        consent,
        "release",
        lambda parts, person, decision: Released(tuple(p for p in parts if p.about == person), 0, decision),
    )


def everything_released(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    everything_open(patch)
    flight(it)


def allow_list_open(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    from bridge import log, pipeline

    taken = pipeline.accept

    def accept(line: Any, agency: Any, kind: str, rows: Any, now: int) -> Any:
        log.event("taken", kind=str([row.record for _, row in rows]))
        return taken(line, agency, kind, rows, now)

    patch.setattr(log, "clean", lambda field, value: value)
    patch.setattr(pipeline, "accept", accept)
    flight(it)


def libraries_heard(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    """httpx writes whole URLs; elm is searched by GET."""
    from bridge import log

    patch.setattr(log.Lines, "_content", lambda self, record: (record.getMessage(), {}))
    it.ready("c-plant", practice="elm")
    it.accept("contact", it.writer("plant", "released").contact("k-plant", "c-plant"))
    it.pilot.settle()


def validator_s_words(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    from bridge.errors import Problem
    from bridge.mappings.schema import Schema

    patch.setattr(Schema, "_problem", lambda self, error: Problem("record-wrong", error.message))


def words_of_errors(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    validator_s_words(it, patch)
    it.pilot.accept("ma-soc/contact", bad(it))


def words_in_answers(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    validator_s_words(it, patch)
    knocking.Doors(it).post(bad(it))


def words_beside_files(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    from bridge.jobs.collect import watch

    validator_s_words(it, patch)
    inbox = it.pilot.folder / "inbox" / "ma-soc" / "contact"
    inbox.mkdir(parents=True)
    (inbox / "one.json").write_text(json.dumps(bad(it)), encoding="utf-8")
    watch(it.pilot.line, it.pilot.line.project.agencies["harbor"], it.pilot.clock)
    it.heard.files += inbox.glob("*.answer")


def shown_with_locals(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    from bridge.moves import planning
    from bridge.store.records import Work

    patch.setattr(Work, "__repr__", lambda self: f"Work({self.raw!r})")
    it.accept("contact", it.writer("plant").contact("k-plant", "c-plant"))
    with it.crashing(planning, "plan", "nothing"):
        flights.ran(it)


def rule_with_words(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    """A hold says what the record says."""
    from bridge import pipeline
    from bridge.model import Hold, HoldReason, Owner, Translation

    def translated(line: Any, work: Any, added: Any) -> Translation:
        said = Hold(HoldReason.DECISION, f"record:{work.id}", Owner.AGENCY, work.raw.decode(), "read it")
        return Translation((), (said,), (), "", "")

    patch.setattr(pipeline, "translated", translated)
    flight(it)


def words_on_pages(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    rule_with_words(it, patch)
    knocking.Visitor(it, create_app(it.pilot.line, it.pilot.clock), "ana").get("/console/")


def words_after_forms(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    rule_with_words(it, patch)
    visitor = knocking.Visitor(it, create_app(it.pilot.line, it.pilot.clock), "ana")
    visitor.send("/console/holds/{hold}/record", {"verdict": "perhaps"}, at={"hold": it.pilot.holds()[0]["id"]})


def words_of_commands(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    rule_with_words(it, patch)
    running.command(it, "held list")


def words_among_figures(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    from bridge.demo import counts

    rule_with_words(it, patch)
    patch.setattr(counts, "chart_counts", lambda ehr: {"standing": {}, "duplicates": 0, "said": said(it)})
    running.told_by_demo(it)


def said(it: Campaign) -> str:
    """What a hold says."""
    return str(it.pilot.holds()[0]["rule"])


def lists_left_behind(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tempfile.TemporaryDirectory, "cleanup", lambda self: self._finalizer.detach())
    patch.setattr(tempfile.TemporaryDirectory, "__exit__", lambda self, *error: self._finalizer.detach())
    visitor = knocking.Visitor(it, create_app(it.pilot.line, it.pilot.clock), "kim")
    rows = "\n".join(bad_rows(it.marks)["links"]).encode()
    visitor.send("/console/sharing/links", {}, files={"file": ("links.csv", rows, "text/csv")})


def handed_everything(it: Campaign, patch: pytest.MonkeyPatch) -> None:
    """Its family did not agree to the words."""
    everything_open(patch)
    it.pilot.links("pine", {"c-plant": it.marks.word("mrn", "number of c-plant")})
    it.consent("c-plant", "no", practice="pine")
    it.accept("child", it.writer("plant").child("c-plant", practice="pine"))
    it.accept("contact", it.writer("plant").contact("k-plant", "c-plant"))
    it.pilot.settle()


PLANTS: dict[str, Plant] = {
    "ledger-content": never_kept,
    "ledger-columns": into_a_column,
    "ledger-bytes": unencrypted,
    "requests": everything_released,
    "charts": everything_released,
    "handed": handed_everything,
    "logs": allow_list_open,
    "stderr": libraries_heard,
    "errors": words_of_errors,
    "shapes": shown_with_locals,
    "answers": words_in_answers,
    "pages": words_on_pages,
    "forms": words_after_forms,
    "commands": words_of_commands,
    "answer-files": words_beside_files,
    "figures": words_among_figures,
    "temporary-files": lists_left_behind,
}
