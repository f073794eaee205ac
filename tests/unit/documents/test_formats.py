"""PDF, RTF and C-CDA: what a reader's program finds in them, and that people's words come out as they went in."""

from __future__ import annotations

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject

from bridge.documents import ccda, formats, pdf, rtf
from bridge.documents.compose import compose
from bridge.documents.content import Subject
from bridge.documents.formats import CCDA, FORMATS, PDF, file_name, render
from bridge.documents.script import right_to_left
from bridge.documents.several import compose_several
from bridge.documents.words import LANGUAGES
from bridge.errors import ConfigError
from bridge.model import type_json
from tests.unit.documents import reading
from tests.unit.documents.making import (
    CONCERN,
    DOCUMENTS,
    GOAL_ES,
    GOALS,
    OBSERVATION,
    PLAN,
    REFERENCE,
    SCRIPTS,
    frame,
    note,
    part,
    section,
    week,
)
from tests.unit.documents.reading import CDA, spaced

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1
)


def told(words: str) -> Any:
    """A document in which these words stand as a goal and as narrative."""
    goal = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": {"text": words}}
    parts = [note(section("Goal", entry=("Goal/g",)), section("Said", words)), part("goal", goal)]
    return compose(parts, frame())


# ── PDF ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(DOCUMENTS.keys() - {"scripts"}))
def test_every_fact_is_on_the_page_in_order(name: str, language: str) -> None:
    document = DOCUMENTS[name](language)
    page, at = reading.pdf(render(document, PDF)), 0
    for line in document.lines():
        found = page.find(spaced(line.text), page.find(spaced(line.label), at))
        assert found >= at, "a line is missing or out of order"
        at = found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_pdf_is_tagged_and_says_its_title_language_and_authors(name: str) -> None:
    """PDF/UA-1 in what can be read without a validator; veraPDF judges the rest in tests/live."""
    document = DOCUMENTS[name]("es")
    read = opened(render(document, PDF))
    root = read.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "es"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert read.metadata.title == document.name
    assert "pdfuaid" in read.xmp_metadata.stream.get_data().decode()
    roles = [element.get("/S") for element in structure(root["/StructTreeRoot"])]
    assert roles.count("/H1") == 1
    assert roles.count("/H2") == sum(block.level == 2 and bool(block.heading) for block in document.blocks())
    assert "/Figure" not in roles


def opened(body: bytes) -> Any:
    """The PDF as pypdf reads it; its types do not say what a file holds."""
    return PdfReader(io.BytesIO(body))


def structure(node: Any) -> list[DictionaryObject]:
    """Every element of the structure tree, in reading order."""
    node = node.get_object() if isinstance(node, IndirectObject) else node
    if isinstance(node, list):
        return [element for item in node for element in structure(item)]
    if not isinstance(node, DictionaryObject):
        return []
    return [node, *structure(node.get("/K", []))]


def test_the_language_of_a_goal_is_in_the_structure() -> None:
    """R14: a screen reader says Spanish words in Spanish, in a document for an English reader."""
    root = opened(render(DOCUMENTS["plan"]("en"), PDF)).trailer["/Root"]
    assert any(element.get("/Lang") == "es" for element in structure(root["/StructTreeRoot"]))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_fonts_are_embedded_and_nothing_is_coloured_or_runs(name: str) -> None:
    read = opened(render(DOCUMENTS[name]("en"), PDF))
    for page in read.pages:
        for font in page["/Resources"]["/Font"].values():
            (inner,) = font.get_object()["/DescendantFonts"]
            descriptor = inner.get_object()["/FontDescriptor"]
            assert {"/FontFile2", "/FontFile3"} & set(descriptor)
            assert "/ToUnicode" in font.get_object()
        operators = {operator for _, operator in page.get_contents().operations}
        assert not operators & {b"rg", b"RG", b"k", b"K", b"Do"}
    assert not {"/OpenAction", "/AA", "/AcroForm"} & set(read.trailer["/Root"])
    assert "/JavaScript" not in read.trailer["/Root"].get("/Names", {})


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_page_where_it_can_be(name: str) -> None:
    pages = len(opened(render(DOCUMENTS[name]("en"), PDF)).pages)
    assert pages == 1 if "long" not in name else pages in (2, 3)


