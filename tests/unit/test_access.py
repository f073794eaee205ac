"""Who may do what, cell by cell, and which agency a key speaks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge import access
from bridge.access import Action, ApiKeys, Principal, Role
from bridge.errors import AccessError
from bridge.settings import Person, Project, Secret, load
from tests.unit.settings.project import API_KEY, write

WHO = {
    Role.AGENCY_SYSTEM: Principal("harbor", Role.AGENCY_SYSTEM, agency="harbor"),
    Role.PRACTICE_SYSTEM: Principal("elm", Role.PRACTICE_SYSTEM, practice="elm"),
    Role.AGENCY_STAFF: Principal("ana", Role.AGENCY_STAFF, agency="harbor"),
    Role.PRACTICE_READER: Principal("lee", Role.PRACTICE_READER, practice="elm"),
    Role.ENGINEER: Principal("kim", Role.ENGINEER),
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_what_it_was_granted_where_it_belongs_and_nothing_else(role: Role, action: Action) -> None:
    granted = action in access.GRANTS[role]
    assert access.may(WHO[role], action, agency="harbor", practice="elm") is granted
    elsewhere = access.may(WHO[role], action, agency="bay", practice="oak")
    assert elsewhere is (granted and role is Role.ENGINEER)


@pytest.mark.parametrize("role", [Role.AGENCY_SYSTEM, Role.AGENCY_STAFF, Role.PRACTICE_READER])
def test_a_question_that_names_no_side_is_denied(role: Role) -> None:
    assert not access.may(WHO[role], Action.SEE_STATUS)


def test_a_practice_reader_cannot_come_in_by_the_agency() -> None:
    assert not access.may(WHO[Role.PRACTICE_READER], Action.SEE_DELIVERED, agency="harbor")
    assert not access.may(replace(WHO[Role.PRACTICE_READER], agency="harbor"), Action.SEE_RECORD, agency="harbor")


def test_an_engineer_reads_no_family_s_words() -> None:
    assert not access.GRANTS[Role.ENGINEER] & {Action.SEE_RECORD, Action.SEE_DELIVERED, Action.CONSENT, Action.SUBMIT}


def test_what_is_denied_raises_without_saying_what_exists() -> None:
    access.require(WHO[Role.AGENCY_STAFF], Action.ANSWER, agency="harbor")
    with pytest.raises(AccessError) as caught:
        access.require(WHO[Role.AGENCY_STAFF], Action.ANSWER, agency="bay")
    assert "bay" not in str(caught.value)


def test_every_person_s_role_is_one_of_ours() -> None:
    for role in ("agency-staff", "practice-reader", "engineer"):
        person = Person("p", "P", "p@x.example", role, agency="harbor", practice="elm")
        assert access.principal_of(person) == Principal("p", Role(role), "harbor", "elm")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return load(write(tmp_path))


def test_a_key_speaks_for_its_agency(project: Project) -> None:
    assert ApiKeys(project).principal(API_KEY) == WHO[Role.AGENCY_SYSTEM]


@pytest.mark.parametrize("key", ["", API_KEY[:-1], API_KEY + "x", API_KEY.upper(), "schlüssel"])
def test_any_other_key_speaks_for_nobody(key: str, project: Project) -> None:
    assert ApiKeys(project).principal(key) is None


def test_an_agency_without_a_key_has_no_door(project: Project) -> None:
    closed = replace(project, agencies={"harbor": replace(project.agencies["harbor"], key=None)})
    assert ApiKeys(closed).principal("") is None


def test_keys_are_kept_as_digests(project: Project) -> None:
    keys = ApiKeys(replace(project, agencies={"harbor": replace(project.agencies["harbor"], key=Secret("hush" * 8))}))
    assert "hush" not in repr(vars(keys))
