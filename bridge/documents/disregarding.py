"""The one document without clinical content: it asks to disregard an earlier one that cannot be changed or marked."""

from __future__ import annotations

from bridge.documents.compose import about, called, foot
from bridge.documents.content import Document, Earlier, Frame, Line
from bridge.documents.moments import moment
from bridge.documents.words import Words


def disregarding(earlier: Earlier, date: str, frame: Frame) -> Document:
    """The document that asks to disregard `earlier`; `date` (FHIR) is when it is written.

    It says which one, by whom, when and whom to call: nothing of what the earlier one said.
    """
    say = Words(frame.language)
    return Document(
        language=say.language,
        title=say("disregard-title"),
        ask=(Line(say("disregard")), called(earlier, frame.zone, say)),
        head=(
            *about(frame, say),
            Line(moment(date, frame.zone), say("date")),
            Line(frame.agency, say("written-by")),
        ),
        sections=(),
        foot=tuple(foot(frame, say)),
        reference=frame.reference,
        date=date,
        frame=frame,
        period={"start": date},
    )
