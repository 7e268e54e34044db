from __future__ import annotations

from pathlib import Path

import pytest

from perfwright.program.objects import ObjectStore, read_dependencies, recipe
from perfwright.units import Seconds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.c", "a.h"):
        (tmp_path / name).write_text(name)
    (tmp_path / "new.o").write_bytes(b"object")
    (tmp_path / "store").mkdir()
    return tmp_path


def keep(folder: Path, overlay: dict[Path, Path] | None = None) -> ObjectStore:
    store = ObjectStore(folder / "store", overlay or {})
    store.keep("r", folder / "new.o", [folder / "a.c", folder / "a.h"], Seconds(1.5))
    return store


def test_an_object_is_found_while_its_inputs_stay_as_they_were(folder: Path) -> None:
    found = keep(folder).find("r")
    assert found is not None
    assert (found.path.read_bytes(), found.seconds, found.reused) == (b"object", 1.5, True)


def test_other_commands_find_nothing(folder: Path) -> None:
    assert keep(folder).find("s") is None


@pytest.mark.parametrize("name", ["a.c", "a.h"])
def test_a_changed_source_or_header_asks_for_a_new_object(folder: Path, name: str) -> None:
    store = keep(folder)
    (folder / name).write_text("changed")
    assert store.find("r") is None


def test_an_object_is_found_again_when_a_change_is_taken_back(folder: Path) -> None:
    store = keep(folder)
    (folder / "a.h").write_text("changed")
    (folder / "new.o").write_bytes(b"another")
    store.keep("r", folder / "new.o", [folder / "a.c", folder / "a.h"], Seconds(1))
    (folder / "a.h").write_text("a.h")
    found = store.find("r")
    assert found is not None
    assert found.path.read_bytes() == b"object"


def test_an_overlaid_file_counts_with_the_content_that_is_read(folder: Path) -> None:
    keep(folder)
    other, same = folder / "other", folder / "same"
    other.write_text("changed")
    same.write_text("a.h")
    for path, found in ((other, False), (same, True)):
        store = ObjectStore(folder / "store", {folder / "a.h": path})
        assert (store.find("r") is not None) is found


def test_an_overlay_elsewhere_reuses_the_object(folder: Path) -> None:
    keep(folder)
    store = ObjectStore(folder / "store", {folder / "b.c": folder / "b2.c"})
    assert store.find("r") is not None


def test_a_deleted_object_is_made_again(folder: Path) -> None:
    store = keep(folder)
    for path in (folder / "store").glob("*.o"):
        path.unlink()
    assert store.find("r") is None


def test_a_broken_entry_is_no_entry(folder: Path) -> None:
    store = keep(folder)
    (folder / "store/r.json").write_text("{")
    assert store.find("r") is None


def test_commands_place_variables_and_tools_make_the_recipe() -> None:
    base = recipe([["cc", "-O2"]], Path("/p"), {}, "22")
    assert base == recipe([["cc", "-O2"]], Path("/p"), {}, "22")
    others = {
        recipe([["cc", "-O3"]], Path("/p"), {}, "22"),
        recipe([["cc"], ["-O2"]], Path("/p"), {}, "22"),
        recipe([["cc", "-O2"]], Path("/q"), {}, "22"),
        recipe([["cc", "-O2"]], Path("/p"), {"CPATH": "x"}, "22"),
        recipe([["cc", "-O2"]], Path("/p"), {}, "19"),
    }
    assert len(others | {base}) == 6


def test_the_files_of_a_make_rule_are_read() -> None:
    text = "unit.o: a.c inc/a\\ b.h \\\n  /usr/x\\#y.h \\\n  d$$e.h\n"
    names = ["a.c", "inc/a b.h", "/usr/x#y.h", "d$e.h"]
    assert read_dependencies(text, Path("/p")) == [Path("/p") / name for name in names]
