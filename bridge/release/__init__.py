"""What may leave, for which chart, and if not, what is waited for.

    gates.py      consent, link and the practice's own limits at once
    withhold.py   labels × consent × recipient → the parts and sections that leave
    guard.py      free text that a person at the agency reads before it leaves
    part2.py      42 CFR part 2: what a disclosure carries
    preview.py    for a record: what would leave, what not, by which rule and consent
    origin.py     who wrote it, who sent it, for whom: the canonical Provenance

Pure: consents, settings and what is known come in as values, and so does the time.
"""

from __future__ import annotations

from bridge.release.gates import (
    Gate,
    charts_for,
    gate,
    may_answer,
    no_practice,
    outside,
    practice_key,
    send_from,
    settings_key,
)

__all__ = [
    "Gate",
    "charts_for",
    "gate",
    "may_answer",
    "no_practice",
    "outside",
    "practice_key",
    "send_from",
    "settings_key",
]