@pytest.mark.parametrize("mime", [PDF, "text/rtf", "text/xml"])
def test_the_same_document_is_the_same_bytes(mime: str) -> None:
    again = [render(DOCUMENTS["plan"]("es"), mime) for _ in range(2)]
    render(DOCUMENTS["contact"]("en"), mime)
    again.append(render(DOCUMENTS["plan"]("es"), mime))
    assert len(set(again)) == 1


def test_several_threads_make_the_same_pdfs() -> None:
    alone = {name: render(DOCUMENTS[name]("es"), PDF) for name in ("contact", "plan", "screening")}
    with ThreadPoolExecutor(4) as threads:
        again = list(threads.map(lambda name: (name, render(DOCUMENTS[name]("es"), PDF)), [*alone] * 4))
    assert all(alone[name] == body for name, body in again)


def test_a_pdfs_date_is_the_documents_own() -> None:
    read = opened(render(DOCUMENTS["contact"]("en"), PDF))
    created = read.xmp_metadata.xmp_create_date
    assert created is not None
    assert created.isoformat().startswith("2026-03-04T")
    undated = opened(render(replace(DOCUMENTS["contact"]("en"), date=""), PDF))
    assert undated.metadata.creation_date is None


def test_signs_in_every_formats_markup_are_only_signs() -> None:
    """Typst reads none of it: no smart quotes, no ligatures, no emphasis, no code."""
    page = reading.pdf(render(DOCUMENTS["scripts"]("en"), PDF))
    assert spaced(SCRIPTS[4]) in page
    assert "😀" in page
    assert spaced(GOAL_ES) in reading.pdf(render(DOCUMENTS["plan"]("en"), PDF))


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("abc ñé—“”\"'`*_#$@<>\\/~=+-[]{}()&%.,;:!?012\t\n"), min_size=1, max_size=200))
def test_any_words_of_this_alphabet_are_on_the_page(words: str) -> None:
    assert spaced(words) in reading.pdf(render(told(words), PDF)).replace(" \u00ad", "")


@settings(max_examples=60, deadline=None)
@given(WORDS)
def test_any_words_at_all_are_a_page_or_none(words: str) -> None:
    """Never a failure of another kind, and never a page that lacks a sign."""
    try:
        body = render(told(words), PDF)
    except pdf.Unshowable:
        return
    assert body.startswith(b"%PDF-")


def test_a_sign_no_font_has_is_no_box_on_a_page() -> None:
    with pytest.raises(pdf.Unshowable) as caught:
        render(told("\U000130e7 hieroglyph"), PDF)
    assert "hieroglyph" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("package", pdf.PACKAGES)
