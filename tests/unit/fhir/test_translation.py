"""The texts of an element in other languages."""

from __future__ import annotations

from bridge.fhir.translation import text_in, translation
from bridge.model import type_json


def titled(*extensions: type_json) -> type_json:
    return {"title": "Steps", "_title": {"extension": list(extensions)}}


def test_a_text_in_a_language_is_found_also_under_a_region() -> None:
    assert text_in("es", titled(translation("fr", "Étapes"), translation("es", "Pasos")), "title") == "Pasos"
    assert text_in("es", titled(translation("es-PR", "Pasos")), "title") == "Pasos"


def test_without_one_the_text_itself_holds() -> None:
    other = {"url": "http://example.org/other", "valueString": "Pasos"}
    assert text_in("es", {"title": "Steps"}, "title") == "Steps"
    assert text_in("es", {}, "title") == ""
    assert text_in("en", titled(translation("es", "Pasos")), "title") == "Steps"
    assert text_in("es", titled(other, translation("fr", "Étapes"), translation("es", "")), "title") == "Steps"
