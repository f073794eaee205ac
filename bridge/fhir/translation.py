"""The texts of an element in other languages, by FHIR's translation extension (hl7.org/fhir/R4/languages.html)."""

from __future__ import annotations

from bridge.model import type_json

URL = "http://hl7.org/fhir/StructureDefinition/translation"


def translation(language: str, text: str) -> type_json:
    """The Extension that says a text in a language (BCP 47)."""
    return {"url": URL, "extension": [{"url": "lang", "valueCode": language}, {"url": "content", "valueString": text}]}


def text_in(language: str, holder: type_json, name: str) -> str:
    """The text of an element in a language, or in a regional form of it; else the element's own, "" where it has none.

    `language` is a code without a region (`es`).
    """
    for extension in holder.get(f"_{name}", {}).get("extension", []):
        if extension.get("url") == URL:
            said = {
                one.get("url"): one.get("valueCode") or one.get("valueString") for one in extension.get("extension", [])
            }
            if (said.get("lang") or "").partition("-")[0].lower() == language and said.get("content"):
                return str(said["content"])
    return str(holder.get(name) or "")