def test_without_the_extra_a_pdf_is_refused_with_the_next_step(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(pdf, "find_spec", lambda name: None if name == package else name)
    with pytest.raises(ConfigError) as caught:
        render(DOCUMENTS["contact"]("en"), PDF)
    (problem,) = caught.value.problems
    assert problem.code == "document-package"
    assert package in problem.rule
    assert problem.next_step == "pip install 'dyad-bridge[documents]'"
    assert formats.missing(PDF) == problem
    assert all(formats.missing(mime) is None for mime in FORMATS if mime != PDF)


# ── RTF ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@settings(max_examples=150, deadline=None)
@given(WORDS)
def test_any_words_come_back_out_of_rtf(words: str) -> None:
    assert words in reading.rtf(render(told(words), "text/rtf"))


def test_words_in_rtf_are_ascii_and_cannot_become_markup() -> None:
    body = render(DOCUMENTS["scripts"]("en"), "text/rtf").decode("ascii")
    assert body.count("{") - body.count("\\{") == body.count("}") - body.count("\\}")
    assert "\\field" not in body
    assert "\\object" not in body
    assert rtf.escape("a\r\nb\x00\ud800") == "a\\line\nb\\u-3?\\u-3?"
    assert all(words in reading.rtf(body.encode()) for words in SCRIPTS)


def test_right_to_left_words_are_marked_so() -> None:
    body = render(DOCUMENTS["scripts"]("en"), "text/rtf").decode()
    assert body.count("\\rtlpar") == 2
    assert [right_to_left(words) for words in SCRIPTS] == [True, True, False, False, False, False]
    assert not right_to_left("12 — ")


# ── C-CDA ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def tree(body: bytes) -> Any:
    return etree.fromstring(body)


def roots(node: Any, path: str) -> list[str]:
    return [found.get("root") for found in node.xpath(f"{path}/c:templateId", namespaces=CDA)]


@settings(max_examples=150, deadline=None)
@given(WORDS)
def test_any_words_come_back_out_of_ccda(words: str) -> None:
    document = told(words)
    found = tree(render(document, "text/xml"))
    assert words in reading.ccda(render(document, "text/xml"))
    assert found.findtext(".//c:observation/c:value", None, CDA) == words


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_templates_sections_and_entries_the_specification_requires(name: str, language: str) -> None:
    """C-CDA R2.1 Volume 2, §1.1.3 Care Plan and §1.1.18 Progress Note, what SHALL be there."""
    document = DOCUMENTS[name](language)
    found = tree(render(document, "text/xml"))
    plan = document.kind.value == "care-plan"
    kind = "2.16.840.1.113883.10.20.22.1.15" if plan else "2.16.840.1.113883.10.20.22.1.9"
    assert roots(found, ".").count("2.16.840.1.113883.10.20.22.1.1") == 2
    assert roots(found, ".").count(kind) == 2
    sections = roots(found, "//c:section")
    if plan:
        assert len({"2.16.840.1.113883.10.20.22.2.58", "2.16.840.1.113883.10.20.22.2.60"} & set(sections)) == 2
        goals = found.xpath("//c:section[c:code/@code='61146-7']", namespaces=CDA)
        (goals,) = goals
        assert bool(goals.findall("c:entry", CDA)) != (goals.get("nullFlavor") == "NI")
        assert found.find("c:documentationOf/c:serviceEvent/c:performer", CDA) is not None
        told = any("CarePlan" in str(section.resources) for section in document.sections)
        assert ("2.16.840.1.113883.10.20.21.2.3" in sections) is told
    else:
        assert sections.count("2.16.840.1.113883.10.20.22.2.9") == 2
        assert found.find("c:componentOf/c:encompassingEncounter/c:location/c:healthCareFacility/c:id", CDA) is not None
    assert found.find("c:languageCode", CDA).get("code") == f"{language}-US"
    ids = [node.get("ID") for node in found.iter() if node.get("ID")]
    referred = [node.get("value") for node in found.iter("{urn:hl7-org:v3}reference")]
    assert len(ids) == len(set(ids))
    assert {value.removeprefix("#") for value in referred} <= set(ids)


def test_the_first_section_says_what_is_asked() -> None:
    first = tree(render(DOCUMENTS["contact"]("en"), "text/xml")).find(".//c:section", CDA)
    assert first.findtext("c:text/c:paragraph/c:content", None, CDA) == "Please check her hearing at the next visit."


def test_goals_are_entries_in_the_familys_words_and_what_is_over_is_not() -> None:
    """R15. A Goal Observation is always active; a goal that is over is told in words alone."""
    found = tree(render(DOCUMENTS["plan"]("en"), "text/xml"))
    (goal,) = found.xpath("//c:observation[@moodCode='GOL']", namespaces=CDA)
    value = goal.find("c:value", CDA)
    assert value.text == GOAL_ES
    assert value.get("language") == "es"
    assert goal.findtext("c:author/c:assignedAuthor/c:assignedPerson/c:name", None, CDA) == "la mamá"
    assert goal.find("c:effectiveTime/c:low", CDA).get("value") == "20250901"
    assert goal.find("c:effectiveTime/c:high", CDA).get("value") == "20260201"


def test_a_section_that_tells_all_of_a_plan_does_not_let_another_say_there_is_nothing() -> None:
    entry = ("CarePlan/cp", "Goal/g1", "Condition/c")
    document = compose([note(section("The plan", entry=entry)), PLAN, *GOALS, CONCERN], frame())
    found = tree(render(document, "text/xml"))
    said = {
        node.findtext("c:code", None, CDA) or node.find("c:code", CDA).get("code"): spaced(
            "".join(node.find("c:text", CDA).itertext())
        )
        for node in found.iter("{urn:hl7-org:v3}section")
    }
    assert GOAL_ES.splitlines()[0] in said["61146-7"]
    assert said["75310-3"] == "This is told under another heading."
    assert len(found.xpath("//c:observation[@moodCode='GOL']", namespaces=CDA)) == 1
    nothing = tree(render(DOCUMENTS["plan"]("en"), "text/xml"))
    (empty,) = nothing.xpath("//c:section[@nullFlavor='NI']", namespaces=CDA)
    assert spaced("".join(empty.find("c:text", CDA).itertext())) == "Nothing is said here."


GOAL = st.fixed_dictionaries(
    {
        "words": WORDS.filter(str.strip),
        "start": st.dates(min_value=date(2000, 1, 1)).map(str),
        "due": st.none() | st.dates(min_value=date(2000, 1, 1)).map(str),
        "status": st.sampled_from(["active", "on-hold", "completed", "cancelled", "proposed"]),
    }
)


@settings(max_examples=80, deadline=None)
@given(st.lists(GOAL, min_size=1, max_size=4), st.integers(-5, 300))
def test_facts_in_entries_are_the_canonical_ones(goals: list[dict[str, Any]], score: int) -> None:
    """Read back out of the coded entries, and out of every format's words, are the facts of the parts."""
    made = [
        part(
            f"goal-{number}",
            {
                "resourceType": "Goal",
                "id": f"g{number}",
                "lifecycleStatus": goal["status"],
                "description": {"text": goal["words"]},
                "startDate": goal["start"],
                "target": [{"dueDate": goal["due"]}] if goal["due"] else [],
            },
        )
        for number, goal in enumerate(goals)
    ]
    result = part("score", {**OBSERVATION.resource, "valueInteger": score})
    entry = (*(f"Goal/g{number}" for number in range(len(goals))), "Observation/o")
    document = compose([note(section("Goals", entry=entry)), *made, result], frame())
    found = tree(render(document, "text/xml"))
    coded = [
        (
            node.findtext("c:value", None, CDA),
            node.find("c:effectiveTime/c:low", CDA).get("value"),
            None
            if node.find("c:effectiveTime/c:high", CDA) is None
            else node.find("c:effectiveTime/c:high", CDA).get("value"),
        )
        for node in found.xpath("//c:observation[@moodCode='GOL']", namespaces=CDA)
    ]
    going_on = [goal for goal in goals if goal["status"] not in ("completed", "cancelled")]
    assert coded == [
        (goal["words"], goal["start"].replace("-", ""), goal["due"] and goal["due"].replace("-", ""))
        for goal in going_on
    ]
    values = found.xpath("//c:observation[@moodCode='EVN']/c:value/@value", namespaces=CDA)
    assert values == ([str(score)] if going_on else [])
    for mime in ("text/plain", "application/xhtml+xml", "text/rtf", "text/xml"):
        said = reading.READERS[mime](render(document, mime))
        assert all(goal["words"] in said and goal["start"] in said for goal in goals)
        assert str(score) in said


def test_a_goal_whose_words_a_section_says_is_told_by_it() -> None:
    """A mapping may write a goal's words into a section instead of referring to it; one it does not say is no entry."""
    spoken = section("In their words", GOAL_ES, language="es")
    found = compose([note(spoken), *GOALS], frame())
    assert found.sections[0].resources == (GOALS[0].resource,)
    coded = tree(render(found, "text/xml"))
    assert [node.text for node in coded.xpath("//c:observation/c:value", namespaces=CDA)] == [GOAL_ES]


def test_a_result_and_a_concern_are_entries() -> None:
    found = tree(render(DOCUMENTS["screening"]("en"), "text/xml"))
    result = found.xpath("//c:observation[c:templateId/@root='2.16.840.1.113883.10.20.22.4.69']", namespaces=CDA)[0]
    assert result.find("c:value", CDA).get("value") == "65"
    assert result.find("c:id", CDA).get("extension") == "ma-soc/screening/s-1/score"
    concern = found.xpath("//c:act[c:code/@code='75310-3']//c:value", namespaces=CDA)[0]
    assert (concern.get("code"), concern.get("codeSystem")) == ("73595000", "2.16.840.1.113883.6.96")


def test_the_family_partner_is_an_author_in_the_header() -> None:
    """R16."""
    found = tree(render(DOCUMENTS["contact"]("en"), "text/xml"))
    names = [node.text for node in found.findall("c:author//c:assignedPerson/c:name", CDA)]
    assert names == ["Family partner (parent peer support)", "Intensive care coordinator"]


def test_whose_chart_it_is_is_said_where_it_is_known_and_unknown_where_not() -> None:
    empty = tree(render(DOCUMENTS["contact"]("en"), "text/xml")).find("c:recordTarget/c:patientRole", CDA)
    assert empty.find("c:id", CDA).get("nullFlavor") == "UNK"
    assert empty.find("c:patient/c:name", CDA).get("nullFlavor") == "UNK"
    subject = Subject("mrn-7", "urn:oid:1.2.3", "Roe", ("Ada", "B"), "2021-01-02", "female")
    known = compose([note(section("Said", "Words."))], replace(frame(), subject=subject))
    role = tree(render(known, "text/xml")).find("c:recordTarget/c:patientRole", CDA)
    assert (role.find("c:id", CDA).get("root"), role.find("c:id", CDA).get("extension")) == ("1.2.3", "mrn-7")
    assert [node.text for node in role.find("c:patient/c:name", CDA)] == ["Ada", "B", "Roe"]
    assert role.find("c:patient/c:administrativeGenderCode", CDA).get("code") == "F"
    assert role.find("c:patient/c:birthTime", CDA).get("value") == "20210102"
    assert known.head[0].text == "Ada B Roe, 2021-01-02"


def test_the_same_document_has_one_id_and_an_amended_one_another() -> None:
    def id_of(**changes: Any) -> str:
        made = tree(render(compose([note(section("Said", "Words."), **changes)], frame()), "text/xml"))
        return str(made.find("c:id", CDA).get("root"))

    assert id_of() == id_of()
    assert id_of() != id_of(status="amended")


def test_a_character_xml_cannot_hold_does_not_break_a_ccda() -> None:
    body = ccda.render(told("a\x0bb\r\nc"))
    assert "a�b\nc" in reading.ccda(body)


# ── several records ───────────────────────────────────────────────────────────────────────────────────────────────
def test_two_contacts_on_one_day_stay_two_and_come_in_their_order() -> None:
    """R20."""
    document = compose_several(week(), frame())
    assert [entry.date[:16] for entry in document.entries] == [
        "2026-03-04T09:00",
        "2026-03-04T20:00",
        "2026-03-10",
        "2026-03-11T09:00",
    ]
    assert document.title == "News from the agency, 2026-03-04 to 2026-03-11"
    assert document.date == "2026-03-11T09:00:00-04:00"


def test_a_record_taken_back_leaves_a_line_and_none_of_its_words() -> None:
    for mime in FORMATS:
        said = reading.READERS[mime](render(DOCUMENTS["roll-up"]("en"), mime))
        assert "The agency has taken this entry back." in said
        assert "Not this family" not in said
        assert "Wrong child" not in said


def test_records_are_ordered_by_instant_whatever_their_zone() -> None:
    dates = ("2026-03-04T23:00:00Z", "2026-03-04T20:00:00-05:00", "2026-03-05", "")
    records: list[list[Any]] = [[note(section("Said", "Words."), id=str(n), date=date)] for n, date in enumerate(dates)]
    document = compose_several(records, frame())
    assert [entry.date for entry in document.entries] == ["", *dates[:1], "2026-03-05", dates[1]]


def test_a_document_of_no_records_is_none() -> None:
    with pytest.raises(ValueError, match="at least one"):
        compose_several([], frame())


# ── names of files, and of formats ────────────────────────────────────────────────────────────────────────────────
def test_a_files_name_is_the_delivery_reference_and_no_other_name() -> None:
    names = {file_name(REFERENCE, mime) for mime in FORMATS}
    assert names == {f"{REFERENCE}.{suffix}" for suffix in ("txt", "xhtml", "html", "pdf", "rtf", "xml")}


def test_ccda_is_the_same_under_each_of_its_names() -> None:
    document = DOCUMENTS["plan"]("en")
    assert len({render(document, mime) for mime in CCDA}) == 1


def test_a_patient_among_the_parts_completes_the_header() -> None:
    patient: type_json = {
        "resourceType": "Patient",
        "id": "p",
        "name": [{"family": "Roe", "given": ["Ada"]}],
        "birthDate": "2021-01-02",
        "gender": "other",
    }
    document = compose([note(section("Said", "Words.")), part("patient", patient)], frame())
    assert document.frame.subject == Subject("", "", "Roe", ("Ada",), "2021-01-02", "other")
    assert "Roe" not in str(document.head)
