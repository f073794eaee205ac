"""Documents handed over to a practice whose EHR takes none by FHIR: each way, corrected, withdrawn, lost, restarted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge import sandbox
from tests.flow.engines import Engine, engine, half, mistaken, silent
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, child, contact, patient


VOID = {"id": "k-1", "status": "void", "child": "c-1", "updated_at": "2026-03-05"}


@pytest.fixture(scope="module")
def office() -> Iterator[sandbox.Running]:
    """An EHR that is read and not written to."""
    import httpx

    with sandbox.start("nextgen") as running:
        httpx.post(f"{running.admin_url}/load", json=[patient("m-1")]).raise_for_status()
        yield running


@contextmanager
def handed(folder: Path, running: sandbox.Running | None, way: str, **settings: object) -> Iterator[Pilot]:
    """A practice that is handed documents, its patient linked and its family agreed."""
    base, vendor = (running.base_url, "nextgen") if running is not None else ("", "none")
    site = Site(PRACTICE, base, vendor, extra=f", handoff: {way}")
    with pilot(folder, [site], **settings) as opened:
        opened.links(PRACTICE, {"c-1": "m-1"})
        opened.consents(f"c-1,{PRACTICE},2026-01-01,,yes")
        opened.accept("ma-soc/child", child(birth_date="2021-03-04"))
        yield opened


@contextmanager
def wired(folder: Path, running: sandbox.Running | None, more: str = "") -> Iterator[tuple[Pilot, Engine]]:
    """As `handed`, at an engine's port."""
    with engine() as found:
        way = f"{{ way: mllp, host: 127.0.0.1, port: {found.port}{more} }}"
        with handed(folder, running, way, timeout=1) as opened:
            yield opened, found


def states(opened: Pilot) -> list[str]:
    return [entry["state"] for entry in opened.entries() if entry["name"] == "document"]


def test_r1_an_engine_is_handed_a_contact_its_correction_and_its_withdrawal(
    tmp_path: Path, office: sandbox.Running
) -> None:
    with wired(tmp_path, office) as (maple, found):
        maple.accept("ma-soc/contact", contact(narrative="We read | together."))
        maple.settle()
        assert states(maple) == ["delivered"], maple.holds()
        maple.accept("ma-soc/contact", contact(narrative="We sang.", updated_at="2026-03-03T10:00:00-05:00"))
        maple.settle()
        maple.accept("ma-soc/contact", VOID)
        maple.settle()
        assert [str(one["MSH.F9.R1.C2"]) for one in found.messages] == ["T02", "T10", "T11"]
        assert states(maple) == ["retracted"]
