"""Looks in a chart for what carries an entry's delivery references: what stands of it, and what stands beside that."""

from __future__ import annotations

from bridge.ehr import look
from bridge.ehr.answers import classify, unusable
from bridge.ehr.capability import SEARCH_BY_POST
from bridge.ehr.search import MOST_BYTES, MOST_PAGES, Page, next_page, page, refused_post
from bridge.model import Answer, AnswerClass, Interaction, Stands
from bridge.moves import planning
from bridge.moves.turning import Turn
from bridge.store import past_steps

TRANSIENT = (AnswerClass.RETRY_LATER, AnswerClass.UNKNOWN, AnswerClass.CONNECTION_DOWN)
"""After these the same search may be answered later; after others it is not."""


async def gathered(turn: Turn, way: look.Way, patient: str, reference: str) -> list[Page] | Answer:
    """Every page of a look in this chart, or the answer that ended it.

    Of a search without end, or that leads in a circle, the last page read has a next one: it proves nothing then.
    """
    entry, chart = turn.entry, turn.chart
    request = look.request(way, chart.planned, entry.resource_type, patient, reference)
    pages: list[Page] = []
    asked, size = {request.path}, 0
    while len(pages) <= MOST_PAGES:
        response = await chart.client.send(request)
        now = turn.clock()
        answer = classify(Interaction.SEARCH, response, chart.vendor, entry.resource_type, now)
        if refused_post(request, answer):
            await turn.line.learn(turn.lane.practice, entry.resource_type, SEARCH_BY_POST, now)
            return Answer(AnswerClass.RETRY_LATER, "search-post", answer.status, 0)
        read_page = page(response, entry.resource_type) if answer.kind is AnswerClass.DONE else None
        if read_page is None:
            return unusable(answer) if answer.kind is AnswerClass.DONE else answer
        pages.append(read_page)
        size += len(response.body)
        following = next_page(read_page, chart.connection.base)
        if following is None or following.path in asked or size > MOST_BYTES:
            break
        asked.add(following.path)
        request = following
    return pages


async def beside(turn: Turn, stands: Stands, *, always: bool = False) -> list[Stands] | Answer:
    """What carries a reference of this entry in its chart beside what `stands`, and what that took the place of.

    An EHR may write late what it had seemed to lose, and an interface engine may file a document again. Nothing is
    looked for where the EHR cannot be asked by identifier, unless `always`, or it stood more than once before: all of
    a patient's documents are many. The answer where the search may be answered later (with `always`: was not answered).
    """
    entry, chart = turn.entry, turn.chart
    way = look.searchable(chart.planned, entry.resource_type)
    if way.how is None or not stands.patient:
        return []
    with turn.line.ledger.read() as connection:
        made, taken_back = past_steps.known(connection, entry.id)
        doubted = always or bool(entry.doubted) or past_steps.stood_twice(connection, entry.id)
    if way.how != "identifier" and not doubted:
        return []
    copies: dict[str, Stands] = {}
    for number in range(entry.replaced + 1):
        reference = planning.reference_of(turn.line, turn.lane, entry, number)
        pages = await gathered(turn, way, stands.patient, reference)
        if isinstance(pages, Answer):
            return pages if always or pages.kind in TRANSIENT else []
        there = look.found(pages, reference, chart.planned).stands
        ours = {stands.id} if reference == entry.reference else {stands.id, *made}
        left = [one for one in there if one.id not in ours | taken_back]
        if reference != entry.reference and len(left) == len(there):  # which of them was written is not known
            left = left[1:]
        copies |= {one.id: Stands(one.id, one.version, "", stands.patient) for one in left}
    return list(copies.values())
