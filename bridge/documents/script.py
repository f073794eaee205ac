"""Which way a text is written."""

from __future__ import annotations

import unicodedata


def right_to_left(text: str) -> bool:
    """Whether the text's first letter belongs to a script written from right to left (UAX 9, rules P2 and P3)."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction == "L":
            return False
        if direction in ("R", "AL"):
            return True
    return False
