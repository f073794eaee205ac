"""The one chart of a lane's person: the EHR's Patient id, once its identifier was found there for certain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from bridge import people
from bridge.consent import OF_AGE
from bridge.ehr import match
from bridge.ehr.answers import classify
from bridge.ehr.capability import SEARCH_BY_POST
from bridge.ehr.chart import Chart
from bridge.ehr.search import refused_post
from bridge.model import Answer, AnswerClass, Hold, HoldReason, Interaction, Link, Owner
from bridge.moves.line import SECOND, Line
from bridge.store import permissions, recalls
from bridge.store.lanes import LaneWork

PATIENT_ID = "urn:dyad-bridge:patient-id"
"""The system of a link that a person confirmed by the EHR's own Patient id."""

GOOD_FOR = 86_400 * SECOND
"""How long a chart that was found counts as found: patients are merged, and die."""

AGAIN = 60 * SECOND
"""How long to wait before a search that failed is tried again."""


CAREGIVER = "caregiver"
"""The role of those who are grown up, whatever an agency calls them otherwise: a mapping's name for them (R25)."""


@dataclass(frozen=True, slots=True)
class Found:
    """The chart, or why there is none yet: a hold, or a time to try again.

    `asks` is the hold where trying again brings nothing; `left` is False where nothing was asked of the EHR.
    """

    patient: str = ""
    hold: Hold | None = None
    due: int | None = None
    asks: Hold | None = None
    left: bool = True


@dataclass(slots=True)
class Matcher:
    """Looks for the person's chart at most once a claim, and only when something is about to be sent."""

    line: Line
    chart: Chart
    lane: LaneWork
    clock: Callable[[], int]
    _found: Found | None = field(default=None)

    async def patient(self) -> Found:
        """The chart of this lane's person, remembered in the ledger once it was found."""
        if self._found is None:
            self._found = await self._look()
        return self._found

    async def again(self) -> Found:
        """The EHR says that this chart is gone, merged or another's: looked for anew, once a claim.

        A hold where it is the same chart again: then a person must look.
        """
        before = self._found.patient if self._found is not None else ""
        if self.lane.link is not None:
            await self.line.write(permissions.matched, (self.lane.link.id, "", 0))
            self._found = await self._find(self.lane.link)
            if self._found.patient and self._found.patient == before:
                await self.line.write(permissions.matched, (self.lane.link.id, "", 0))
                self._found = Found()
        return self._found or Found()

    async def _look(self) -> Found:
        link, lane = self.lane.link, self.lane
        if link is None:
            return Found(hold=people.missing(lane.agency, lane.source, lane.practice))
        if link.patient and self.clock() < link.matched + GOOD_FOR:
            return Found(link.patient)
        if not self.chart.serves:
            number = self.line.ledger.keyring.hash(link.system, link.value)
            with self.line.ledger.read() as connection:
                shared = permissions.shared_link(connection, lane.practice, lane.person)
                recalled = recalls.recalled_from(connection, lane.practice, lane.person, number)
            sure = people.by_number(link, number, shared, recalled=recalled)
            return Found(hold=sure) if isinstance(sure, Hold) else Found(sure.patient)
        return await self._find(link)

    async def _find(self, link: Link) -> Found:
        lane, chart = self.lane, self.chart
        by_id = link.system == PATIENT_ID
        if by_id:
            request, interaction, target = match.read(link.value), Interaction.READ, f"{match.PATIENT}/{link.value}"
        elif chart.capability is None or not chart.capability.searches(match.PATIENT, "identifier").yes:
            return Found(hold=unsearchable(lane))
        else:
            request = match.by_identifier(chart.capability, link.system, link.value)
            interaction, target = Interaction.SEARCH, match.PATIENT
        response = await chart.client.send(request)
        now = self.clock()
        answer = classify(interaction, response, chart.vendor, target, now)
        if refused_post(request, answer):
            await self.line.learn(lane.practice, match.PATIENT, SEARCH_BY_POST, now)
            return Found(due=now, left=False)
        if answer.kind in (AnswerClass.RETRY_LATER, AnswerClass.UNKNOWN, AnswerClass.CONNECTION_DOWN):
            return Found(due=now + max(answer.after or 0, AGAIN), left=answer.left)
        if answer.kind is AnswerClass.UNUSABLE:
            return Found(due=now + AGAIN, asks=unusable(lane, answer.code), left=answer.left)
        if answer.kind is not AnswerClass.DONE and answer.kind is not AnswerClass.PATIENT:
            return Found(hold=refused(lane, answer))
        if by_id:
            read = match.patient(response)
            candidates: tuple[match.Candidate, ...] | None = (read,) if read is not None else ()
            if answer.kind is AnswerClass.DONE and read is None:
                candidates = None
        else:
            candidates = match.candidates(response, link.value)
        into = people.merged_into(candidates) if candidates is not None and not by_id else ""
        if into:  # followed once; whose chart that is, is decided anew
            candidates = await self._survivor(link, into)
        if candidates is None:
            return Found(due=now + AGAIN, asks=unusable(lane, "not-what-was-asked"))
        with self.line.ledger.read() as connection:
            left = people.standing(candidates)
            one = left[0].id if len(left) == 1 else ""
            shared = permissions.shared_link(connection, lane.practice, lane.person, one)
            recalled = recalls.recalled_from(connection, lane.practice, lane.person, one)
        birth_date = orjson.loads(lane.patient).get("birthDate", "") if lane.patient else ""
        grown_by = of_age(now) if self.lane.role == CAREGIVER else ""
        found = people.certain(link, candidates, birth_date, shared, recalled=recalled, grown_by=grown_by)
        if isinstance(found, Hold):
            return Found(hold=found)
        await self.line.write(permissions.matched, (link.id, found.patient, now))
        return Found(found.patient)

    async def _survivor(self, link: Link, id: str) -> tuple[match.Candidate, ...] | None:
        """The chart another was merged into, if it carries the practice's identifier; None where it was not read."""
        response = await self.chart.client.send(match.read(id))
        answer = classify(Interaction.READ, response, self.chart.vendor, f"{match.PATIENT}/{id}", self.clock())
        if answer.kind is AnswerClass.PATIENT:
            return ()
        return match.carrying(response, link.value) if answer.kind is AnswerClass.DONE else None


