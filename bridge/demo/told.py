"""The summary, in words for people who did not build this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.demo.caseload import Caseload
from bridge.demo.cast import Cast
from bridge.demo.counts import Counts
from bridge.demo.ehrs import Ehr, documents
from bridge.model import Fate

OWNERS = {"agency": "the agency", "practice": "the practice", "engineer": "whoever runs the bridge"}
WHY = {
    "consent": "no consent in force",
    "link": "not certain whose chart",
    "table": "a word without a row in its code table",
    "record": "another record comes first",
    "decision": "a person must decide",
    "capability": "the EHR, or the practice, takes no such write",
    "notice": "told that no further records come",
    "duplicate": "stand more than once in the chart",
    "content": "our mapping is at fault",
    "practice": "outside what the practice asked for",
    "referral": "the agency says whom a practice referred",
}
SIGN = frozenset("¿¡«")
SHOWN = 8
"""Questions that the summary names; the page has all of them."""


def summary(
    cast: Cast, whole: Caseload, fates: Counter[Fate], counts: Counts, never: int, ehrs: Mapping[str, Ehr]
) -> Iterator[str]:
    """The lines of the summary; `never` is how many sentences were looked for in the charts."""
    answer = counts.answer
    records, entries = answer["records"], answer["entries"]
    cities = ", ".join(f"{office.name} ({office.city})" if office.city else office.name for office in cast.offices)
    spanish = sum(family.language == "es" for family in whole.families)
    yield ""
    yield f"Half a year of {len(whole.families)} families, {spanish} of them Spanish-speaking, went through."
    yield f"  {cities}"
    yield ""
    yield f"{sum(fates.values()):,} records arrived; {records['accepted']:,} were new to the bridge."
    yield f"  {records['translated']:,} became FHIR, {records['held']:,} wait for a person,"
    yield f"  {records['superseded']:,} gave way to a newer version, {records['waiting']:,} are not signed yet."
    yield f"  {fates[Fate.RESEND]:,} had come before, {fates[Fate.REJECTED]:,} were not taken: the sender was told why."
    yield ""
    yield from practices(cast, counts)
    yield ""
    yield from questions(counts)
    yield from read_there(cast, ehrs)
    yield "Looked up in the charts themselves:"
    yield f"  {counts.standing:,} resources stand there, {answer['duplicates']} of them twice."
    yield f"  {counts.lost} answers were lost on the way, on purpose; {entries['unknown']} are still unknown."
    if counts.wrong:
        yield "  NOT AS IT SHOULD BE:"
        yield from (f"    {line}" for line in counts.wrong)
    else:
        yield "  The ledger and the EHRs agree on every one."
        yield f"  {never:,} sentences that must stay with the agency were looked for: they are in no chart."
    yield f"It took {answer['seconds']} s."


def read_there(cast: Cast, ehrs: Mapping[str, Ehr]) -> Iterator[str]:
    """One note of a Spanish-speaking family, as it is read at the practice."""
    for site in cast.sites:
        for resource in ehrs[site.id].received() if site.document.mime == "text/plain" else ():
            for text in documents(resource):
                if SIGN & set(text) and "Contact with" in text and "What happened" in text:
                    yield ""
                    yield f"What {site.name} reads, for example:"
                    yield from (f"  │ {line}".rstrip() for line in text.strip().splitlines())
                    yield ""
                    return
    yield ""


def practices(cast: Cast, counts: Counts) -> Iterator[str]:
    """A line for each practice, with how things got there and why others did not."""
    found = counts.answer["practices"]
    wide = max(len(site.name) for site in cast.sites)
    yield f"{'practice':{wide}}  {'EHR':8}{'in charts':>10}{'wait':>8}{'withdrawn':>11}{'kept back':>11}"
    for site in cast.sites:
        of = found[site.id]
        entries = of["entries"]
        waits = entries["held"] + entries["refused"] + entries["ready"] + entries["unknown"] + entries["sending"]
        yield (
            f"{site.name:{wide}}  {of['ehr']:8}{entries['delivered']:>10,}{waits:>8,}"
            f"{entries['retracted'] + entries['cancelled']:>11,}{of['withheld_parts']:>11,}"
        )
        by = ", ".join(f"{count:,} {kind}" for kind, count in sorted(of["delivered"].items()) if count)
        yield f"{'':{wide}}  by: {by or 'nothing: this EHR lets no document in'}"
        if why := list(why_it_waits(of)):
            yield f"{'':{wide}}  wait: " + ", ".join(why)


def why_it_waits(of: Mapping[str, Any]) -> Iterator[str]:
    """What the entries that wait, wait for; a notice keeps nothing back."""
    for why, count in of["held"].items():
        if why != "notice":
            yield f"{count:,} {WHY[why]}"
    if of["entries"]["ready"]:
        yield f"{of['entries']['ready']:,} behind another of the same record"


def questions(counts: Counts) -> Iterator[str]:
    """What needs a person: the largest piles of the same question."""
    piles = sorted(counts.piles, key=lambda pile: -pile["holds"])
    cases = sum(pile["cases"] for pile in piles)
    yield f"What needs a person: {sum(pile['holds'] for pile in piles):,} things wait for {cases:,} answers."
    for pile in piles[:SHOWN]:
        where = pile["practice"] or pile["agency"]
        yield f"  {pile['holds']:>4,}  {where}: {pile['rule']}"
        yield f"        {pile['cases']:,} to answer, by {OWNERS[pile['owner']]}"
    if len(piles) > SHOWN:
        yield f"  and {len(piles) - SHOWN} more kinds of question"
