"""What an agency hands over as a file: each good row is read, each bad one named without what it says."""

from __future__ import annotations

import builtins
import codecs
import datetime
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bridge.errors import ConfigError, Problem
from bridge.jobs.files import Limits, Row, read, shipped_query

CANARY = "Zzyzx-Quetzal"


def rows(found: list[Row | Problem]) -> list[Row]:
    return [one for one in found if isinstance(one, Row)]


def problems(found: list[Row | Problem]) -> list[Problem]:
    said = [one for one in found if isinstance(one, Problem)]
    for problem in said:
        assert CANARY not in str(problem)
        assert CANARY not in repr(problem)
    return said


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_an_array_yields_its_objects_with_their_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", '[\n  {"id": "1", "amount": 7.00},\n\n  {"id": "2"}\n]\n')

    found = rows(list(read(path)))

    assert [(row.index, row.where, row.record["id"]) for row in found] == [(1, "a.json:2", "1"), (2, "a.json:4", "2")]
    assert found[0].text == '{"id": "1", "amount": 7.00}'


def test_one_object_is_one_record(tmp_path: Path) -> None:
    assert [row.record for row in rows(list(read(write(tmp_path, "a.json", '{"id": "1"}'))))] == [{"id": "1"}]


def test_an_empty_array_is_no_records_and_no_problem(tmp_path: Path) -> None:
    assert list(read(write(tmp_path, "a.json", " [ ]\n"))) == []


def test_items_before_a_broken_one_are_read_and_the_place_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", '[{"id": "1"},\n{"id": "' + CANARY + '", },\n{"id": "3"}]')

    found = list(read(path))

    assert [row.record["id"] for row in rows(found)] == ["1"]
    assert [(problem.code, problem.where) for problem in problems(found)] == [("file-json", "a.json:2")]
    assert "item 2" in problems(found)[0].rule


@pytest.mark.parametrize(
    ("text", "read_before"),
    [('[{"id": "1"}, ]', 1), ('[{"id": "1"} {"id": "2"}]', 1), ('[{"id": "1"}', 1), ('{"id": "1"}\n{"id": "2"}', 1)],
)
def test_an_unfinished_or_overfull_array_is_a_problem_after_what_was_good(
    tmp_path: Path, text: str, read_before: int
) -> None:
    found = list(read(write(tmp_path, "a.json", text)))

    assert len(rows(found)) == read_before
    assert [problem.code for problem in problems(found)] == ["file-json"]


def test_a_key_given_twice_refuses_that_item_only(tmp_path: Path) -> None:
    path = write(
        tmp_path, "a.json", '[{"id": "1", "id": "' + CANARY + '"}, {"id": "2", "in": {"a": 1, "a": 2}}, {"id": "3"}]'
    )

    found = list(read(path))

    assert [row.record for row in rows(found)] == [{"id": "3"}]
    assert [problem.code for problem in problems(found)] == ["file-duplicate-key", "file-duplicate-key"]


