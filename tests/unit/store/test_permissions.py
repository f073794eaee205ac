"""Consents, links and rows as people say them; each counts once, and what rested on the old ones does not go on."""

from __future__ import annotations

from sqlalchemy import update

from bridge.model import Authority, Consent, Purpose, Terms
from bridge.store import permissions, persons, tables
from bridge.store.ledger import Ledger, get_blobs
from bridge.store.permissions import Permissions
from tests.unit.store.making import (
    AGENCY,
    CHILD,
    MINUTE,
    NEEDS_CONSENT,
    NEEDS_LINK,
    NOW,
    PRACTICE,
    WITH_WORDS,
    add_row,
    claim_lane,
    claim_lanes,
    consent,
    deliver,
    entries,
    entry_plan,
    item,
    keep,
    link,
    one,
    open_holds,
    person,
    planned,
    release,
    revoke,
    rows,
)  # fmt: skip

LATER = NOW + MINUTE
SAID = Terms(frozenset({"ordinary", "substance-use"}), "adult-1", Authority.GUARDIAN, language="es", document="file 12")


def known(ledger: Ledger, *sources: str) -> dict[str, Permissions]:
    with ledger.read() as connection:
        return permissions.of_persons(connection, ledger, AGENCY, sources or (CHILD,))


def shared(ledger: Ledger, source: str) -> bool:
    with ledger.read() as connection:
        return permissions.shared_link(connection, PRACTICE, person(ledger, source)["id"])


