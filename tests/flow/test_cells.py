"""Every kind of record at every shape of EHR, with the defaults and with everything enabled: what the page says is
what happens, nothing is asked of an EHR that it does not offer, and nothing is left without a way or a person to ask.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bridge.ehr import send
from bridge.ehr.capability import Capability
from bridge.ehr.route import HANDOFF
from bridge.ehr.ways import CORRECTION, DOCUMENT, shipped
from bridge.model import Action
from bridge.store import tables
from tests.flow.cells import KINDS, SHAPES, TYPES, Cells, capability, cell, cells, made, page

PAGE = Path(__file__).parents[2] / "docs" / "routes.md"


ROUTES = {"document": "document", HANDOFF: HANDOFF}
HANDED = [Action.CREATE, Action.REPLACE, Action.RETRACT, Action.RETRACT]
"""Whoever was handed the correction holds the first one too: each is taken back."""


def test_the_page_is_what_the_data_says() -> None:
    if os.environ.get("BRIDGE_TESTS_GOLDEN") == "write":
        PAGE.write_text(page(), encoding="utf-8")
    assert page() == PAGE.read_text(encoding="utf-8")


def test_there_are_ten_kinds_and_each_is_made_by_the_pack() -> None:
    assert {*KINDS, CORRECTION} == set(shipped().kinds)
    assert all(shipped().named(f"ma-soc/{kind}") == name for name, kind in KINDS.items())
    for kind in KINDS:
        types = {part.type for part in made(kind)}
        assert "Composition" in types, "a document carries it where nothing else does"
        assert (types & set(TYPES)) <= set(shipped().kinds[kind].ways), "each way it may go is described"


@pytest.fixture(params=[False, True], ids=["defaults", "everything"])
def delivered(request: pytest.FixtureRequest, quick: Path) -> Iterator[tuple[Cells, bool]]:
    with cells(quick, everything=request.param) as made:
        yield made, request.param


def test_every_cell_is_delivered_or_held_with_what_to_open(delivered: tuple[Cells, bool]) -> None:
    found, everything = delivered
    for kind in KINDS:
        found.say(kind)
    found.pilot.settle()
    holds = {hold["entry"]: hold for hold in found.pilot.holds()}
    for shape in SHAPES:
        for kind in KINDS:
            expected = cell(kind, shape, everything=everything)
            entries = found.entries(shape, kind)
            assert entries, (shape, kind)
            states = {ROUTES.get(one["route"], one["resource_type"]): one["state"] for one in entries}
            there = {way for way, state in states.items() if state in ("delivered", "handed-over")}
            assert there == (set() if expected.held else set(expected.used)), (shape, kind)
            for one in entries:
                if one["state"] == "held":
                    hold = holds[one["id"]]
                    assert hold["next_step"], (shape, kind)
                    assert (hold["reason"] == "capability") is expected.held, (shape, kind)
    amend(found, everything)
    for shape, ehr in found.ehrs.items():
        asked = ehr.asked()
        assert {one["verdict"] for one in asked} <= {"done"}, (
            shape,
            [one for one in asked if one["verdict"] != "done"],
        )


def amend(found: Cells, everything: bool) -> None:
    """The tenth kind: the contact is corrected, then taken back, each way the page says."""
    found.say("contact", status="amended", updated_at="2026-04-01T10:00:00-04:00")
    found.pilot.settle()
    found.say("contact", status="void", updated_at="2026-04-02T10:00:00-04:00")
    found.pilot.settle()
    for shape in SHAPES:
        known = capability(shape, everything)
        (document,) = [one for one in found.entries(shape, "contact") if one["route"] in ROUTES]
        with found.pilot.line.ledger.engine.connect() as connection:
            step = tables.step
            query = select(step.c.action).where(step.c.entry == document["id"]).order_by(step.c.id)
            actions = [Action(one) for one in connection.execute(query).scalars()]
        handed = cell(CORRECTION, shape, everything=everything).used == (HANDOFF,)
        assert actions == (HANDED if handed else expected_steps(known)), shape
        over = {"retracted"} if actions and not handed else {"retracted", "handed-over"} if handed else {"cancelled"}
        assert document["state"] in over, shape


def expected_steps(known: Capability) -> list[Action]:
    change, withdrawal = send.change(DOCUMENT, known), send.withdrawal(DOCUMENT, known)
    if change is None or withdrawal is None:
        return []
    return [Action.CREATE, change, *[withdrawal] * (1 if change is Action.UPDATE else 2)]  # each note that stands
