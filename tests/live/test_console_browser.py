"""The pages in a real Chromium with scripts switched off: signed in by the link, a day's answers given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bridge import sandbox
from tests.absent import absent
from tests.flow.test_serve import PATIENT, Served, project, served, until
from tests.live.chromium import Page, binary, chromium
from tests.unit.api.opened import contact

pytestmark = [pytest.mark.live, pytest.mark.slow]
NARROW = 360


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Page]:
    """A tab of a browser that runs no script of any page."""
    if binary() is None:
        absent("Chromium is not installed (Debian: apt-get install chromium)")
    with chromium(tmp_path / "profile") as running:
        page = running.page()
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        yield page


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Served]:
    """The bridge, served before a sandbox EHR that knows the child, with three records that need somebody."""
    with sandbox.start("open") as ehr:
        httpx.post(f"{ehr.admin_url}/load", json=[PATIENT]).raise_for_status()
        with served(project(tmp_path / "pilot", ehr.base_url), "--sign-in", "ana") as one:
            child = {"child": "c-1", "practice": "elm"}
            answer = one.post(contact("k-1", **child), contact("k-2", **child), contact("k-3", place="yurt", **child))
            assert answer.status_code == 202
            records = [item["record"] for item in answer.json()["items"]]
            until(lambda: all(one.get(record)["holds"] for record in records))
            yield one
            one.stop()


def good(page: Page) -> str:
    """The page's words; it stands alone, names what can be operated, and fits a telephone."""
    assert page.run("document.scripts.length") == 0
    assert page.nameless() == []
    page.call("Emulation.setDeviceMetricsOverride", width=NARROW, height=700, deviceScaleFactor=1, mobile=True)
    assert page.run("document.scrollingElement.scrollWidth") <= NARROW, page.url
    page.call("Emulation.clearDeviceMetricsOverride")
    return " ".join(page.text.split())


def test_a_days_answers_are_given_in_a_browser(browser: Page, bridge: Served, tmp_path: Path) -> None:
    page = browser
    page.open(bridge.link)
    assert "This link works once" in good(page)
    page.press("Sign in")
    text = good(page)
    assert "Consent · Elm Street Pediatrics" in text
    assert "A code without a meaning" in text

    # the code
    page.press("Answer: this record holds a code")
    page.press("Open")
    assert "What does yurt mean?" in good(page)
    page.fill({"same": "Home"})
    page.press("This is what it means")
    assert "The code has a meaning now. Records that go on: 1." in good(page)
    assert "Nothing waits here any more." in good(page)

    # the consent
    until(lambda: reload(page, bridge, "1 person, 3 entries wait"))
    page.press("Answer")
    page.press("Open")
    assert "The family agreed" in good(page)
    page.fill({"start": "2026-01-05", "until": "2025-12-31", "narrative": "no"})
    page.press("Record the consent")
    assert "The last day lies before the first." in good(page)
    page.fill({"until": ""})
    page.press("Record the consent")
    assert "The consent is recorded. What waited for it goes on now." in good(page)

    # the chart
    until(lambda: reload(page, bridge, "Which patient is this?"))
    page.press("Look")
    page.press("Open")
    page.fill({"value": "40017", "system": "urn:oid:2.16.840.1.113883.19.5.1"})
    page.press("This is the patient")
    assert "The chart is noted." in good(page)

    # and it is there
    until(
        lambda: reload(page, bridge, "Contact k-3", "/records?state=delivered") and page.text.count("Contact k-") == 3
    )
    good(page)
    page.press("Contact k-1")
    text = good(page)
    for words in ("Received from Harbor", "No longer held: a consent arrived", "Elm Street Pediatrics: in the chart"):
        assert words in text
    page.press("c-1")
    assert "In force facts only" in good(page)
    for path in ("/practices", "/practices/elm", "/sharing"):
        page.open(f"{bridge.base}/console{path}")
        good(page)

    # a list
    roster = tmp_path / "consents.csv"
    roster.write_text("agency,person,practice,from,until,narrative\nharbor,c-9,oak,2026-01-05,,yes\n")
    page.upload("#consents", roster)
    page.press("Take in consents")
    assert "1 new, 0 known already." in good(page)

    # and out
    page.press("Sign out")
    assert "You come in by a link of your own." in good(page)
    page.open(f"{bridge.base}/console/records")
    assert page.url.endswith("/console/sign-in")
    page.open(bridge.link)
    page.press("Sign in")
    assert "This link does not work any more" in good(page)

    assert page.hosts() == {bridge.base.removeprefix("http://")}
    refused = "Failed to load resource: the server responded with a status of"
    assert {text.rpartition(" of ")[2].split(" ")[0] for text in page.complaints()} <= {"422", "403"}
    assert all(text.startswith(refused) for text in page.complaints())


def reload(page: Page, bridge: Served, words: str, path: str = "/") -> bool:
    """Whether the page, loaded anew, says so."""
    page.open(f"{bridge.base}/console{path}")
    return words in " ".join(page.text.split())
