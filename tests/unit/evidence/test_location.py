from __future__ import annotations

from perfwright.evidence.location import AS_WRITTEN, Location, SourceRoot


def test_a_place_prints_what_is_known_of_it() -> None:
    assert str(Location("dct.c", 88, 5)) == "dct.c:88:5"
    assert str(Location("dct.c", 88)) == "dct.c:88"
    assert str(Location("dct.c", 0, 3)) == "dct.c"


def test_all_spellings_of_a_file_in_the_program_are_one_name() -> None:
    root = SourceRoot("/src/program")
    names = {
        root.name("lib/dct.c"),
        root.name("/src/program/lib/dct.c"),
        root.name("../lib/dct.c", "/src/program/build"),
        root.name("./lib//dct.c", "/src/program"),
    }
    assert names == {"lib/dct.c"}


def test_a_file_outside_the_program_keeps_its_absolute_name() -> None:
    root = SourceRoot("/src/program")
    assert root.name("/usr/include/stdio.h") == "/usr/include/stdio.h"
    assert root.name("/src/programs/x.c") == "/src/programs/x.c"


def test_without_a_root_names_stay() -> None:
    assert AS_WRITTEN.name("lib/dct.c") == "lib/dct.c"
    assert AS_WRITTEN.name("") == ""
    assert AS_WRITTEN.locate(Location("a.c", 3, 4)) == Location("a.c", 3, 4)