@pytest.mark.parametrize("text", ['["' + CANARY + '"]', "[1]", "[null]", '[["' + CANARY + '"]]', '"' + CANARY + '"'])
def test_a_record_that_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    assert [problem.code for problem in problems(list(read(write(tmp_path, "a.json", text))))] == ["file-not-an-object"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_json_does_not_have_are_refused(tmp_path: Path, number: str) -> None:
    path = write(tmp_path, "a.ndjson", '{"id": ' + number + '}\n{"id": "2"}\n')

    assert [getattr(one, "code", "row") for one in read(path)] == ["file-json", "row"]


def test_a_bad_line_is_a_problem_and_the_others_are_read(tmp_path: Path) -> None:
    lines = ['{"id": "1"}', "", '{"id": ' + CANARY, '{"id": "4"} {"id": "5"}', '{"id": "6"}']

    found = list(read(write(tmp_path, "a.ndjson", "\n".join(lines))))

    assert [(row.index, row.record["id"]) for row in rows(found)] == [(1, "1"), (5, "6")]
    assert [problem.where for problem in problems(found)] == ["a.ndjson:3", "a.ndjson:4"]


def test_a_line_longer_than_the_limit_is_passed_over(tmp_path: Path) -> None:
    lines = ['{"id": "1"}', '{"id": "' + CANARY * 50 + '"}', '{"id": "3"}']

    found = list(read(write(tmp_path, "a.jsonl", "\n".join(lines) + "\n"), limits=Limits(record_bytes=40)))

    assert [row.record["id"] for row in rows(found)] == ["1", "3"]
    assert [(problem.code, problem.where) for problem in problems(found)] == [("file-too-large", "a.jsonl:2")]


def test_a_record_of_an_array_longer_than_the_limit_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", json.dumps([{"id": "1"}, {"id": CANARY * 50}, {"id": "3"}]))

    found = list(read(path, limits=Limits(record_bytes=40)))

    assert [row.record["id"] for row in rows(found)] == ["1", "3"]
    assert [problem.code for problem in problems(found)] == ["file-too-large"]


def test_a_file_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", '{"id": "' + CANARY + '"}')

    assert [problem.code for problem in problems(list(read(path, limits=Limits(file_bytes=5))))] == ["file-too-large"]


@pytest.mark.parametrize("suffix", [".json", ".ndjson", ".csv", ".xlsx"])
def test_an_empty_file_says_so(tmp_path: Path, suffix: str) -> None:
    assert [problem.code for problem in problems(list(read(write(tmp_path, f"a{suffix}", ""))))] == ["file-empty"]


def test_a_missing_file_and_a_name_that_says_no_format(tmp_path: Path) -> None:
    found = list(read(tmp_path / "a.json")) + list(read(write(tmp_path, "a.txt", "{}")))

    assert [problem.code for problem in problems(found)] == ["file-missing", "file-format"]


# ── encodings ─────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("suffix", [".json", ".ndjson", ".csv"])
def test_r14_spanish_arrives_as_it_was_written_with_or_without_a_byte_order_mark(tmp_path: Path, suffix: str) -> None:
    said = "Quiero que mi niño duerma – ¡ojalá!"
    text = f'id,said\n1,"{said}"\n' if suffix == ".csv" else json.dumps({"id": "1", "said": said}, ensure_ascii=False)

    plain = rows(list(read(write(tmp_path, f"a{suffix}", text))))
    marked = rows(list(read(write(tmp_path, f"b{suffix}", codecs.BOM_UTF8 + text.encode()))))

    assert [row.record for row in plain] == [row.record for row in marked] == [{"id": "1", "said": said}]


@pytest.mark.parametrize("suffix", [".json", ".ndjson", ".csv"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_by_name(tmp_path: Path, suffix: str, encoding: str) -> None:
    text = '{"id": "' + CANARY + '"}'

    (problem,) = problems(list(read(write(tmp_path, f"a{suffix}", text.encode(encoding)))))

    assert problem.code == "file-encoding"
    assert "UTF-8" in problem.next_step


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '[{"id": "1"}, {"id": "ni\xf1o"}, {"id": "3"}]'),
        ("a.ndjson", '{"id": "1"}\n{"id": "ni\xf1o"}\n{"id": "3"}'),
        ("a.csv", "id\n1\nni\xf1o\n3\n"),
    ],
)
def test_a_record_in_another_encoding_is_refused_and_its_neighbours_are_read(
    tmp_path: Path, name: str, content: str
) -> None:
    found = list(read(write(tmp_path, name, content.encode("latin-1"))))

    assert [row.record["id"] for row in rows(found)] == ["1", "3"]
    assert [problem.code for problem in problems(found)] == ["file-encoding"]


def test_half_a_character_written_as_an_escape_is_refused(tmp_path: Path) -> None:
    found = list(read(write(tmp_path, "a.json", r'[{"id": "\ud83d"}, {"id": "\ud83d\ude00"}]')))

    assert [row.record["id"] for row in rows(found)] == ["😀"]
    assert [problem.code for problem in problems(found)] == ["file-encoding"]


# ── tables ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_csv_cells_are_strings_and_empty_cells_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", 'id,when,said\r\n007,2026-01-05,"a, ""b""\nc"\r\n\r\n8,,x\r\n')

    found = rows(list(read(path)))

    assert [row.record for row in found] == [
        {"id": "007", "when": "2026-01-05", "said": 'a, "b"\nc'},
        {"id": "8", "said": "x"},
    ]
    assert [(row.index, row.where) for row in found] == [(1, "a.csv:2"), (2, "a.csv:5")]


def test_a_ragged_row_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    found = list(read(write(tmp_path, "a.csv", f"id,said\n1,a\n2,{CANARY},c\n3\n4,d\n")))

    assert [row.record["id"] for row in rows(found)] == ["1", "4"]
    assert [(problem.code, problem.where) for problem in problems(found)] == [
        ("file-row", "a.csv:3"),
        ("file-row", "a.csv:4"),
    ]