def refused(lane: LaneWork, answer: Answer) -> Hold:
    """The hold where this EHR does not let us look for its patient."""
    return Hold(
        HoldReason.LINK,
        people.link_key(lane.agency, lane.source, lane.practice),
        Owner.PRACTICE,
        f"this EHR refused the search for its patient: status {answer.status}, {answer.code}",
        "ask the practice's EHR team to open it, then `bridge held retry`; or confirm the EHR's own Patient id",
    )


def unusable(lane: LaneWork, code: str) -> Hold:
    """The hold where what this EHR answers of its patient is nothing that can be read, however often it is asked."""
    return Hold(
        HoldReason.LINK,
        people.link_key(lane.agency, lane.source, lane.practice),
        Owner.PRACTICE,
        f"this EHR's answers do not show its patient: they are too large, or hold something else [{code}]",
        "ask the practice's EHR team why, then `bridge held retry`; or confirm the EHR's own Patient id",
    )


def of_age(now: int) -> str:
    """The day on which somebody was born who is 18 today, `YYYY-MM-DD`; in UTC, a day more or less is nobody's harm."""
    today = datetime.fromtimestamp(now // SECOND, UTC).date()
    return f"{today.year - OF_AGE:04d}-{today:%m-%d}"


def unsearchable(lane: LaneWork) -> Hold:
    """The hold where this EHR cannot be searched for its own identifier."""
    return Hold(
        HoldReason.LINK,
        people.link_key(lane.agency, lane.source, lane.practice),
        Owner.PRACTICE,
        "this EHR does not search patients by identifier",
        "confirm the EHR's own Patient id for this person on the page",
    )
