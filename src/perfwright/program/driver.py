"""Command lines of clang, as values: what a step does, from what, into what.

Only what capturing needs to know is understood: which words are inputs, which options take
the next word, which belong to linking alone.  Everything else passes through in its place.
The meaning of suffixes and options is the driver's own (clang, `-x`, and gcc's manual,
"Overall Options").
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from perfwright.program import driver_options as options

Language = Literal["c", "c++"]

Stage = Literal["query", "preprocess", "assembly", "object", "link"]
"""How far a command goes: tells something, or stops after preprocessing, ... or links."""

SUFFIXES: dict[str, str] = {
    ".c": "c",
    ".i": "cpp-output",
    ".cc": "c++",
    ".cp": "c++",
    ".cpp": "c++",
    ".cxx": "c++",
    ".c++": "c++",
    ".C": "c++",
    ".CC": "c++",
    ".CPP": "c++",
    ".CXX": "c++",
    ".ii": "c++-cpp-output",
    ".s": "assembler",
    ".S": "assembler-with-cpp",
    ".sx": "assembler-with-cpp",
    ".ll": "ir",
    ".bc": "ir",
}
"""What `-x` would say for a file name's suffix."""

LANGUAGES: dict[str, Language] = {
    "c": "c",
    "cpp-output": "c",
    "c++": "c++",
    "c++-cpp-output": "c++",
}
"""The input types that are C or C++; only these become units that can be edited."""

FIXED_TYPES = frozenset({"assembler", "assembler-with-cpp", "ir"})
"""Input types that are built as they are."""

_STAGES: tuple[tuple[Stage, frozenset[str]], ...] = (
    ("preprocess", options.PREPROCESS),
    ("assembly", options.ASSEMBLE),
    ("object", options.COMPILE),
)
"""The earliest stage that any option asks for is the last one that runs."""


@dataclass(frozen=True)
class Word:
    """One option with its value, or one input."""

    texts: tuple[str, ...]
    """As it stands on the command line: `("-I", "include")`, `("-lm",)`, `("a.c",)`."""
    input_type: str | None = None
    """For an input what `-x` would say, or `object`, or `other`; `None` for an option."""

    @property
    def is_input(self) -> bool:
        """Whether this is a file and no option."""
        return self.input_type is not None

    @property
    def name(self) -> str:
        """The first text: the option's name, or the input itself."""
        return self.texts[0]


@dataclass(frozen=True)
class Invocation:
    """A command line of the driver, taken apart."""

    words: tuple[Word, ...]
    stage: Stage
    output: str | None

    @property
    def sources(self) -> tuple[Word, ...]:
        """The inputs that are C or C++."""
        return tuple(w for w in self.words if w.input_type in LANGUAGES)

    @property
    def fixed(self) -> tuple[Word, ...]:
        """The inputs that are compiled or assembled, but never edited."""
        return tuple(w for w in self.words if w.input_type in FIXED_TYPES)

    @property
    def objects(self) -> tuple[Word, ...]:
        """The inputs that go to the linker as they are."""
        return tuple(w for w in self.words if w.input_type == "object")

    def object_of(self, source: Word) -> str:
        """The object file that a `-c` command makes of one of its sources."""
        return self.output or f"{Path(source.name).stem}.o"

    def compile_flags(self) -> tuple[str, ...]:
        """The options that matter to a unit: no inputs, outputs, dependencies or linking."""
        return tuple(
            text
            for word in self.words
            if not word.is_input and not _is_side_output(word) and not is_link_only(word)
            if word.name not in ("-x", "--language") and not _is_joined_x(word.name)
            for text in word.texts
        )

    def link_words(self) -> Iterator[Word]:
        """What a link command consists of, in order, without the output and `-x`."""
        for word in self.words:
            if word.is_input or not (
                _is_side_output(word)
                or word.name in ("-x", "--language")
                or _is_joined_x(word.name)
            ):
                yield word


def parse(argv: Sequence[str], language: Language) -> Invocation:
    """Take a command line apart.

    Args:
        argv: the arguments after the compiler's name, response files already expanded.
        language: what the driver is: `c` for clang, `c++` for clang++.
    """
    words = tuple(_words(argv, language))
    return Invocation(words=words, stage=_stage(words), output=_output(words))


