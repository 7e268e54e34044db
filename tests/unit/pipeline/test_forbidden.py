from __future__ import annotations

import re

import pytest

from perfwright.pipeline.forbidden import flag_allowed, option_reason, pass_reason
from perfwright.pipeline.options import tunable_options
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.toolchain.registry import Option, OptionTable, OptionType, PassRegistry


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


@pytest.mark.parametrize(
    "name",
    [
        *("polly-export", "polly-import", "polly-show", "polly-show-only", "polly-optimized-scops"),
        *("polly-codegen-perf-monitoring", "dot-cfg-mssa", "view-block-freq", "print-lsr-output"),
        *(
            "info-output-file",
            "sample-profile-file",
            "some-log-dir",
            "misched-dcpl",
            "show-fs-branchprob",
        ),
        *("enable-scc-inline-advisor-printing", "inliner-interactive-include-default"),
        *("debugify-and-strip-all-safe", "cs-profile-generate", "codegen-data-generate"),
        *("enable-ml-inliner", "regalloc-enable-priority-advisor", "load-plugin"),
    ],
)
def test_options_that_print_or_touch_files_are_refused(name: str) -> None:
    assert option_reason(an_option(name))


@pytest.mark.parametrize(
    "name",
    [
        *("dfa-max-path-length", "disable-sched-critical-path", "enable-vplan-native-path"),
        *("enable-dse-partial-overwrite-tracking", "polly", "polly-tiling"),
    ],
)
def test_a_path_through_code_is_no_path_of_a_file(name: str) -> None:
    assert option_reason(an_option(name)) is None


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


_FILES = re.compile(
    r"file ?names?\b|\bfiles?\b|director(y|ies)\b|\bpath to\b|\bfolder", re.IGNORECASE
)
_OUTPUT = re.compile(
    r"^(dump|export|print|show|view|write)\b|\bto std(out|err)\b|\bgraphviz\b|\bdump\b",
    re.IGNORECASE,
)
_HARMLESS = {
    # They say how something is written that is written anyway.
    *("aarch64-mark-bti-property", "implicit-mapsyms", "incremental-linker-compatible"),
    *("lto-embed-bitcode", "mips-mixed-16-32", "split-dwarf-cross-cu-references"),
    *("enable-name-compression", "execute-concurrency", "persist-profile-staleness"),
    *("preserve-input-debuginfo-format", "loongarch-numeric-reg"),
}


@pytest.mark.llvm
def test_no_option_of_an_installed_llvm_that_names_a_file_is_allowed(
    each_options: OptionTable,
) -> None:
    allowed = [option for option in each_options.options if option_reason(option) is None]
    assert len(allowed) > 1000
    assert not [option.name for option in allowed if option.type is OptionType.STRING]
    about_files = {option.name for option in allowed if _FILES.search(option.help)}
    assert about_files <= _HARMLESS
    assert not [o.name for o in allowed if re.search(r"(^|-)file(name)?(-|$)|-dir$|output", o.name)]


@pytest.mark.llvm
def test_no_option_of_an_installed_llvm_that_prints_is_allowed(each_options: OptionTable) -> None:
    allowed = [option for option in each_options.options if option_reason(option) is None]
    assert {option.name for option in allowed if _OUTPUT.search(option.help)} <= _HARMLESS


@pytest.mark.llvm
def test_no_pass_of_an_installed_llvm_that_takes_a_text_or_prints_is_allowed(
    each_registry: PassRegistry,
) -> None:
    standard = Vocabulary(each_registry).standard
    allowed = {name for name in each_registry.names() if pass_reason(name) is None} - standard
    assert not [name for name in allowed if re.search("dot|view|print|dump|file|export", name)]
