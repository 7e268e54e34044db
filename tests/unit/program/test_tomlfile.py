from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from perfwright.errors import UserError
from perfwright.program.tomlfile import dotted, line_of, mistake, read

TEXT = """\
top = 1

[program]
name = "a"
"quoted" = 2
sources = [
  "one.c",
]
inner.deep = 3
[[workload]]
args = []
[[workload]]
role = "train"
args = []
[ other . table ]
x = 1
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("top",), 1),
        (("program",), 3),
        (("program", "name"), 4),
        (("program", "quoted"), 5),
        (("program", "sources", 0), 6),
        (("program", "inner", "deep"), 9),
        (("workload", 0, "args"), 11),
        (("workload", 1), 12),
        (("workload", 1, "args", 3), 14),
        (("workload", 1, "absent"), 12),
        (("other", "table", "x"), 16),
        (("absent",), 1),
    ],
)
def test_a_key_is_found_on_its_line_or_on_that_of_its_parent(
    key: tuple[str | int, ...], line: int
) -> None:
    assert line_of(TEXT, key) == line


def test_keys_are_written_as_people_write_them() -> None:
    assert dotted(("workload", 0, "args", 2)) == "workload[0].args[2]"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    number: int
    sum: int = 0


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    table: Inner
    rows: list[Inner] = []


EXAMPLES = {"number": "number = 3"}


def error_of(tmp_path: Path, text: str) -> UserError:
    path = tmp_path / "f.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read(path, Outer, EXAMPLES)
    return caught.value


def test_a_good_file_is_the_model(tmp_path: Path) -> None:
    path = tmp_path / "f.toml"
    path.write_text("[table]\nnumber = 1\n[[rows]]\nnumber = 2\n")
    assert read(path, Outer, {}) == Outer(table=Inner(number=1), rows=[Inner(number=2)])


def test_an_unknown_key_lists_the_known_ones_nearest_first(tmp_path: Path) -> None:
    error = error_of(tmp_path, "[table]\nnumber = 1\n\nnumbr = 2\n")
    assert error.fact == f"{tmp_path}/f.toml:4: unknown key 'numbr' in [table]"
    assert error.cause == "known: number, sum"
    assert error.hint == "number"


def test_an_unknown_key_in_a_list_of_tables_is_found(tmp_path: Path) -> None:
    error = error_of(tmp_path, "[table]\nnumber=1\n[[rows]]\nnumber=1\n[[rows]]\nnumber=1\nsun=1\n")
    assert error.fact.endswith("f.toml:7: unknown key 'sun' in [rows[1]]")
    assert error.hint == "sum"


def test_an_unknown_table_is_named(tmp_path: Path) -> None:
    error = error_of(tmp_path, "[table]\nnumber = 1\n[row]\n")
    assert error.fact.endswith("f.toml:3: unknown key 'row'")
    assert error.cause == "known: rows, table"


def test_a_wrong_type_shows_the_value_and_an_example(tmp_path: Path) -> None:
    error = error_of(tmp_path, '[table]\nnumber = "x"\n')
    assert error.fact.endswith("f.toml:2: table.number: should be a valid integer")
    assert (error.cause, error.hint) == ("it is 'x'", "number = 3")


def test_a_missing_key_is_named_at_its_table(tmp_path: Path) -> None:
    error = error_of(tmp_path, "\n[table]\nsum = 3\n")
    assert error.fact.endswith("f.toml:2: table.number is missing")


def test_of_several_mistakes_the_first_in_the_file_is_told(tmp_path: Path) -> None:
    error = error_of(tmp_path, '[table]\nsum = "a"\nnumber = "b"\n')
    assert ":2: table.sum" in error.fact


@pytest.mark.parametrize(
    ("text", "place"),
    [("a = 1\nb = [1\nc = 2\n", "3:1"), ("a = 'x\n", "1:7"), ("x", "1:2"), ("a = [", "1:")],
)
def test_a_syntax_error_has_line_and_column(tmp_path: Path, text: str, place: str) -> None:
    error = error_of(tmp_path, text)
    assert f"f.toml:{place}" in error.fact
    assert error.fact.endswith("this is no TOML")
    assert error.cause
    assert error.hint


def test_a_file_that_cannot_be_read_is_an_error_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"a = '\xff'")
    for name in ("absent", "latin"):
        with pytest.raises(UserError, match="cannot read"):
            read(tmp_path / name, Outer, {})


def test_a_mistake_of_meaning_is_placed_like_one_of_shape(tmp_path: Path) -> None:
    path = tmp_path / "f.toml"
    path.write_text(TEXT)
    error = mistake(path, ("program", "name"), "name is odd", hint="another")
    assert error.fact == f"{path}:4: name is odd"
