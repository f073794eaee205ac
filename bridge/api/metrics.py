"""`/health` and `/metrics`: counts, ages and states by practice and agency; never a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import text

from bridge.ehr.circuit import Cause
from bridge.errors import LedgerError
from bridge.handoff import circuit as handoff
from bridge.jobs.standing import Handing, Standing, handings, standings
from bridge.moves import telling
from bridge.moves.line import Line
from bridge.store import leases, notices, views

SECOND = 1_000_000
PROBE = "SELECT 1"

TOKENS = (
    ("bridge_token_calls", "Calls of token endpoints"),
    ("bridge_token_failures", "Attempts at a token that brought none"),
    ("bridge_token_narrowed", "Tokens with fewer scopes than asked for"),
)


class LedgerCollector(Collector):
    """Reads the ledger's counts each time they are asked for, so that every worker's share is in them."""

    def __init__(self, line: Line, clock: Callable[[], int]) -> None:
        self.line = line
        self.clock = clock

    def collect(self) -> Iterator[Metric]:
        """Records, entries and holds by state; the age of what waits longest; connections that are down."""
        now = self.clock()
        with self.line.ledger.read() as connection:
            record_counts = views.record_counts(connection)
            practices = views.practice_counts(connection)
            holds = views.hold_counts(connection)
            ending = notices.count(connection, telling.ENDS_SOON)
            handed = handings(self.line.project, connection, now, practices)
            standing = standings(self.line, connection, now, practices)
            calls = leases.token_calls(connection)
        records = GaugeMetricFamily("bridge_records", "Record versions by state", labels=["state"])
        for state, count in record_counts.items():
            records.add_metric([state], count)
        yield records
        entries = GaugeMetricFamily("bridge_entries", "Entries by practice and state", labels=["practice", "state"])
        oldest = GaugeMetricFamily("bridge_oldest_seconds", "Age of what waits longest", labels=["practice"])
        for practice, counts in practices.items():
            for state, count in counts["entries"].items():
                entries.add_metric([practice, state], count)
            if counts["oldest"] is not None:
                oldest.add_metric([practice], max(0, now - counts["oldest"]) / SECOND)
        gathering = GaugeMetricFamily("bridge_roll_ups_waiting", "Roll-ups before their time", labels=["practice"])
        for practice, counts in practices.items():
            gathering.add_metric([practice], counts["gathering"]["count"])
        yield entries
        yield oldest
        yield gathering
        held = GaugeMetricFamily("bridge_holds", "Open holds by reason", labels=["reason"])
        for reason, count in holds.items():
            held.add_metric([reason], count)
        yield held
        soon = GaugeMetricFamily("bridge_consents_ending", "Consents that end soon", labels=["practice"])
        for practice in self.line.project.practices:
            soon.add_metric([practice], ending.get(practice, 0))
        yield soon
        yield from of_connections(standing)
        yield from of_handings(handed)
        for index, (name, says) in enumerate(TOKENS):
            counted = CounterMetricFamily(name, says, labels=["connection"])
            for connection_id in self.line.project.connections:
                counted.add_metric([connection_id], calls.get(connection_id, (0, 0, 0))[index])
            yield counted


def of_connections(standing: Sequence[Standing]) -> Iterator[Metric]:
    """What waits for each connection, its pace, and whether it is down; the cause is a label of its circuit."""
    gauges: tuple[tuple[str, str, Callable[[Standing], float]], ...] = (
        ("bridge_connection_down", "1 while a connection is not used", lambda one: int(one.state != "up")),
        ("bridge_connection_waiting", "Entries to be sent or looked for", lambda one: one.waiting),
        ("bridge_connection_unknown", "Entries of which it is not known whether they arrived", lambda one: one.unknown),
        ("bridge_connection_oldest_seconds", "Age of what waits longest", lambda one: one.oldest_seconds or 0),
        ("bridge_connection_requests_a_minute", "Over the last five minutes", lambda one: one.rate),
        ("bridge_connection_at_once", "Requests at a time", lambda one: one.at_once),
    )
    for name, says, value in gauges:
        gauge = GaugeMetricFamily(name, says, labels=["connection"])
        for one in standing:
            gauge.add_metric([one.connection], value(one))
        yield gauge
    circuit = GaugeMetricFamily(
        "bridge_connection_circuit", "1 while a connection is down or being tried again", labels=["connection", "cause"]
    )
    left = GaugeMetricFamily("bridge_connection_budget_left", "Requests left", labels=["connection", "span"])
    held = GaugeMetricFamily("bridge_connection_holds", "Open holds by reason", labels=["connection", "reason"])
    suspended = GaugeMetricFamily("bridge_practice_suspended", "1 while nothing is sent to it", labels=["practice"])
    for one in standing:
        for cause in Cause:
            circuit.add_metric([one.connection, cause.name.lower()], int(one.state != "up" and one.why == cause))
        for span, budget in (("minute", one.minute), ("day", one.day), ("documents", one.documents)):
            if budget is not None:
                left.add_metric([one.connection, span], budget.left)
        for reason, count in one.holds.items():
            held.add_metric([one.connection, reason], count)
        for practice in one.practices:
            suspended.add_metric([practice], int(practice in one.suspended))
    yield from (circuit, left, held, suspended)


def of_handings(handed: Sequence[Handing]) -> Iterator[Metric]:
    """Whether a practice's hand-off is down; the cause is a label of its circuit."""
    down = GaugeMetricFamily("bridge_handoff_down", "1 while nothing is handed over", labels=["practice", "way"])
    circuit = GaugeMetricFamily(
        "bridge_handoff_circuit", "1 while a hand-off is down or being tried again", labels=["practice", "cause"]
    )
    for one in handed:
        down.add_metric([one.practice, one.way], int(one.state != "up"))
        for cause in handoff.causes(one.way):
            circuit.add_metric([one.practice, cause.name.lower()], int(one.state != "up" and one.why == cause))
    yield from (down, circuit)


def router(line: Line, clock: Callable[[], int]) -> APIRouter:
    """The operations' door over one line."""
    routes = APIRouter()
    registry = CollectorRegistry()
    registry.register(LedgerCollector(line, clock))

    @routes.get("/health")
    def health() -> JSONResponse:
        """200 while the ledger answers and has room."""
        try:
            with line.ledger.read() as connection:
                connection.execute(text(PROBE))
        except LedgerError:
            return JSONResponse({"ok": False, "ledger": "does not answer"}, 503)
        free = line.ledger.free_mebibytes()
        room = free is None or free >= line.project.limits.free_disk_mib
        return JSONResponse({"ok": room, "ledger": "answers" if room else "no room"}, 200 if room else 503)

    @routes.get("/metrics")
    def metrics() -> Response:
        """Prometheus text."""
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