@pytest.mark.parametrize(
    ("header", "rule"), [("id,said,id", "column 3 repeats one"), ("id,,said", "column 2"), ("id;said", "commas")]
)
def test_a_header_that_does_not_name_each_column_once_stops_the_file(tmp_path: Path, header: str, rule: str) -> None:
    (problem,) = problems(list(read(write(tmp_path, "a.csv", f"{header}\n1,{CANARY},3\n"))))

    assert (problem.code, problem.where) == ("file-header", "a.csv:1")
    assert rule in problem.rule


def test_a_quote_left_open_is_a_problem_after_the_rows_before_it(tmp_path: Path) -> None:
    found = list(read(write(tmp_path, "a.csv", f'id,said\n1,a\n2,"{CANARY}\n3,c\n')))

    assert [row.record["id"] for row in rows(found)] == ["1"]
    assert [problem.code for problem in problems(found)] == ["file-row"]


def workbook(folder: Path, *sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    for number, lines in enumerate(sheets):
        sheet = first if number == 0 else book.create_sheet()
        for line in lines:
            sheet.append(line)
    path = folder / "a.xlsx"
    book.save(path)
    return path


def test_a_workbook_gives_dates_as_iso_strings_and_whole_numbers_whole(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        [
            ["id", "started", "day", "count", "share", "signed", "gone"],
            ["007", datetime.datetime(2026, 1, 5, 9, 30), datetime.date(2026, 1, 5), 3, 2.5, True, None],
            [],
            ["8"],
        ],
        [],
    )

    found = rows(list(read(path)))

    assert found[0].record == {
        "id": "007",
        "started": "2026-01-05T09:30:00",
        "day": "2026-01-05",
        "count": 3,
        "share": 2.5,
        "signed": True,
    }
    assert [(row.where, row.record["id"]) for row in found] == [("a.xlsx row 2", "007"), ("a.xlsx row 4", "8")]


def test_two_filled_sheets_are_not_guessed_between(tmp_path: Path) -> None:
    (problem,) = problems(list(read(workbook(tmp_path, [["id"], ["1"]], [["id"], [CANARY]]))))

    assert problem.code == "file-sheet"


@pytest.mark.parametrize("cell", ["=1+1", "#N/A"])
def test_a_formula_without_a_value_is_not_read_as_empty(tmp_path: Path, cell: str) -> None:
    (problem,) = problems(list(read(workbook(tmp_path, [["id", "score"], ["1", cell]]))))

    assert problem.code == "file-formula"


def test_a_row_beyond_the_header_is_named(tmp_path: Path) -> None:
    found = list(read(workbook(tmp_path, [["id"], ["1", CANARY], ["2"]])))

    assert [row.record for row in rows(found)] == [{"id": "2"}]
    assert [(problem.code, problem.where) for problem in problems(found)] == [("file-row", "a.xlsx row 2")]


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    assert [problem.code for problem in problems(list(read(write(tmp_path, "a.xlsx", CANARY))))] == ["file-format"]


# ── queries ───────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "the agency's export"
    folder.mkdir()
    clients = (
        '[{"id": 1, "seen": "2026-01-05T09:30:00.120+00:00", "amount": 7.00}, {"id": 2, "seen": "' + CANARY + '"}]'
    )
    write(folder, "clients.json", clients)
    outside = write(tmp_path, "outside.json", '[{"id": "' + CANARY + '"}]')
    (folder / "link.json").symlink_to(outside)
    return folder


def ask(folder: Path, sql: str, limits: Limits | None = None) -> list[Row | Problem]:
    return list(read(folder, query=write(folder.parent, "q.sql", sql), limits=limits))


CLIENTS = "read_json_objects(getvariable('folder') || '/clients.json', format = 'array')"


def test_a_query_yields_one_record_a_row_with_its_text_intact(export: Path) -> None:
    found = rows(ask(export, f"SELECT json FROM {CLIENTS} ORDER BY json->>'id' -- in order\n"))

    assert [row.record["id"] for row in found] == [1, 2]
    assert found[0].text == '{"id": 1, "seen": "2026-01-05T09:30:00.120+00:00", "amount": 7.00}'
    assert found[0].where == "q.sql row 1"


def test_several_columns_become_keys_and_a_struct_is_an_object(export: Path) -> None:
    columns = rows(
        ask(export, f"SELECT json->>'id' AS id, json->'amount' AS amount, 'x' AS kind FROM {CLIENTS} LIMIT 1")
    )
    struct = rows(ask(export, "SELECT {'id': '1', 'scores': [{'value': 3}]} AS record"))

    assert columns[0].record == {"id": "1", "amount": 7.0, "kind": "x"}
    assert struct[0].record == {"id": "1", "scores": [{"value": 3}]}


def test_more_rows_than_one_batch_all_arrive(export: Path) -> None:
    assert len(rows(ask(export, "SELECT i FROM range(1201) AS t(i)"))) == 1201


def test_a_date_time_column_must_stay_text(export: Path) -> None:
    (problem,) = problems(ask(export, f"SELECT (json->>'seen')::TIMESTAMP AS seen FROM {CLIENTS}"))

    assert (problem.code, problem.field) == ("file-query", "seen")


def test_a_row_that_is_no_object_or_repeats_a_key_is_named(export: Path) -> None:
    found = ask(export, """SELECT unnest(['{"id": 1, "id": 2}', '[1]', NULL, '{"id": 4}'])::JSON AS record""")

    assert [row.record for row in rows(found)] == [{"id": 4}]
    assert [problem.code for problem in problems(found)] == ["file-duplicate-key", *["file-not-an-object"] * 2]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text(getvariable('folder') || '/../outside.json')",
        "SELECT filename FROM read_blob('/etc/hostname')",
        "SELECT * FROM read_text(getvariable('folder') || '/link.json')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM sniff_csv('/etc/hostname')",
        "SELECT * FROM read_csv('http://127.0.0.1:9/a.csv')",
        "COPY (SELECT 1) TO 'clients.json'",
        "ATTACH 'a.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 8",
        "SELECT 1; SELECT 2",
        "CREATE TABLE a AS SELECT 1",
        "SELECT * FROM CLIENTS",
        "",
    ],
)
def test_a_query_reads_below_its_folder_and_does_nothing_else(export: Path, sql: str) -> None:
    before = {path: path.read_bytes() for path in export.iterdir()}

    found = ask(export, sql)

    assert [problem.code for problem in problems(found)] == ["file-query"]
    assert rows(found) == []
    assert {path: path.read_bytes() for path in export.iterdir()} == before


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT (json->>'seen')::INTEGER AS seen FROM {CLIENTS}",
        f"SELECT error(json->>'seen') AS seen FROM {CLIENTS}",
        f"SELECT {CANARY.replace('-', '_')} FROM {CLIENTS}",
    ],
)
def test_what_duckdb_says_about_values_is_not_passed_on(export: Path, sql: str) -> None:
    (problem,) = problems(ask(export, sql))

    assert problem.code == "file-query"
    assert CANARY.replace("-", "_") not in str(problem)


