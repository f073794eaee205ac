"""Documents worth reading: golden in each format and language, the same facts in all, people's words verbatim."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.documents import formats, xhtml
from bridge.documents.compose import compose
from bridge.documents.content import Document, Kind, Line
from bridge.documents.formats import FORMATS, PDF, render
from bridge.documents.moments import moment, span
from bridge.documents.narrative import paragraphs
from bridge.documents.words import LANGUAGES, WORDS, Words
from bridge.ehr.delivery import mentions
from tests.unit.documents import reading
from tests.unit.documents.making import (
    DOCUMENTS,
    EARLIER,
    ENCOUNTER,
    GOAL_EN,
    GOAL_ES,
    GOALS,
    PLAN,
    REFERENCE,
    TEAM,
    frame,
    note,
    part,
    section,
)
from tests.unit.documents.reading import READERS

GOLDEN = Path(__file__).parent / "golden"
SUFFIXES = {
    "txt": "text/plain",
    "xhtml": "application/xhtml+xml",
    "html": "text/html",
    "rtf": "text/rtf",
    "xml": "text/xml",
}
COPIED = "pdf.txt"  # what a PDF says: its text, as a reader copies it
KINDS = {
    Kind.CONTACT: ("contact", "long", "minimal", "amended"),
    Kind.CARE_PLAN: ("plan", "plan-long", "plan-minimal", "plan-amended"),
    Kind.SCREENING: ("screening", "screening-long", "screening-minimal", "screening-amended"),
    Kind.REFERRAL: ("referral", "referral-long", "referral-minimal", "referral-amended"),
    Kind.ROLL_UP: ("roll-up", "roll-up-long", "roll-up-minimal", "roll-up-amended"),
}


def golden(path: Path) -> bytes:
    name, language, suffix = path.name.split(".", 2)
    document = DOCUMENTS[name](language)
    if suffix == COPIED:
        return (reading.pdf(render(document, PDF)) + "\n").encode()
    return render(document, SUFFIXES[suffix])


@pytest.mark.parametrize("path", sorted(GOLDEN.iterdir()), ids=lambda path: path.name)
def test_golden(path: Path) -> None:
    if os.environ.get("BRIDGE_TESTS_GOLDEN") == "write":
        path.write_bytes(golden(path))
    assert golden(path) == path.read_bytes()


def test_each_document_is_golden_in_each_language_and_format() -> None:
    expected = {
        f"{name}.{language}.{suffix}"
        for name in DOCUMENTS
        for language in LANGUAGES
        for suffix in ("txt", "xhtml", "rtf", "xml", COPIED)
    }
    assert expected <= {path.name for path in GOLDEN.iterdir()}
    assert {render for mime, render in FORMATS.items() if mime != PDF} == {FORMATS[mime] for mime in SUFFIXES.values()}


def test_every_kind_of_document_is_there_long_minimal_and_amended() -> None:
    assert set(KINDS) == set(Kind)
    for kind, names in KINDS.items():
        assert {DOCUMENTS[name]("en").kind for name in names} == {kind}


# ── facts read back ───────────────────────────────────────────────────────────────────────────────────────────────
def missing_from(document: Document, text: str) -> list[Line]:
    """The lines that do not stand in the text, in their order."""
    left, at = [], 0
    for line in document.lines():
        label = text.find(line.label, at)
        found = text.find(line.text, max(label, at) + len(line.label))
        if label < 0 or found < 0:
            left.append(line)
        else:
            at = found + len(line.text)
    return left


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_fact_is_in_every_format_in_the_same_order(name: str, language: str) -> None:
    document = DOCUMENTS[name](language)
    for mime in ("text/plain", "application/xhtml+xml", "text/html", "text/rtf", "text/xml"):
        assert missing_from(document, READERS[mime](render(document, mime))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_goals_are_verbatim_in_the_familys_language(language: str) -> None:
    """R14, R15: the family's wording, byte for byte, tagged with its language, whatever the headings are in."""
    document = DOCUMENTS["plan"](language)
    text, markup = (render(document, mime) for mime in ("text/plain", "application/xhtml+xml"))
    assert GOAL_ES.encode() in text
    assert GOAL_EN.encode() in text
    assert GOAL_ES in reading.markup(markup)
    page = ElementTree.fromstring(markup)
    spoken = [node for node in page.iter() if node.get("{http://www.w3.org/XML/1998/namespace}lang") == "es"]
    assert any("escuelita" in "".join(node.itertext()) for node in spoken)
    assert "lang" in page.attrib
    assert page.get("lang") == language


