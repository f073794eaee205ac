"""What an EHR's answer means for the step that asked. The meaning is a table (`rows`); this reads it."""

from __future__ import annotations

from dataclasses import replace

from bridge.ehr.facts import VendorFacts
from bridge.ehr.received import Received, receive
from bridge.ehr.references import SUBJECTS
from bridge.ehr.rows import TABLE, Body, Row
from bridge.model import NEVER_LEFT, Answer, AnswerClass, Failure, Interaction, Response, Stands

_SEARCH_RESULT = "Bundle"


def classify(
    interaction: Interaction,
    response: Response,
    vendor: VendorFacts,
    target: str = "DocumentReference",
    now: int = 0,
) -> Answer:
    """The meaning of a response: the vendor's exceptions first, then the first row of the table that fits.

    `target` is the type asked for, or `Type/id` where one resource was; `now` (microseconds) dates a Retry-After given
    as a date. Of an OperationOutcome only codes and element paths are looked at. Raises nothing.
    """
    type, _, id = target.partition("/")
    received = receive(response, type, now)
    row = _exception(interaction, received, vendor)
    if row is None:
        row = next(row for row in TABLE if _fits(row, interaction, received, response.failure, type, id, vendor))
    stands = Stands(id, received.version) if id and interaction is not Interaction.SEARCH else received.stands
    return Answer(
        row.means,
        row.code,
        received.status,
        received.after,
        stands if row.means is AnswerClass.DONE else None,
        tuple(map(str, received.issues)),
        response.failure not in NEVER_LEFT,
    )


def unusable(answer: Answer) -> Answer:
    """An answer that says done, and does not hold what it should: no page of results, another resource."""
    return replace(answer, kind=AnswerClass.UNUSABLE, code="not-what-was-asked", stands=None)


def body_of(received: Received, interaction: Interaction, type: str, id: str) -> Body:
    """What stands in the body, for the table."""
    if received.empty:
        return Body.NONE
    kind = received.resource.get("resourceType") if received.resource is not None else None
    if kind == "OperationOutcome":
        return Body.OUTCOME
    if interaction is Interaction.SEARCH:
        return Body.TYPE if kind == _SEARCH_RESULT else Body.OTHER
    own = received.resource.get("id") if received.resource is not None else None
    return Body.TYPE if kind == type and (not id or own in (id, None)) else Body.OTHER


def _exception(interaction: Interaction, received: Received, vendor: VendorFacts) -> Row | None:
    """The vendor's own row for a code in the answer. A code in FHIR's outcome counts only in a refusal: beside a
    result it is a remark. A code in a body that is not FHIR counts always.
    """
    codes = {received.vendor_status}
    if received.status >= 300:
        codes.update(code for issue in received.issues for code in issue.codes)
    for exception in vendor.exceptions:
        fits = interaction in exception.interactions and received.status in (exception.statuses or (received.status,))
        found = sorted(codes & set(exception.codes))
        if fits and found:
            return Row(f"{vendor.vendor}-{found[0]}", exception.means, exception.note)
    return None


def _fits(
    row: Row,
    interaction: Interaction,
    received: Received,
    failure: Failure | None,
    type: str,
    id: str,
    vendor: VendorFacts,
) -> bool:
    statuses = (*row.statuses, *vendor.stale.value) if row.stale else row.statuses
    return (
        interaction in row.interactions
        and (row.failure is None or row.failure is failure)
        and (row.failure is not None or not statuses or any(_in(received.status, status) for status in statuses))
        and (not row.codes or any(set(row.codes) & issue.codes for issue in received.issues))
        and (not row.path or _about(row, received))
        and (not row.body or body_of(received, interaction, type, id) in row.body)
        and (row.known is None or row.known == (received.stands is not None))
        and (row.errors is None or row.errors == any(issue.is_error for issue in received.issues))
        and (row.patient is None or row.patient == (type == "Patient"))
    )


def _in(status: int, wanted: range | int) -> bool:
    return status in wanted if isinstance(wanted, range) else status == wanted


def _about(row: Row, received: Received) -> bool:
    """Whether an issue with one of the row's codes is about the element the row names, or about none."""
    paths = [issue.path for issue in received.issues if set(row.codes) & issue.codes]
    if row.path == "none":
        return not any(paths)
    last = {path.replace("/", ".").split(".")[-1].removeprefix("f:") for path in paths}
    return bool(last & set(SUBJECTS))
