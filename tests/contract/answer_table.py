"""Every answer and what follows, enumerated; `python -m tests.contract.answer_table` writes it into docs/answers.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from bridge.ehr import facts
from bridge.ehr.answers import classify
from bridge.ehr.decide import MOST_UNUSABLE, Follow, Next, Tried, decide
from bridge.ehr.rows import ANY, TABLE, Row
from bridge.model import NEVER_LEFT, Action, Answer, AnswerClass, EntryState, Interaction, Response

DOCUMENT = Path(__file__).parents[2] / "docs" / "answers.md"
BEGIN, END = "<!-- table: generated -->\n", "<!-- /table -->\n"
NAMES = {
    Interaction.CREATE: "create",
    Interaction.READ: "read",
    Interaction.SEARCH: "search",
    Interaction.UPDATE: "update",
}
STATUSES = range(100, 600)
ACTIONS = {Interaction.CREATE: Action.CREATE, Interaction.READ: Action.UPDATE}
FOLLOWS = {
    Follow.LOOK: "it is looked for, after the EHR's visibility delay or as Retry-After says",
    Follow.READ: "what stands is read again, compared and merged; after three in a row a person",
    Follow.CIRCUIT: "this connection's circuit opens and its contact is told",
    Follow.LANE: "the chart is looked for again, once: found for certain, it goes there; else the lane stops",
    Follow.PLAN: "what was learned may open another route",
}
STATES = {
    EntryState.READY: "sent again later",
    EntryState.UNKNOWN: "unknown",
    EntryState.DELIVERED: "delivered",
    EntryState.HELD: "held",
    EntryState.REFUSED: "refused, and by no other way",
    EntryState.RETRACTED: "retracted",
}


def tried(interaction: Interaction, *, looking: bool = False) -> Tried:
    """A first try."""
    return Tried(
        entry="1", practice="the practice", type="DocumentReference", action=ACTIONS.get(interaction, Action.CREATE),
        interaction=interaction, visibility_delay=1, link_key="link", looking=looking,
    )  # fmt: skip


def following(row: Row, interaction: Interaction, *, looking: bool = False, attempts: int = 1) -> Next:
    """What follows where this row decided."""
    answer = Answer(row.means, row.code, left=row.failure not in NEVER_LEFT)
    return decide(answer, replace(tried(interaction, looking=looking), attempts=attempts), 0)


def told(row: Row, interaction: Interaction, *, looking: bool = False) -> str:
    """The decision in words."""
    after = following(row, interaction, looking=looking)
    said = [STATES[after.state]]
    if looking and after.state is EntryState.UNKNOWN:
        said = ["it is looked for again"]
    elif interaction in (Interaction.READ, Interaction.SEARCH) and after.state is EntryState.READY:
        said = ["the step goes on" if row.means is AnswerClass.DONE else "asked again later"]
    last = following(row, interaction, looking=looking, attempts=MOST_UNUSABLE).hold
    if after.hold is None and last is not None:
        said.append(f"after {MOST_UNUSABLE} tries the {last.owner.value} is asked ({last.reason.value})")
    if after.hold is not None:
        said.append(f"the {after.hold.owner.value} is asked ({after.hold.reason.value})")
    if after.follow is not Follow.NOTHING:
        said.append(FOLLOWS[after.follow])
    if after.learn is not None:
        said.append("remembered of this connection")
    if after.look_first and not looking and after.follow is not Follow.LOOK:
        said.append("before another create it is looked for")
    return "; ".join(said)


def came(row: Row) -> str:
    """What came back, in words: every condition of the row."""
    said = []
    if row.failure is not None:
        said.append(f"no answer ({row.failure.value})")
    if row.statuses:
        said.append(", ".join(f"{one.start // 100}xx" if isinstance(one, range) else str(one) for one in row.statuses))
    if row.stale:
        said.append("or what the vendor says for another version")
    if row.codes:
        said.append("an issue " + " or ".join(f"`{code}`" for code in row.codes))
    if row.path:
        said.append("about the patient" if row.path == "subject" else "about no element")
    if row.patient:
        said.append("of a Patient")
    if row.body:
        words = {"none": "nothing", "type": "what was asked for", "outcome": "an OperationOutcome", "other": "other"}
        said.append("holds " + " or ".join(words[body.value] for body in row.body))
    if row.known is not None:
        said.append("says where it stands" if row.known else "does not say where it stands")
    if row.errors is not None:
        said.append("with an error" if row.errors else "without an error")
    return "; ".join(said) or "anything else"


def asked(interactions: Sequence[Interaction]) -> str:
    """What was asked, in words."""
    return "anything" if set(interactions) == set(ANY) else ", ".join(NAMES[one] for one in interactions)


def lines() -> Iterator[str]:
    """The table, the statuses of answers without a body, and the vendors' own codes."""
    yield "| row | what came back | to | what it means | what the bridge does |"
    yield "|---|---|---|---|---|"
    for row in TABLE:
        does = {NAMES[one]: told(row, one) for one in row.interactions}
        same = len(set(does.values())) == 1
        cell = next(iter(does.values())) if same else "<br>".join(f"{name}: {said}" for name, said in does.items())
        yield f"| `{row.code}` | {came(row)} | {asked(row.interactions)} | {row.means.value}: {row.note} | {cell} |"
    yield ""
    yield "**While looking** for what was lost, the same answers leave the entry unknown, or a person is asked:"
    yield ""
    yield "| row | what the bridge does |"
    yield "|---|---|"
    for row in TABLE:
        if Interaction.SEARCH in row.interactions:
            yield f"| `{row.code}` | {told(row, Interaction.SEARCH, looking=True)} |"
    yield ""
    yield "**An empty answer, by its status alone** (`generic`):"
    yield ""
    yield "| to | " + "status: row |"
    yield "|---|---|"
    for interaction in Interaction:
        yield f"| {NAMES[interaction]} | {', '.join(runs(interaction))} |"
    yield ""
    yield "**What vendors say in their own codes**, which counts before the table:"
    yield ""
    yield "| vendor | codes | to | with | means | note | source |"
    yield "|---|---|---|---|---|---|---|"
    for name in facts.known():
        for one in facts.vendor(name).exceptions:
            statuses = ", ".join(map(str, one.statuses)) or "any status"
            cells = (name, ", ".join(one.codes), asked(one.interactions), statuses, one.means.value, one.note)
            yield f"| {' | '.join(cells)} | {one.source.what}, seen {one.source.seen} |"
    stale = {name: facts.vendor(name).stale.value for name in facts.known()}
    yield ""
    shown = "; ".join(f"{name}: {', '.join(map(str, found))}" for name, found in stale.items() if found)
    yield f'Statuses that say "another version stands" beside 409 and 412: {shown or "none"}.'


def runs(interaction: Interaction) -> Iterator[str]:
    """The rows of answers with nothing but a status, neighbours together."""
    target = "DocumentReference" if interaction in (Interaction.CREATE, Interaction.SEARCH) else "DocumentReference/1"
    vendor = facts.vendor(facts.GENERIC)
    decided = [(status, classify(interaction, Response(status), vendor, target).code) for status in STATUSES]
    for code, group in groupby(decided, key=lambda one: one[1]):
        statuses = [status for status, _ in group]
        first, last = statuses[0], statuses[-1]
        yield f"{first}: `{code}`" if first == last else f"{first}–{last}: `{code}`"


def rendered() -> str:
    """The generated section of the document."""
    return "\n".join(lines()) + "\n"


def written(text: str) -> str:
    """The document with its section as it is now."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{rendered()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