@settings(max_examples=150, deadline=None)
@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1
    )
)
def test_any_words_pass_byte_for_byte(words: str) -> None:
    goal = part("goal", {"resourceType": "Goal", "id": "g", "description": {"text": words}})
    document = compose([note(section("Goal", entry=("Goal/g",)), section("Said", words)), goal], frame())
    assert words.encode() in render(document, "text/plain")
    page = ElementTree.fromstring(render(document, "application/xhtml+xml"))
    assert any("".join(node.itertext()).endswith(words) for node in page.iter("{http://www.w3.org/1999/xhtml}p"))
    if words.strip():
        assert [line.text for line in document.sections[-1].lines] == [words]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_markup_is_well_formed_and_plain(name: str, language: str) -> None:
    page = ElementTree.fromstring(render(DOCUMENTS[name](language), "application/xhtml+xml"))
    tags = {node.tag.removeprefix("{http://www.w3.org/1999/xhtml}") for node in page.iter()}
    assert tags <= {"html", "head", "meta", "title", "body", "h1", "h2", "h3", "p", "strong", "span", "br", "hr"}
    assert not any(node.get(attribute) for node in page.iter() for attribute in ("style", "src", "href", "onclick"))


def test_a_character_xml_cannot_hold_does_not_break_the_page() -> None:
    assert xhtml.words("a\x0bb\r\nc") == "a�b&#13;<br/>c"


ASKED = {
    "contact": "Please check her hearing at the next visit.",
    "screening": "Por favor, revise el resultado con la familia.",
    "superseding": "This note takes the place of an earlier one, which stays in this chart: "
    "please read this one instead.",
    "disregarding": "Please disregard an earlier note, which still stands in this chart: it was entered in error.",
    **dict.fromkeys(
        ("roll-up", "roll-up-long", "roll-up-amended"), "2026-03-11: Please call the family about the hearing test."
    ),
}


# ── what a document says ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_first_line_says_what_is_asked_or_that_nothing_is(name: str) -> None:
    first = render(DOCUMENTS[name]("en"), "text/plain").decode().splitlines()[0]
    nothing = "Nothing is asked of you; this is for your information."
    assert first == ASKED.get(name, nothing)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mime", FORMATS)
def test_every_document_says_the_same_of_what_may_be_missing(mime: str, language: str) -> None:
    """So that its presence says nothing about what was withheld."""
    sentence = Words(language)("incomplete")
    assert all(sentence in READERS[mime](render(make(language), mime)) for make in DOCUMENTS.values())


@pytest.mark.parametrize("mime", FORMATS)
def test_every_document_carries_its_reference_and_whom_to_call(mime: str) -> None:
    for make in DOCUMENTS.values():
        body = READERS[mime](render(make("en"), mime))
        assert REFERENCE in body
        assert "Roble" in body


@pytest.mark.parametrize("mime", [mime for mime in FORMATS if mime != PDF])
@pytest.mark.parametrize("name", ["superseding", "disregarding"])
def test_the_last_reference_a_document_names_is_its_own(name: str, mime: str) -> None:
    """So that looking for the earlier one does not find the one that names it."""
    body = render(DOCUMENTS[name]("es"), mime)
    assert EARLIER.reference.encode() in body
    assert mentions(body, REFERENCE)
    assert not mentions(body, EARLIER.reference)


def test_what_asks_to_disregard_says_nothing_else() -> None:
    document = DOCUMENTS["disregarding"]("en")
    assert document.sections == ()
    assert [line.text for line in document.head] == ["2026-03-05 12:00", "Roble Family Services"]


def test_what_was_withheld_is_absent_heading_and_all() -> None:
    withheld = compose(
        [note({"title": "Marriage"}, section("Here", "Words."), section("Gone", entry=("Goal/x",)))], frame()
    )
    assert [found.heading for found in withheld.sections] == ["Here"]
    assert b"Marriage" not in render(withheld, "text/plain")


def test_the_family_partner_is_an_author_like_the_clinician() -> None:
    """R16."""
    document = DOCUMENTS["contact"]("en")
    assert Line("Family partner (parent peer support), Intensive care coordinator", "Written by") in document.head
    nobody = compose([note(author=[])], frame())
    assert Line("Roble Family Services", "Written by") in nobody.head


def test_a_vacant_role_is_said_and_not_filled() -> None:
    """R6."""
    lines = compose([note(), TEAM], frame()).sections[0].lines
    assert Line("nobody at present", "Family partner") in lines


def test_attendees_are_named_by_role() -> None:
    """R22."""
    lines = compose([note(), ENCOUNTER], frame()).sections[0].lines
    assert Line("Mother (parent)", "With") in lines