def expand_response_files(
    argv: Iterable[str], read: Callable[[str], str | None], depth: int = 0
) -> tuple[str, ...]:
    """The arguments with every `@file` replaced by the words in it.

    A file that `read` does not give (`None`), or nesting beyond ten, leaves the word as it
    is, as the driver does.
    """
    expanded: list[str] = []
    for word in argv:
        text = read(word[1:]) if word.startswith("@") and len(word) > 1 and depth < 10 else None
        if text is None:
            expanded.append(word)
        else:
            expanded.extend(expand_response_files(shlex.split(text), read, depth + 1))
    return tuple(expanded)


def is_link_only(word: Word) -> bool:
    """Whether an option matters to the linker alone (clang calls it unused with `-c`)."""
    if word.name in options.TAKES_NEXT and len(word.texts) == 2:
        return word.name in options.LINK_ONLY_NEXT
    return word.name in options.LINK_ONLY or word.name.startswith(options.LINK_ONLY_PREFIXES)


def is_source(path: str | Path) -> bool:
    """Whether the suffix is one of C or C++."""
    return SUFFIXES.get(Path(path).suffix) in LANGUAGES


def language_of(path: str | Path) -> Language | None:
    """The language that a file name's suffix tells, if it is C or C++."""
    return LANGUAGES.get(SUFFIXES.get(Path(path).suffix, ""))


def _words(argv: Sequence[str], language: Language) -> Iterator[Word]:
    position, forced, only_inputs = 0, None, False
    while position < len(argv):
        text = argv[position]
        position += 1
        if only_inputs or text == "-" or not text.startswith("-"):
            yield Word((text,), _input_type(text, forced, language))
            continue
        if text == "--":
            only_inputs = True
            continue
        word = Word((text,))
        if (text in options.TAKES_NEXT or text.startswith("-Xarch_")) and position < len(argv):
            word = Word((text, argv[position]))
            position += 1
        chosen = _forced_type(word)
        if chosen is not None:
            forced = None if chosen == "none" else chosen
        yield word


def _forced_type(word: Word) -> str | None:
    if word.name in ("-x", "--language") and len(word.texts) == 2:
        return word.texts[1]
    if _is_joined_x(word.name):
        return word.name[2:]
    return word.name.removeprefix("--language=") if word.name.startswith("--language=") else None


def _is_joined_x(name: str) -> bool:
    return name.startswith(("-xc", "-xassembler", "-xir", "-xnone", "-xobjective", "-xcuda"))


def _input_type(name: str, forced: str | None, language: Language) -> str:
    suffix = Path(name).suffix
    if forced is not None:
        known = forced in LANGUAGES or forced in FIXED_TYPES
        return forced if known else "other"
    if suffix in options.OTHER_SOURCES or name == "-":
        return "other"
    known_type = SUFFIXES.get(suffix, "object")
    if language == "c++":  # clang++ takes .c and .i for C++
        return {"c": "c++", "cpp-output": "c++-cpp-output"}.get(known_type, known_type)
    return known_type


def _stage(words: Sequence[Word]) -> Stage:
    names = [word.name for word in words if not word.is_input]
    has_inputs = any(word.is_input for word in words)
    if any(name.startswith(options.QUERY_PREFIXES) for name in names) or not has_inputs:
        return "query"
    if any(name in options.QUERIES and name not in ("-v", "--verbose") for name in names):
        return "query"
    return next((stage for stage, asking in _STAGES if not asking.isdisjoint(names)), "link")


def _output(words: Sequence[Word]) -> str | None:
    output = None
    for word in words:
        if word.is_input:
            continue
        if word.name in ("-o", "--output") and len(word.texts) == 2:
            output = word.texts[1]
        elif word.name.startswith("--output="):
            output = word.name.removeprefix("--output=")
        elif word.name.startswith("-o") and len(word.name) > 2 and not _is_objc(word.name):
            output = word.name[2:]
    return output


def _is_objc(name: str) -> bool:
    return name.startswith(("-objcmt", "-object", "-objc"))


def _is_side_output(word: Word) -> bool:
    if word.name in options.TAKES_NEXT and len(word.texts) == 2:
        return word.name in options.SIDE_OUTPUT_NEXT
    joined_output = word.name.startswith("-o") and not _is_objc(word.name)
    return (
        joined_output
        or word.name in options.SIDE_OUTPUT
        or word.name.startswith(options.SIDE_OUTPUT_PREFIXES)
    )
