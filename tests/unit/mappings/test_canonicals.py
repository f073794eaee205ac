"""ConceptMaps and value sets of official packages, named in mappings by their canonical url."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.fhir import terminology
from bridge.mappings.canonicals import Canonicals, add_tables
from bridge.mappings.load import load, read_packs
from bridge.mappings.tables import row_of, table_of
from bridge.mappings.translate import Translator
from bridge.model import HoldReason, Translation
from tests.unit.mappings.small import AGENCY, TABLE, pack, problems, with_part

MAP = "http://hl7.org/fhir/ConceptMap/cm-address-use-v3"
GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
PART = """
visit:
  about: child
  resourceType: Encounter
  status: finished
  class: "{{ %%tables.coding('place', 'home') }}"
  subject: "{{ person('child') }}"
  type: [ { text: "%s" } ]
"""


def made(text: str, place: str, tables: str = "[place]", **more: str) -> Translation:
    """What becomes of a visit there, with this text."""
    translator = Translator(load(pack(with_part(PART % text, tables=tables), **more)))
    return translator.translate("tiny/visit", {"id": "V1", "child": "K1", "place": place}, AGENCY)


def text_of(translation: Translation) -> str | None:
    (part,) = translation.parts
    return str(part.resource["type"][0]["text"]) if "type" in part.resource else None


@pytest.mark.parametrize(
    ("tables", "name"),
    [(f"'{MAP}'", MAP), (f"{{ use: '{MAP}' }}", "use"), (f"'{MAP}|4.0.1'", f"{MAP}|4.0.1")],
)
def test_a_concept_map_is_a_table_by_its_url_or_by_a_name_for_it(tables: str, name: str) -> None:
    assert text_of(made(f"{{{{ %tables.lookup('{name}', place) }}}}", "temp", f"[place, {tables}]")) == "TMP"


def test_a_code_that_a_concept_map_leaves_unclear_is_held_for_a_row_of_its_table() -> None:
    """cm-address-use-v3 gives `old` two targets."""
    text = f"{{{{ %tables.lookup('{MAP}', place) }}}}"

    (hold,) = made(text, "old", f"[place, '{MAP}']").holds

    assert (hold.reason, hold.waits_for) == (HoldReason.TABLE, "table:oak:fhir/cm-address-use-v3:old")
    own = TABLE.splitlines()[0] + "\nold,urn:x,BAD,bad,equivalent,here,\n"
    translation = Translator(
        load(
            pack(with_part(PART % text, tables=f"[place, '{MAP}']"))
            | {"project/tables/fhir/cm-address-use-v3.csv": own}
        )
    ).translate("tiny/visit", {"id": "V1", "child": "K1", "place": "old"}, AGENCY)
    assert text_of(translation) == "BAD"


def test_a_table_that_says_it_is_the_concept_map_stands_for_it() -> None:
    ours = {"tiny__tables__use_csv": TABLE.replace("HH", "OURS"), "tiny__tables__use_yaml": f"url: {MAP}\n"}

    assert text_of(made(f"{{{{ %tables.lookup('{MAP}', place) }}}}", "home", f"[place, '{MAP}']", **ours)) == "OURS"


def test_two_concept_maps_whose_urls_end_alike_are_two_tables() -> None:
    group = [{"element": [{"code": "a", "target": [{"equivalence": "unmatched"}]}]}]
    urls = [f"http://{host}.example/ConceptMap/x" for host in "ab"]
    maps = {url: {"resourceType": "ConceptMap", "url": url, "group": group} for url in urls}
    tables = {"fhir/x": table_of("fhir/x", [row_of({"code": "b", "display": "b", "equivalence": "unmatched"})])}

    add_tables([*urls, urls[0]], tables, Canonicals([{"concept_maps": maps}]))

    assert {name: sorted(table.rows) for name, table in tables.items()} == {"fhir/x": ["a", "b"], "fhir/x-2": ["a"]}
    assert [table.about.url for table in tables.values()] == urls


@pytest.mark.parametrize(
    ("expression", "place", "answer"),
    [
        (f"place.memberOf('{GENDER}')", "female", "yes"),
        (f"place.memberOf('{GENDER}|4.0.1')", "female", "yes"),
        (f"place.memberOf('{GENDER}')", "woman", "no"),
        (f"%tables.coding('place', 'home').memberOf('{GENDER}')", "home", "no"),
        ("place.memberOf('table:place')", "home", "yes"),
        ("place.memberOf('table:place')", "barn", "no"),
        ("%tables.coding('place', 'home').memberOf('table:place')", "home", "no"),
    ],
)
def test_member_of_asks_a_packaged_value_set_or_a_table_and_holds_nothing(
    expression: str, place: str, answer: str
) -> None:
    translation = made(f"{{{{ iif({expression}, 'yes', 'no') }}}}", place)

    assert (text_of(translation), translation.holds) == (answer, ())


@pytest.mark.parametrize(
    ("expression", "code", "rule"),
    [
        (
            "place.memberOf('http://hl7.org/fhir/us/core/ValueSet/us-core-survey-codes')",
            "mapping-value-set",
            "the codes of this value set cannot be listed: it is drawn from http://loinc.org",
        ),
        ("place.memberOf('http://oak.example/none')", "mapping-value-set", "no value set of this url is here"),
        (
            "place.memberOf(status)",
            "mapping-function",
            "names, as a text, a value set by its url, or a table that this mapping lists as 'table:NAME'",
        ),
        (
            "place.memberOf('table:plaec')",
            "mapping-function",
            "names, as a text, a value set by its url, or a table that this mapping lists as 'table:NAME'",
        ),
    ],
)
def test_a_value_set_that_cannot_be_asked_is_told_when_the_files_are_read(
    expression: str, code: str, rule: str
) -> None:
    found = problems(pack(with_part(PART % f"{{{{ iif({expression}, 'yes', 'no') }}}}")))

    assert [(one.code, one.rule) for one in found] == [(code, rule)]
    assert found[0].where.startswith("tiny/visit.yaml:12")
    assert found[0].next_step or code == "mapping-function"


def test_a_concept_map_that_is_not_here_is_told_with_the_way_to_get_it() -> None:
    (found,) = problems(pack(with_part(PART % "x", tables="[place, 'http://oak.example/none']")))

    assert (found.code, found.where.split(":")[:2]) == ("mapping-table", ["tiny/visit.yaml", "4"])
    assert found.next_step.endswith("`bridge definitions add`")


def test_what_a_site_added_goes_with_the_files_as_far_as_they_name_it(tmp_path: Path) -> None:
    sets = {f"http://oak.example/{name}": {"all": ["urn:a"], "codes": {"urn:b": ["z"]}} for name in ("named", "other")}
    document = {"format": 1, "package": "oak#1", "systems": {"urn:a": ["x"], "urn:c": ["y"]}, "value_sets": sets}
    folder = tmp_path / "definitions" / terminology.FOLDER
    folder.mkdir(parents=True)
    (folder / "oak-1.json").write_text(json.dumps(document))
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "v.yaml").write_text("a: \"{{ x.memberOf('http://oak.example/named|2') }}\"\n")

    kept = json.loads(read_packs([], tmp_path)["project/definitions/oak-1.json"])

    assert set(kept["value_sets"]) == {"http://oak.example/named"}
    assert kept["systems"] == {"urn:a": ["x"]}
    (tmp_path / "mappings" / "v.yaml").write_text("a: b\n")
    assert set(read_packs([], tmp_path)) == {"project/v.yaml"}
    known = Canonicals([kept]).members("http://oak.example/named")
    assert known == {"urn:a": frozenset("x"), "urn:b": frozenset("z")}


def test_a_definitions_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "definitions" / terminology.FOLDER
    folder.mkdir(parents=True)
    (folder / "bad.json").write_text("{}")
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "v.yaml").write_text("a: http://oak.example/named\n")

    with pytest.raises(Exception, match=r"bad\.json"):
        read_packs([], tmp_path)
    assert [one.code for one in problems({**pack(), "project/definitions/x.json": "{"})] == ["definitions-unreadable"]