def test_a_query_that_cannot_be_understood_names_its_line(export: Path) -> None:
    (problem,) = problems(ask(export, "SELECT 1 AS a,\n  , 2\nFROM range(1)"))

    assert problem.where == "q.sql:2"


def test_a_file_the_query_does_not_find_is_said_so(export: Path) -> None:
    (problem,) = problems(ask(export, "SELECT json FROM read_json_objects(getvariable('folder') || '/gone.json')"))

    assert "not in the folder" in problem.next_step


def test_memory_is_bounded(export: Path) -> None:
    sql = "SELECT list(i::VARCHAR) AS a FROM range(20000000) AS t(i)"

    (problem,) = problems(ask(export, sql, Limits(query_mib=64)))

    assert "memory" in problem.next_step


def test_a_missing_query_or_folder_is_a_problem(export: Path) -> None:
    found = list(read(export, query=export / "gone.sql")) + ask(export.parent / "gone", "SELECT 1 AS a")

    assert [problem.code for problem in problems(found)] == ["file-missing", "file-missing"]


def test_a_pack_s_own_query_is_found_by_its_kind_and_nothing_else_is() -> None:
    found = shipped_query("konote/note")

    assert found is not None
    assert found.name == "note.sql"
    for other in ("konote/nothing", "../konote/note", "konote", "konote/../ma-soc/note", ""):
        assert shipped_query(other) is None


@pytest.mark.parametrize(("name", "package"), [("q.sql", "duckdb"), ("a.xlsx", "python_calamine")])
def test_a_format_whose_package_is_absent_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    path = write(tmp_path, name, "SELECT 1")
    real = builtins.__import__

    def without(module: str, *rest: Any, **named: Any) -> Any:
        if module == package:
            raise ModuleNotFoundError(name=module)
        return real(module, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(ConfigError) as caught:
        list(read(path))

    assert "pip install 'dyad-bridge[collect]'" in str(caught.value)
