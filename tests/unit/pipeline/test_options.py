from __future__ import annotations

from pathlib import Path

import pytest

from perfwright.pipeline.edits import EditError
from perfwright.pipeline.forbidden import option_reason
from perfwright.pipeline.options import TunableOption, fit_value, nearest, tunable_options
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run
from perfwright.toolchain.registry import Option, OptionTable, OptionType

TUNABLE = list(tunable_options().values())
NUMERIC = (OptionType.INT, OptionType.UINT, OptionType.NUMBER)


def fitted(options: OptionTable, name: str, text: str) -> tuple[str, list[str]]:
    option = options.find(name)
    assert option is not None
    repairs: list[str] = []
    return fit_value(option, text, repairs), repairs


@pytest.mark.parametrize("entry", TUNABLE, ids=lambda entry: entry.name)
def test_an_entry_has_a_range_that_holds_its_defaults(entry: TunableOption) -> None:
    if entry.type not in NUMERIC:
        assert entry.min is None
        return
    assert entry.min is not None
    assert entry.max is not None
    assert entry.min < entry.max
    for major in entry.llvm:
        default = entry.default_for(major)
        assert default is None or entry.min <= float(default) <= entry.max


def test_every_entry_says_what_it_does() -> None:
    assert [entry.name for entry in TUNABLE if not entry.does or "\n" in entry.does] == []


def test_defaults_may_differ_by_version() -> None:
    entry = tunable_options()["funcspec-min-function-size"]
    assert (entry.default_for(19), entry.default_for(22), entry.default_for(18)) == (
        *("300", "500"),
        None,
    )


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("inline-threshold", "300", "300"),
        ("inline-threshold", "300.0", "300"),
        ("inline-threshold", "3e2", "300"),
        ("enable-newgvn", "1", "true"),
        ("enable-newgvn", "Off", "false"),
        ("regalloc", "greedy", "greedy"),
        ("some-ratio", "0.25", "0.25"),
    ],
)
def test_values_are_brought_to_normal_form(
    name: str, text: str, value: str, options: OptionTable
) -> None:
    assert fitted(options, name, text) == (value, [])


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("inline-threshold", "100000", "2000"),
        ("inline-threshold", "-1", "0"),
        ("force-target-max-vector-interleave", "0", "1"),
        ("regalloc", "greddy", "greedy"),
    ],
)
def test_values_out_of_range_are_mended_and_reported(
    name: str, text: str, value: str, options: OptionTable
) -> None:
    mended, repairs = fitted(options, name, text)
    assert mended == value
    assert len(repairs) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("inline-threshold", "many"),
        ("inline-threshold", "nan"),
        ("inline-threshold", "inf"),
        ("inline-threshold", "2.5"),
        ("enable-newgvn", "2"),
        ("regalloc", "fast"),  # exists, but is for -O0
        ("some-ratio", "half"),
    ],
)
def test_values_of_another_type_are_refused(name: str, text: str, options: OptionTable) -> None:
    with pytest.raises(EditError):
        fitted(options, name, text)


def test_options_without_an_entry_are_kept_inside_their_type() -> None:
    small = Option("some-count", OptionType.UINT)
    assert fit_value(small, "-5", []) == "0"
    assert fit_value(small, str(10**6), []) == "1000000"


@pytest.mark.parametrize("kind", NUMERIC)
def test_no_number_is_so_large_that_the_compiler_eats_the_machine(kind: OptionType) -> None:
    repairs: list[str] = []
    some = Option("some-count", kind)
    assert float(fit_value(some, "4294967295", repairs)) == 1e6
    assert repairs
    assert float(fit_value(some, "-4294967295", [])) == (0 if kind is OptionType.UINT else -1e6)


@pytest.mark.parametrize("text", ["-4294967295", "4294967295", "7", "1e3"])
def test_what_was_fitted_once_fits(text: str) -> None:
    known = [Option(entry.name, entry.type) for entry in TUNABLE if entry.type in NUMERIC]
    for option in (*known, *(Option("some", kind) for kind in NUMERIC)):
        repairs: list[str] = []
        fitted = fit_value(option, text, [])
        assert fit_value(option, fitted, repairs) == fitted
        assert not repairs


def test_the_most_similar_name_is_similar() -> None:
    assert (
        nearest("inline-treshold", ["inline-threshold", "unroll-threshold"]) == "inline-threshold"
    )
    assert nearest("frobnicate", ["inline-threshold"]) is None


@pytest.mark.llvm
def test_every_entry_is_what_the_installed_tools_say(
    each_toolchain: Toolchain, each_options: OptionTable
) -> None:
    for entry in TUNABLE:
        option = each_options.find(entry.name)
        assert (option is not None) == (each_toolchain.major in entry.llvm), entry.name
        if option is not None:
            assert option.type is entry.type, entry.name
            assert set(entry.values) <= set(option.values), entry.name
            assert option_reason(option) is None, entry.name


@pytest.mark.llvm
def test_all_effective_defaults_together_change_no_code(
    each_toolchain: Toolchain, tmp_path: Path
) -> None:
    major = each_toolchain.major
    given = [
        word
        for entry in TUNABLE
        if major in entry.llvm and (default := entry.default_for(major)) is not None
        for word in ("-mllvm", f"-{entry.name}={default}")
    ]
    source = tmp_path / "unit.c"
    source.write_text(PROGRAM)
    codes = []
    for words in ([], given):
        target = tmp_path / "unit.o"
        # The defaults were found on this target; others set some of their own.
        compile_it = ("--target=x86_64-pc-linux-gnu", "-O3", "-c", source, "-o", target)
        result = run([each_toolchain.tool("clang"), *compile_it, *words])
        assert result.ok, result.explain()
        codes.append(target.read_bytes())
    assert len(given) > 200
    assert codes[0] == codes[1]


PROGRAM = """
typedef unsigned long size_t;
int memcmp(const void *a, const void *b, size_t n);

static int helper(int n, int b, int *t) {
  int s = 0;
  for (int i = 0; i < n; i++) {
    if (t[i] > b) s += t[i] * b; else if (t[i] < -b) s -= t[i]; else s ^= t[i];
    t[i] = s;
    if (s % 7 == 3) t[i] += b;
    switch (s & 7) {
      case 0: s += 3; break;
      case 1: s *= 5; break;
      case 2: s -= 9; break;
      case 5: s += t[0]; break;
    }
  }
  return s;
}
int work(int n, int *t, int m) {
  int r = 0;
  for (int j = 0; j < m; j++) {
    r += helper(n, j, t);
    for (int k = 0; k < n; k++) if (m & 1) t[k] += r;
  }
  return r;
}
double dot(const double *restrict a, const double *restrict b, size_t n) {
  double s = 0;
  for (size_t i = 0; i < n; i++) s += a[i] * b[i];
  return s;
}
void add(float *a, const float *b, int n) { for (int i = 0; i < n; i++) a[i] += b[i]; }
void mm(float a[8][8], float b[8][8], float c[8][8]) {
  for (int i = 0; i < 8; i++)
    for (int j = 0; j < 8; j++) {
      float s = 0;
      for (int k = 0; k < 8; k++) s += a[i][k] * b[k][j];
      c[i][j] = s;
    }
}
long search(const long *t, long n, long x) {
  long low = 0;
  while (n > 1) { long half = n / 2; low += t[low + half] <= x ? half : 0; n -= half; }
  return low;
}
int same(const char *a, const char *b) { return memcmp(a, b, 24) == 0; }
"""