# ── consents ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_consent_is_kept_as_said(ledger: Ledger) -> None:
    assert consent(ledger, until=NOW + 9 * MINUTE, terms=SAID)
    row = one(ledger, tables.consent)
    expected = {
        "agency": AGENCY, "practice": PRACTICE, "start": NOW - MINUTE, "until": NOW + 9 * MINUTE, "revoked": None,
        "suspended": None, "source": "roster", "source_ref": "form-1", "recorded_at": NOW, "recorded_by": "ana",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert known(ledger)[CHILD] == Permissions(
        "",
        (
            Consent(
                row["id"],
                AGENCY,
                CHILD,
                PRACTICE,
                NOW - MINUTE,
                NOW + 9 * MINUTE,
                SAID.classes,
                None,
                None,
                "adult-1",
                Authority.GUARDIAN,
                Purpose.CARE_COORDINATION,
                "es",
                "file 12",
                "roster",
                NOW,
            ),
        ),
        frozenset(),
        1,
    )


def test_the_same_consent_again_changes_nothing(ledger: Ledger) -> None:
    assert consent(ledger)
    before = rows(ledger, tables.consent), rows(ledger, tables.person)
    planned(ledger, item(), entry_plan(hold=NEEDS_CONSENT))
    assert not consent(ledger, now=LATER, by="somebody else")
    assert (rows(ledger, tables.consent), [person(ledger)["consent_revision"]]) == (before[0], [1])
    assert len(open_holds(ledger)) == 1


def test_a_consent_said_again_with_another_period_replaces_what_it_said(ledger: Ledger) -> None:
    assert consent(ledger)
    assert consent(ledger, until=NOW + MINUTE)
    assert consent(ledger, until=NOW + MINUTE, source_ref="form-2")
    assert [row["until"] for row in rows(ledger, tables.consent)] == [NOW + MINUTE] * 2
    assert person(ledger)["consent_revision"] == 3


def test_consents_of_one_commit_count_each(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan("one", hold=NEEDS_CONSENT))
    asked = [
        permissions.GiveConsent(
            ledger, ledger.ids.take(), ledger.ids.take(), persons.prepare(ledger, AGENCY, child), PRACTICE, NOW, None,
            None, WITH_WORDS, "roster", f"form-{number}", (f"consent:{AGENCY}/{child}/{PRACTICE}",), "ana", NOW,
        )
        for number, child in enumerate((CHILD, "child-2", CHILD))
    ]  # fmt: skip
    with ledger.engine.begin() as connection:
        assert permissions.give_consent(connection, asked) == [True, True, True]
    assert len(rows(ledger, tables.consent)) == 3
    assert entries(ledger)["one"]["state"] == "ready"
    assert {row["source"]: row["consent_revision"] for row in rows(ledger, tables.person)} == {CHILD: 1, "child-2": 1}


def test_a_revocation_is_a_reason_to_decide_anew(ledger: Ledger) -> None:
    """R26: what has not gone rests on a consent that is no more."""
    consent(ledger)
    assert revoke(ledger, now=LATER) == 1
    assert one(ledger, tables.consent)["ended"] == LATER
    assert person(ledger)["consent_revision"] == 2


def test_a_revocation_of_nothing_changes_nothing(ledger: Ledger) -> None:
    keep(ledger, item())
    assert revoke(ledger) == 0
    assert revoke(ledger, source="nobody") == 0
    consent(ledger)
    assert revoke(ledger) == 1
    assert revoke(ledger) == 0
    assert person(ledger)["consent_revision"] == 2


def test_a_revocation_that_was_to_come_comes_now(ledger: Ledger) -> None:
    consent(ledger, revoked=NOW + 9 * MINUTE)
    assert revoke(ledger, now=LATER) == 1
    assert one(ledger, tables.consent)["ended"] == LATER


def test_only_that_practices_consents_end(ledger: Ledger) -> None:
    consent(ledger)
    consent(ledger, practice="oak-lane", source_ref="form-2")
    assert revoke(ledger) == 1
    assert {row["practice"]: row["ended"] for row in rows(ledger, tables.consent)} == {
        PRACTICE: NOW,
        "oak-lane": None,
    }


def test_what_stands_is_not_touched_by_a_revocation(ledger: Ledger) -> None:
    consent(ledger)
    planned(ledger)
    deliver(ledger)
    before = entries(ledger)
    assert revoke(ledger) == 1
    assert entries(ledger) == before


def test_what_was_withheld_whole_is_looked_at_again(ledger: Ledger) -> None:
    """Nothing of it could leave under the old consent, so nothing waits; a wider one may let it go."""
    planned(ledger, item("c1", b"1"), entry_plan("withheld"))
    planned(ledger, item("c2", b"2"), entry_plan("withdrawn"))
    with ledger.engine.begin() as connection:
        for name, should in (("withheld", True), ("withdrawn", False)):
            of = tables.entry.c.name == name
            connection.execute(update(tables.entry).where(of).values(state="cancelled", due_at=None, should=should))
    assert release(ledger, claim_lane(ledger))
    assert consent(ledger, now=LATER)
    assert {name: row["state"] for name, row in entries(ledger).items()} == {
        "withheld": "ready",
        "withdrawn": "cancelled",
    }
    assert len(claim_lanes(ledger, now=LATER)) == 1


# ── links ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_link_is_kept_encrypted_and_found_by_its_hash(ledger: Ledger) -> None:
    assert link(ledger, "MRN-1")
    row = one(ledger, tables.link)
    assert row["value_hash"] == ledger.keyring.hash("urn:mrn", "MRN-1")
    with ledger.read() as connection:
        assert get_blobs(connection, ledger.keys, [row["value_blob"]]) == {row["value_blob"]: b"urn:mrn\x1fMRN-1"}
    assert known(ledger)[CHILD].links == frozenset({PRACTICE})


def test_the_same_link_again_changes_nothing_but_is_looked_at_again(ledger: Ledger) -> None:
    link(ledger)
    planned(ledger, item(), entry_plan(hold=NEEDS_LINK))
    before = rows(ledger, tables.link), rows(ledger, tables.person)[0]["consent_revision"]
    assert not link(ledger, now=LATER, by="somebody else")
    assert (rows(ledger, tables.link), person(ledger)["consent_revision"]) == before
    assert entries(ledger)["document"]["state"] == "ready"


def test_another_link_replaces_the_one_before(ledger: Ledger) -> None:
    link(ledger, "MRN-1")
    assert ledger.write(permissions.matched, (one(ledger, tables.link)["id"], "pat-1", NOW))
    assert link(ledger, "MRN-2", now=LATER)
    old, new = rows(ledger, tables.link)
    assert (old["retired_at"], old["patient"], new["retired_at"], new["patient"]) == (LATER, "pat-1", None, "")
    assert person(ledger)["consent_revision"] == 2
    planned(ledger)
    found = claim_lane(ledger).link
    assert found is not None
    assert (found.value, found.patient) == ("MRN-2", "")


def test_a_match_is_remembered_and_forgotten(ledger: Ledger) -> None:
    link(ledger)
    planned(ledger)
    found = claim_lane(ledger).link
    assert found is not None
    for patient in ("pat-1", ""):
        assert ledger.write(permissions.matched, (found.id, patient, NOW))
        assert one(ledger, tables.link)["patient"] == patient


def test_an_identifier_given_for_two_persons_is_certain_for_neither(ledger: Ledger) -> None:
    """Twins on one line of the roster: never certain."""
    for child in ("child-1", "child-2", "child-3"):
        link(ledger, "MRN-1" if child != "child-3" else "MRN-3", person=child)
    assert [shared(ledger, child) for child in ("child-1", "child-2", "child-3")] == [True, True, False]
    link(ledger, "MRN-2", person="child-2")
    assert [shared(ledger, child) for child in ("child-1", "child-2", "child-3")] == [False, False, False]


def test_one_identifier_at_two_agencies_or_practices_is_not_shared(ledger: Ledger) -> None:
    """One child at two agencies is two persons and one chart."""
    link(ledger, "MRN-1")
    link(ledger, "MRN-1", person="child-2", practice="oak-lane")
    quay = persons.prepare(ledger, "quay", "child-7")
    ask = permissions.MakeLink(
        ledger, ledger.ids.take(), ledger.ids.take(), quay, PRACTICE, "urn:mrn", "MRN-1", "roster", (), "ana", NOW
    )
    assert ledger.write(permissions.make_link, ask)
    assert not shared(ledger, CHILD)


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_row_is_added_and_replaced(ledger: Ledger) -> None:
    assert add_row(ledger, "K9", display="Kitchen") == 0
    add_row(ledger, "K8", "another", display="Yard")
    add_row(ledger, "K9", display="The kitchen")
    with ledger.read() as connection:
        assert permissions.added_rows(connection) == {
            AGENCY: {"contact-place": [{"display": "Yard"}, {"display": "The kitchen"}]}
        }
        assert permissions.rows_version(connection) == 4


def test_a_code_has_a_row_for_each_start(ledger: Ledger) -> None:
    for start, display in (("", "Kitchen"), ("2026-01-01", "Yard"), ("2026-01-01", "The yard")):
        ask = permissions.AddRow(
            ledger.ids.take(), AGENCY, "contact-place", "K9", {"display": display}, "none", "ana", NOW, start
        )
        assert ledger.write(permissions.add_row, ask) == 0
    with ledger.read() as connection:
        found = permissions.added_rows(connection)
    assert found == {AGENCY: {"contact-place": [{"display": "Kitchen"}, {"display": "The yard"}]}}


def test_nobody_known_is_nothing_known(ledger: Ledger) -> None:
    keep(ledger, item(practice=PRACTICE))
    assert known(ledger, "nobody", CHILD) == {CHILD: Permissions(PRACTICE, (), frozenset(), 1)}
    assert known(ledger, "nobody") == {}
