from __future__ import annotations

import pytest

from perfwright.pipeline.forbidden import flag_allowed, option_reason, pass_reason
from perfwright.pipeline.options import tunable_options
from perfwright.toolchain.registry import Option, OptionType


def an_option(name: str, kind: OptionType = OptionType.BOOL) -> Option:
    return Option(name, kind, tools=("opt", "clang", "lld"))


@pytest.mark.parametrize(
    "name",
    ["asan", "print", "view-cfg", "dot-dom", "lower-atomic", "lower-invoke", "strip", "instcount"],
)
def test_passes_that_do_not_optimise_are_refused(name: str) -> None:
    assert pass_reason(name)


@pytest.mark.parametrize(
    "name", ["gvn", "licm", "newgvn", "mergefunc", "verify", "dfa-jump-threading"]
)
def test_passes_that_optimise_are_not(name: str) -> None:
    assert pass_reason(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("enable-unsafe-fp-math", "enable-no-nans-fp-math", "fp-contract", "thread-model"),
        *("licm-force-thread-model-single", "whole-program-visibility", "x86-lvi-load-dot"),
        *(
            "print-after-all",
            "debug-only",
            "time-passes",
            "stats",
            "asan-stack",
            "opt-bisect-limit",
        ),
        *("enable-implicit-null-checks", "adce-remove-loops", "filetype", "relocation-model"),
    ],
)
def test_options_that_are_not_about_speed_are_refused(name: str) -> None:
    assert option_reason(an_option(name))


def test_options_with_texts_are_refused_whatever_their_name() -> None:
    assert option_reason(an_option("anything", OptionType.STRING)) is not None


def test_options_that_clang_does_not_take_are_refused() -> None:
    assert option_reason(Option("passes-only", OptionType.BOOL, tools=("opt",))) is not None


def test_no_option_worth_tuning_is_refused() -> None:
    refused = {
        name: option_reason(an_option(name, entry.type))
        for name, entry in tunable_options().items()
        if option_reason(an_option(name, entry.type))
    }
    assert refused == {}


@pytest.mark.parametrize(
    ("flag", "allowed"),
    [
        ("-mprefer-vector-width=512", True),
        ("-mprefer-vector-width=64", False),
        ("-fno-vectorize", True),
        ("-falign-loops=32", True),
        ("-falign-loops=33", False),
        ("-mtune=znver4", True),
        ("-march=znver4", False),
        ("-ffast-math", False),
        ("-fno-plt", True),
        ("-fplugin=x.so", False),
        ("-mtune=$(id)", False),
        ("-fno-vectorize -ffast-math", False),
    ],
)
def test_only_listed_flags_are_allowed(flag: str, allowed: bool) -> None:
    assert flag_allowed(flag) is allowed