def test_what_is_past_is_marked_with_its_date() -> None:
    lines = list(compose([note(), PLAN, *GOALS], frame()).lines())
    stale = [line.text for line in lines if "past on the date of this document" in line.text]
    assert stale == [
        "2025-09-01 to 2026-02-28 (past on the date of this document)",
        "2026-02-01 (past on the date of this document)",
    ]
    early = list(compose([note(date="2026-01-01"), PLAN, *GOALS], frame()).lines())
    assert not any("past on" in line.text for line in early)


def test_the_composition_decides_what_is_told() -> None:
    """A part beside it that no section refers to is not told on the side: its section may have been withheld."""
    document = compose([note(section("Goals", entry=("Goal/g1",))), *GOALS, ENCOUNTER], frame("es"))
    assert [found.heading for found in document.sections] == ["Goals"]
    assert GOAL_EN not in str(document)


def test_a_composition_without_sections_is_told_by_its_parts() -> None:
    document = compose([note(), *GOALS, ENCOUNTER, part("p", {"resourceType": "Patient", "id": "p"})], frame("es"))
    assert [found.heading for found in document.sections] == ["Contacto", "Metas"]


def test_nested_sections_are_told_in_order() -> None:
    nested = {"title": "Outer", "section": [section("Inner", "Deep words.")]}
    assert [found.heading for found in compose([note(nested)], frame()).sections] == ["Inner"]


def test_a_document_needs_a_composition() -> None:
    with pytest.raises(ValueError, match="Composition"):
        compose([ENCOUNTER], frame())


# ── facts of each type ────────────────────────────────────────────────────────────────────────────────────────────
FACTS = yaml.safe_load((Path(__file__).parent / "facts.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("fact", FACTS, ids=[f"{fact['resource']['resourceType']}-{n}" for n, fact in enumerate(FACTS)])
def test_facts(fact: dict[str, Any]) -> None:
    document = compose([note(), part("x", {"id": "x", **fact["resource"]})], frame())
    said = [f"{line.label}: {line.text}" for found in document.sections for line in found.lines]
    assert said == fact["says"]


# ── narrative, moments, words ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("div", "expected"),
    [
        ("<div><p>one</p><p>two<br/>three</p></div>", [Line("one"), Line("two\nthree")]),
        ('<div xml:lang="es"><p>sí</p></div>', [Line("sí", language="es")]),
        ('<div><p lang="es">sí</p><p>yes</p></div>', [Line("sí", language="es"), Line("yes", language="fr")]),
        ("<div>  <p> kept </p>  </div>", [Line(" kept ")]),
        ("<div>a &lt;b&gt; &amp;amp; &#233;&#13;</div>", [Line("a <b> &amp; é\r")]),
        ("<div>plain</div>", [Line("plain")]),
        ("no tags at all", [Line("no tags at all")]),
        ("<div><table><tr><td>x</td></tr><tr><td>y</td></tr></table></div>", [Line("x"), Line("y")]),
        ("<div><b>bold</b> text</p></div>", [Line("bold text")]),
        ("", []),
    ],
)
def test_narratives_are_read_back(div: str, expected: list[Line]) -> None:
    default = "fr" if any(line.language == "fr" for line in expected) else ""
    assert list(paragraphs(div, default)) == expected


def test_moments_are_on_the_agencys_clocks() -> None:
    say = Words("en")
    assert moment("2026-03-04", "America/New_York") == "2026-03-04"
    assert moment("2026-03-04T20:30:00Z", "America/New_York") == "2026-03-04 15:30"
    assert moment("2026-07-04T20:30:00Z", "America/New_York") == "2026-07-04 16:30"
    assert moment("not a moment", "America/New_York") == "not a moment"
    assert span({"start": "2026-03-04"}, "UTC", say) == "2026-03-04"
    assert span({"end": "2026-03-04"}, "UTC", say) == "until 2026-03-04"
    assert (
        span({"start": "2026-03-04T23:00:00Z", "end": "2026-03-05T01:00:00Z"}, "UTC", say)
        == "2026-03-04 23:00 to 2026-03-05 01:00"
    )
    assert span({}, "UTC", say) == ""


def test_words_exist_in_both_languages_and_fall_back_to_english() -> None:
    assert all(len(words) == len(LANGUAGES) and all(words) for words in WORDS.values())
    assert Words("es-US")("goal") == "Meta"
    assert Words("ht")("goal") == "Goal"
    assert Words("es").code("status", "of-its-own") == "of-its-own"


def test_an_unknown_format_is_not_guessed() -> None:
    with pytest.raises(KeyError):
        formats.render(DOCUMENTS["minimal"]("en"), "application/msword")
