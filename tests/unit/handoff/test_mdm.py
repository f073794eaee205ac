"""MDM messages, read by two published HL7 v2 libraries: python-hl7 by position, hl7apy by the standard's structures."""

from __future__ import annotations

import base64

import hl7
import hl7apy.consts
import hl7apy.parser
import hypothesis.strategies as some
import pytest
from hypothesis import given, settings

from bridge.handoff import er7
from bridge.handoff.mdm import Names, message
from bridge.handoff.over import HandOver, was_handed
from bridge.model import Action
from tests.unit.handoff.making import EARLIER, REFERENCE, over

NAMES = Names(("DYAD|BRIDGE", "HARBOR"), ("ENGINE", "MAPLE"), "T", "MAPLE&MRN")


@pytest.mark.parametrize(
    ("action", "trigger", "structure"),
    [(Action.CREATE, "T02", "MDM_T02"), (Action.REPLACE, "T10", "MDM_T02"), (Action.RETRACT, "T11", "MDM_T01")],
)
def test_each_action_is_a_message_of_the_standard(action: Action, trigger: str, structure: str) -> None:
    said = message(over(action), NAMES).decode()
    read = hl7apy.parser.parse_message(said, find_groups=True)
    assert read.name == structure
    assert read.validate(), "the structure of the standard"
    assert (read.msh.msh_9.to_er7(), read.msh.msh_12.to_er7()) == (f"MDM^{trigger}^{structure}", "2.5.1")
    assert read.msh.msh_18.to_er7() == "UNICODE UTF-8"


def test_the_document_arrives_byte_for_byte_with_its_patient_named_in_full() -> None:
    read = hl7.parse(message(over(), NAMES).decode())
    assert base64.b64decode(str(read["OBX.F5.R1.C5"])) == over().body
    assert [str(read[f"OBX.F5.R1.C{n}"]) for n in (2, 3, 4)] == ["TEXT", "XML", "Base64"]
    pid = read.segment("PID")
    assert [read.unescape(str(pid[3][0][n])) for n in (0, 4)] == ["m|1", "MR"]
    assert read.unescape(str(pid[3][0][3])) == "MAPLE&MRN"
    assert [read.unescape(str(pid[5][0][n])) for n in (0, 1, 2)] == ["Ñandú & O'Hara", "Luz", "del Mar"]
    assert (str(pid[7]), str(pid[8])) == ("20210304", "F")
    assert read.unescape(str(read["MSH.F3"])) == "DYAD|BRIDGE"


def test_a_number_s_system_is_its_assigning_authority_where_none_is_named() -> None:
    read = hl7.parse(message(over(), Names()).decode())
    assert str(read.segment("PID")[3][0][3]) == "&2.16.840.1.113883.19.5.1&ISO"


def test_a_replacement_names_its_parent_and_a_cancellation_carries_nothing() -> None:
    second = hl7.parse(message(over(Action.REPLACE, replaces=EARLIER), NAMES).decode())
    assert [str(second.segment("TXA")[n]) for n in (12, 13, 17, 19)] == [REFERENCE, EARLIER, "AU", "AV"]
    third = message(over(Action.RETRACT), NAMES).decode()
    read = hl7.parse(third)
    assert [str(read.segment("TXA")[n]) for n in (12, 17, 19)] == [REFERENCE, "AU", "CA"]
    assert str(read["MSH.F10"]) == f"{REFERENCE}-C"
    assert "OBX" not in third


@settings(max_examples=50, deadline=None)
@given(some.text(alphabet=some.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_no_words_can_break_a_message(words: str) -> None:
    said = message(over(title=words, authors=(words,), type=("", words, "")), NAMES).decode()
    read = hl7.parse(said)
    assert len(read) == 6
    assert read.unescape(str(read.segment("TXA")[9][0][1])) == words


def test_line_ends_and_control_characters_stay_within_a_field() -> None:
    assert er7.text("a\r\nb\nc\rd\x0b\x1c") == "a\\.br\\b\\.br\\c\\.br\\d"


def test_the_same_is_the_same_message_and_survives_the_ledger() -> None:
    kept = over().kept()
    assert was_handed(kept)
    assert HandOver.read(kept) == over()
    assert message(HandOver.read(kept), NAMES) == message(over(), NAMES)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (b"MSH|^~\\&|E\rMSA|AA|X-1\r", er7.Acknowledgement("AA", "X-1")),
        (b"MSH$!~\\&$E\r\nMSA$ae$X-1$words\r\nERR$$$204!words$E", er7.Acknowledgement("AE", "X-1", ("204",))),
        (b"MSH|^~\\&|E\rMSA|AR|X-1\rERR|||Luz Ejemplo^words|E", er7.Acknowledgement("AR", "X-1")),
        (b"MSH|^~\\&|E\r", None),
        (b"HTTP/1.1 400 Bad Request", None),
        (b"", None),
        (b"\xff\xfe", None),
    ],
)
def test_an_acknowledgement_is_read_for_its_codes(said: bytes, found: er7.Acknowledgement | None) -> None:
    assert er7.acknowledgement(said) == found
