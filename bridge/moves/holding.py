"""What holds an entry on its way out, in words that a person can act on."""

from __future__ import annotations

from collections.abc import Sequence

from bridge import people
from bridge.ehr.context import Shaped
from bridge.ehr.decide import content_key, decision_key
from bridge.ehr.facts import VendorFacts
from bridge.ehr.route import capability_key
from bridge.model import EntryState, Finding, Hold, HoldReason, Owner, Severity
from bridge.moves.line import Line
from bridge.store.lanes import EntryWork, LaneWork

STOPPED_AT = 3
"""Claims in a row without an outcome: what is claimed so often stops the worker."""


def _question(entry: EntryWork, owner: Owner, rule: str, next_step: str) -> Hold:
    """Only a person's word on this entry ends it."""
    return Hold(HoldReason.DECISION, decision_key(str(entry.id)), owner, rule, next_step)


def _fault(entry: EntryWork, owner: Owner, rule: str, next_step: str) -> Hold:
    """What this entry says, or how, is at fault."""
    return Hold(HoldReason.CONTENT, content_key(str(entry.id)), owner, rule, next_step)


def stopped_the_worker(key: str) -> Hold:
    """What a worker did not survive three times in a row."""
    rule = f"claimed {STOPPED_AT} times without an outcome: it stopped the worker"
    return Hold(HoldReason.DECISION, key, Owner.ENGINEER, rule, "find out why, then `bridge held retry`")


def failed(entry: EntryWork, what: str) -> Hold:
    """The bridge itself failed at it, several times in a row; `what` is the error's class and its place in our code."""
    rule = f"the bridge failed at it several times in a row: {what}"
    step = f"see `carry-failed` of entry {entry.id} in the log, mend what it shows, then `bridge held retry`"
    if entry.state is EntryState.DELIVERED:  # it stands; only whether a copy came late could not be looked at
        step = f"{step}; look in the chart whether reference {entry.reference} stands there once"
    return _fault(entry, Owner.ENGINEER, rule, step)


def no_way(practice: str, entry: EntryWork, because: str) -> Hold:
    """This EHR, or this site, takes no such write."""
    return Hold(
        HoldReason.CAPABILITY,
        capability_key(practice, entry.resource_type),
        Owner.PRACTICE,
        f"there is no way into this practice's EHR for it: {because}",
        "ask the practice's EHR team to open it, or enable it in `bridge.yaml`",
    )


def no_retraction(entry: EntryWork) -> Hold:
    """What stands cannot be marked entered-in-error by us."""
    why = "this was recalled: it is another patient's" if entry.should else "the agency withdrew this"
    return _question(
        entry,
        Owner.PRACTICE,
        f"{why}, and this EHR does not let us mark what stands as entered in error",
        f"ask the practice to withdraw the document with reference {entry.reference}, then answer this hold",
    )


def forgotten(entry: EntryWork) -> Hold:
    """What stands was written by us, and what was written is not known any more."""
    return _question(
        entry,
        Owner.ENGINEER,
        "it takes the place of a note whose delivery reference is not known any more",
        "look into the chart for what stands of it, then answer this hold",
    )


def wrong(line: Line, shaped: Shaped, vendor: VendorFacts) -> Finding | None:
    """The first error of what would leave: of shaping for this EHR, or of FHIR itself.

    An element this vendor infers, and refuses when it is sent, is not missed (`facts.drops`).
    """
    found = (*shaped.findings, *(line.validator.check(shaped.resource, advise=False) if shaped.sendable else ()))
    type = str(shaped.resource.get("resourceType", ""))
    inferred = {f"{type}.{element}" for element in vendor.drops.value.get(type, ())}
    errors = (finding for finding in found if finding.severity is Severity.ERROR)
    return next((finding for finding in errors if finding.path not in inferred), None)


def unsendable(entry: EntryWork, finding: Finding) -> Hold:
    """It lacks what this EHR, or FHIR, requires; found before sending."""
    return _fault(
        entry,
        Owner.ENGINEER,
        f"it cannot be sent as it is: {finding.path}: {finding.rule} [{finding.code}]",
        "correct the mapping or the site's settings, then `bridge held retry`",
    )


def unwritable(entry: EntryWork, rule: str) -> Hold:
    """The request cannot be built on what stands."""
    return _question(
        entry,
        Owner.ENGINEER,
        f"what stands cannot be changed: {rule}",
        "look into the chart, then answer this hold",
    )


def changed_there(entry: EntryWork, elements: Sequence[str]) -> Hold:
    """Somebody at the practice changed what we wrote: nothing of theirs is overwritten (R15)."""
    return _question(
        entry,
        Owner.AGENCY,
        f"the practice changed {', '.join(elements)} of what stands, and the agency's record changed too",
        "agree with the practice what is right, then answer this hold",
    )


