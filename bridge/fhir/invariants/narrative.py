"""txt-1 and txt-2: what a Narrative's XHTML may hold (R4 §2.4.0, hl7.org/fhir/R4/narrative.html)."""

from __future__ import annotations

import re
from typing import Any

# Tags of HTML 4.0 chapters 7-11 (but section 4 of 9) and 15, plus a and img; no scripts, forms, frames or objects.
# fmt: off
ALLOWED = frozenset((
    "a", "abbr", "acronym", "address", "b", "bdo", "big", "blockquote", "br", "caption", "cite", "code", "col",
    "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img",
    "ins", "kbd", "li", "ol", "p", "pre", "q", "samp", "small", "span", "strong", "sub", "sup", "table", "tbody",
    "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
))
# fmt: on
START = re.compile(r"""\s*<div\s[^<>]*?xmlns\s*=\s*["']http://www\.w3\.org/1999/xhtml["'][^<>]*>""")
TOKEN = re.compile(
    r"""<!--.*?-->
      |</(?P<end>[A-Za-z][A-Za-z0-9]*)\s*>
      |<(?P<name>[A-Za-z][A-Za-z0-9]*)(?P<attributes>(?:\s+[A-Za-z_][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(?P<empty>/?)>
      |(?P<loose><|&(?!(?:[A-Za-z][A-Za-z0-9]{1,31}|\#[0-9]{1,7}|\#x[0-9A-Fa-f]{1,6});))""",
    re.VERBOSE | re.DOTALL,
)
ACTIVE = re.compile(r"""\son[a-z]+\s*=|=\s*["']\s*javascript:""", re.IGNORECASE)
CONTENT = re.compile(r"<img\s|>[^<]*[^\s<]")

# What `is_narrative` takes, for the plainest narratives (paragraphs and line breaks), as a schema: no Python is called.
_ENTITY = "&(?:[A-Za-z]{2,8}|#[0-9]{1,7});"
_INLINE = f"[^<&]|{_ENTITY}|<br ?/>"
_LANGUAGE = '(?: (?:xml:)?lang="[A-Za-z0-9-]+")*'
SIMPLE: dict[str, Any] = {
    "pattern": rf'^<div xmlns="http://www\.w3\.org/1999/xhtml"{_LANGUAGE}>(?:{_INLINE}|<p>(?:{_INLINE})*</p>)*</div>$',
    "allOf": [{"pattern": r">[^<]*[^\s<]"}],
}


def is_narrative(value: Any) -> bool:
    """The XHTML is one well-formed `div` of formatting tags, without anything active, and says something."""
    if not isinstance(value, str):
        return True  # the schema says so
    start = START.match(value)
    if start is None or not CONTENT.search(value):
        return False
    open_tags: list[str] = []
    for token in TOKEN.finditer(value):
        if token["loose"]:
            return False
        if token["name"]:
            if token["name"] not in ALLOWED or ACTIVE.search(token["attributes"]):
                return False
            if not open_tags and token.start() >= start.end():
                return False  # a second root
            if not token["empty"]:
                open_tags.append(token["name"])
        elif token["end"] and (not open_tags or open_tags.pop() != token["end"]):
            return False
    return not open_tags and value.rstrip().endswith("</div>")