def withdrawn_there(entry: EntryWork) -> Hold:
    """Somebody at the practice withdrew what we wrote: it is not written over."""
    return _question(
        entry,
        Owner.PRACTICE,
        "what stands was marked entered-in-error in the chart, and the agency's record changed since",
        "ask the practice why, then answer this hold: --absent sends it as new, --drop leaves it withdrawn",
    )


def elsewhere(entry: EntryWork) -> Hold:
    """What stands is in another chart than the one that is certain by now: nothing more is written there."""
    return _question(
        entry,
        Owner.PRACTICE,
        "what stands of it is in another chart than the one the practice's identifier means now",
        "`bridge recall` where that was the wrong chart; else answer this hold: --absent sends it to the chart meant "
        "now, --drop leaves what stands",
    )


def whose_words(entry: EntryWork) -> Hold:
    """What stands says otherwise, and what we wrote there is not known any more (a backup came back)."""
    return _question(
        entry,
        Owner.AGENCY,
        "what stands differs from the agency's record, and who changed it is not known",
        f"compare the document with reference {entry.reference} with the record, then answer this hold: --drop leaves "
        "what stands, --absent sends the record once it was withdrawn there",
    )


def never_found(entry: EntryWork) -> Hold:
    """The EHR says it stands there already, and looking does not find it."""
    return _question(
        entry,
        Owner.PRACTICE,
        "the EHR says that it stands there already, and it was not found",
        f"look in the chart for reference {entry.reference}, then answer this hold",
    )


def looked(entry: EntryWork, because: str) -> Hold:
    """A look that proves nothing: a person looks."""
    return _question(
        entry,
        Owner.PRACTICE,
        f"whether it arrived is not known: {because}",
        f"look in the chart for reference {entry.reference}, then answer this hold",
    )


def unlooked(entry: EntryWork, because: str) -> Hold:
    """It stands, and whether a copy came late cannot be looked for."""
    return _fault(
        entry,
        Owner.ENGINEER,
        f"it stands, and whether a copy of it came late cannot be looked for: {because}",
        f"ask the practice whether reference {entry.reference} stands more than once, then `bridge held retry`",
    )


def stands_twice(entry: EntryWork, more: int) -> Hold:
    """More than one of the same stands in the chart."""
    return _question(
        entry,
        Owner.PRACTICE,
        f"it stands {more + 1} times in the chart",
        f"ask the practice to withdraw all but one with reference {entry.reference}, then answer this hold",
    )


def numberless(lane: LaneWork) -> Hold:
    """Its patient is known by the EHR's own id alone, by which no interface engine files a document."""
    return Hold(
        HoldReason.LINK,
        people.link_key(lane.agency, lane.source, lane.practice),
        Owner.PRACTICE,
        "a document that is handed over names the practice's own number of the patient, and it is not known",
        "ask the practice for its number and import its roster (`bridge links import`), or confirm it on the page",
    )


def nameless(entry: EntryWork) -> Hold:
    """The agency has not told who the patient is."""
    return _fault(
        entry,
        Owner.AGENCY,
        "a document that is handed over names its patient in full, and name or birth date are not known",
        "send the person's own record with name and birth date, then `bridge held retry`",
    )


def not_taken(entry: EntryWork, code: str) -> Hold:
    """The other side of a hand-off said no."""
    return _fault(
        entry,
        Owner.PRACTICE,
        f"the practice's side did not take what was handed over: {code}",
        "ask who runs the practice's interface, correct `handoff` in bridge.yaml, then `bridge held retry`",
    )


def unheard(entry: EntryWork, reference: str) -> Hold:
    """Whether it was handed over is not known, and cannot be asked."""
    return _question(
        entry,
        Owner.PRACTICE,
        "whether it was handed over is not known, and the practice's side cannot be asked",
        f"ask the practice for the document with reference {reference}; if it is there, answer with that reference",
    )


def which_last(entry: EntryWork, reference: str) -> Hold:
    """A backup came back: whether more was handed over since is not known, and cannot be asked."""
    return _question(
        entry,
        Owner.PRACTICE,
        "whether more of it was handed over since the backup is not known, and the practice's side cannot be asked",
        f"ask the practice for the latest document that came instead of the one with reference {reference}, and answer"
        " with its reference, or with this one where none came",
    )


def refused_later(entry: int) -> Hold:
    """The other side of a hand-off said afterwards that it did not come into the chart."""
    return Hold(
        HoldReason.CONTENT,
        content_key(str(entry)),
        Owner.PRACTICE,
        "the practice's side says that what was handed over did not arrive, or was not taken",
        "ask who runs the practice's interface, then `bridge held retry`: it is handed over under a new reference",
    )
