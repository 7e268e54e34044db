#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generate the input files of the bundled suites, always the same ones.

    python suites/generate.py [PROGRAM...]

writes `suites/core/<program>/data/*` for the programs named, or for all that read files. The other
programs make their input themselves from a seed among their arguments. Only `Random.random` and
exact arithmetic are used, so that every machine and Python version writes the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

CORE = Path(__file__).resolve().parent / "core"

Files = dict[str, bytes]
T = TypeVar("T")


class Source:
    """A seeded stream of choices, stable between Python versions."""

    def __init__(self, seed: int) -> None:
        self._next = Random(seed).random

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        return self._next()

    def below(self, limit: int) -> int:
        """Return an integer in 0..limit-1."""
        return int(self._next() * limit)

    def between(self, low: int, high: int) -> int:
        """Return an integer in low..high."""
        return low + self.below(high - low + 1)

    def skewed(self, limit: int) -> int:
        """Return an integer in 0..limit-1, small ones far more often."""
        u = self._next()
        return int(u * u * u * limit)

    def pick(self, items: Sequence[T]) -> T:
        """Return one of the items, all alike often."""
        return items[int(self._next() * len(items))]


# ---------------------------------------------------------------------------- text


def vocabulary(source: Source, size: int) -> list[str]:
    """Return distinct pronounceable words, the shorter ones first."""
    onsets = [
        "",
        "b",
        "c",
        "d",
        "f",
        "g",
        "h",
        "l",
        "m",
        "n",
        "p",
        "r",
        "s",
        "t",
        "v",
        "st",
        "tr",
        "pl",
        "ch",
        "sh",
    ]
    vowels = ["a", "e", "i", "o", "u", "ea", "ou", "io"]
    codas = ["", "", "", "n", "r", "s", "t", "l", "nd", "st", "ck", "ng"]
    words: dict[str, None] = {}
    while len(words) < size:
        syllables = 1 + source.skewed(5)
        words[
            "".join(
                source.pick(onsets) + source.pick(vowels) + source.pick(codas)
                for _ in range(syllables)
            )
        ] = None
    return sorted(words, key=len)


def prose(source: Source, words: Sequence[str], size: int) -> str:
    """Return about `size` characters of sentences in short lines."""
    lines: list[str] = []
    length = 0
    while length < size:
        sentence = [words[source.skewed(len(words))] for _ in range(source.between(4, 14))]
        line = " ".join(sentence).capitalize() + source.pick(
            [".", ".", ".", "?", "!", ", and so on."]
        )
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines) + "\n"


def log_line(source: Source, words: Sequence[str], clock: int) -> str:
    """Return one line as servers write them: time, level, host, request, status, duration."""
    stamp = f"2024-{1 + clock // 2678400 % 12:02}-{1 + clock // 86400 % 28:02}"
    stamp += f" {clock // 3600 % 24:02}:{clock // 60 % 60:02}:{clock % 60:02}"
    level = source.pick(["INFO", "INFO", "INFO", "INFO", "WARN", "DEBUG", "ERROR"])
    host = f"10.{source.below(4)}.{source.below(30)}.{source.below(250)}"
    kind = source.below(4)
    if kind == 0:
        path = f"{words[source.skewed(200)]}/{words[source.skewed(500)]}.html"
        body = f"GET /{path} {source.pick([200, 200, 304, 404])}"
    elif kind == 1:
        user = f"{words[source.skewed(900)]}@{words[source.skewed(50)]}.org"
        body = f"user={user} id={source.below(1 << 24):06x}"
    elif kind == 2:
        body = f"took {source.below(2000)}.{source.below(1000):03} ms, {source.below(100000)} bytes"
    else:
        body = " ".join(words[source.skewed(len(words))] for _ in range(source.between(3, 9)))
    return f"{stamp} [{level}] {host} {body}"


def log(source: Source, words: Sequence[str], size: int) -> str:
    """Return about `size` characters of log lines with rising times."""
    lines: list[str] = []
    clock = length = 0
    while length < size:
        clock += source.skewed(40)
        line = log_line(source, words, clock)
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines) + "\n"


def lz_files() -> Files:
    """Return prose, log lines and noise in one file: text compresses, noise does not."""
    files: Files = {}
    for name, seed, size in (("train", 101, 900_000), ("confirm", 102, 700_000)):
        source = Source(seed)
        words = vocabulary(source, 3000)
        noise = bytes(source.below(256) for _ in range(size // 10))
        files[f"{name}.txt"] = (
            prose(source, words, size).encode()
            + log(source, words, size).encode()
            + noise
            + bytes(size // 20)
        )
    return files


def strsearch_files() -> Files:
    """Return a text and a list of patterns, some of them absent."""
    files: Files = {}
    for name, seed, size in (("train", 201, 900_000), ("confirm", 202, 600_000)):
        source = Source(seed)
        words = vocabulary(source, 4000)
        text = prose(source, words, size)
        patterns = [words[50], words[900], words[3900]]
        for length in (6, 12, 24, 48):
            start = source.below(len(text) - length)
            patterns.append(text[start : start + length].replace("\n", " "))
        patterns += ["zyx wvut", "a" * 16]
        files[f"{name}.txt"] = text.encode()
        files[f"{name}-patterns.txt"] = ("\n".join(patterns) + "\n").encode()
    return files


def trie_files() -> Files:
    """Return words to insert, each with a count, and queries: exact, absent and prefixes."""
    files: Files = {}
    for name, seed, size in (("train", 301, 40_000), ("confirm", 302, 28_000)):
        source = Source(seed)
        words = vocabulary(source, size)
        shuffled = sorted(words, key=lambda _: source.unit())
        queries: list[str] = []
        for _ in range(size * 3):
            word = words[source.below(size)]
            kind = source.below(10)
            if kind < 6:
                queries.append("= " + word)
            elif kind < 8:
                queries.append("= " + word[::-1])
            else:
                queries.append("^ " + word[: source.between(2, 5)])
        files[f"{name}-words.txt"] = ("\n".join(shuffled) + "\n").encode()
        files[f"{name}-queries.txt"] = ("\n".join(queries) + "\n").encode()
    return files


def regex_files() -> Files:
    """Return log lines to be matched."""
    files: Files = {}
    for name, seed, size in (("train", 401, 1_000_000), ("confirm", 402, 700_000)):
        source = Source(seed)
        files[f"{name}.log"] = log(source, vocabulary(source, 2000), size).encode()
    return files


# ---------------------------------------------------------------------------- JSON


def json_string(source: Source, words: Sequence[str]) -> str:
    """Return a quoted string, now and then with escapes."""
    text = " ".join(words[source.skewed(len(words))] for _ in range(source.between(1, 4)))
    if source.below(8) == 0:
        text += source.pick([r"\n", r"\"quoted\"", r"\\", r"\u00e9", r"\u20ac", r"\t|"])
    return f'"{text}"'


def json_scalar(source: Source, words: Sequence[str], kind: int) -> str:
    """Return the text of a number, a constant or a string, by `kind` (0 to 5)."""
    if kind == 0:
        return str(source.between(-100_000, 100_000))
    if kind == 1:
        return f"{source.between(-999, 999)}.{source.below(1000):03}"
    if kind == 2:
        return f"{source.between(1, 9)}.{source.below(100)}e{source.between(-12, 12)}"
    if kind == 3:
        return source.pick(["true", "false", "null"])
    return json_string(source, words)


def json_value(source: Source, words: Sequence[str], depth: int) -> str:
    """Return the text of a random JSON value, nested at most `depth` deep."""
    kind = source.below(9 if depth > 0 else 6)
    if kind <= 5:
        return json_scalar(source, words, kind)
    count = source.below(7)
    if kind == 6:
        return "[" + ", ".join(json_value(source, words, depth - 1) for _ in range(count)) + "]"
    items = [
        f'"{words[source.skewed(300)]}_{i}": {json_value(source, words, depth - 1)}'
        for i in range(count)
    ]
    return "{" + ",".join(items) + "}"


def json_files() -> Files:
    """Return arrays of records of differing shape."""
    files: Files = {}
    for name, seed, size in (("train", 501, 900_000), ("confirm", 502, 600_000)):
        source = Source(seed)
        words = vocabulary(source, 2000)
        records: list[str] = []
        length = 0
        while length < size:
            title = json_string(source, words)
            tags = ", ".join(json_string(source, words) for _ in range(source.below(4)))
            record = (
                f'  {{"id": {len(records)}, "name": {title}, "tags": [{tags}], '
                f'"data": {json_value(source, words, 4)}}}'
            )
            records.append(record)
            length += len(record) + 2
        files[f"{name}.json"] = ("[\n" + ",\n".join(records) + "\n]\n").encode()
    return files


# ---------------------------------------------------------------------------- images


def triangle(value: int, period: int) -> int:
    """Return a triangle wave between 0 and `period` // 2."""
    at = value % period
    return min(at, period - at)


def picture(source: Source, width: int, height: int, noise: int) -> bytes:
    """Return a binary PGM: a gradient, waves, discs and boxes with sharp edges, and noise."""
    slope_x, slope_y = source.between(20, 60), source.between(20, 60)
    period = source.between(9, 40)
    rows = [
        bytearray(
            min(
                255,
                40 + x * slope_x // width + y * slope_y // height + triangle(x + 2 * y, period) * 2,
            )
            for x in range(width)
        )
        for y in range(height)
    ]
    for _ in range(24):
        shade, radius = source.below(256), source.between(5, height // 6)
        centre_x, centre_y, is_disc = source.below(width), source.below(height), source.below(2)
        for y in range(max(0, centre_y - radius), min(height, centre_y + radius)):
            half = radius
            if is_disc:
                while half > 0 and half * half > radius * radius - (y - centre_y) ** 2:
                    half -= 1
            left, right = max(0, centre_x - half), min(width, centre_x + half)
            if right > left:
                rows[y][left:right] = bytes([shade]) * (right - left)
    pixels = bytearray()
    for row in rows:
        pixels += bytes(min(255, max(0, p + source.between(-noise, noise))) for p in row)
    return f"P5\n{width} {height}\n255\n".encode() + bytes(pixels)


def dct_files() -> Files:
    """Return two pictures with little noise; the sizes are no multiples of eight."""
    return {
        "train.pgm": picture(Source(601), 790, 595, 3),
        "confirm.pgm": picture(Source(602), 645, 610, 5),
    }


def smooth_files() -> Files:
    """Return two pictures with more noise, to be smoothed away."""
    return {
        "train.pgm": picture(Source(701), 480, 360, 9),
        "confirm.pgm": picture(Source(702), 400, 330, 12),
    }


GENERATORS: dict[str, Callable[[], Files]] = {
    "dct": dct_files,
    "json": json_files,
    "lz": lz_files,
    "regex": regex_files,
    "smooth": smooth_files,
    "strsearch": strsearch_files,
    "trie": trie_files,
}


def generate(program: str, root: Path = CORE) -> list[Path]:
    """Write the files of one program below `root` and return their paths."""
    folder = root / program / "data"
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for name, content in GENERATORS[program]().items():
        path = folder / name
        path.write_bytes(content)
        paths.append(path)
    return paths


def main(argv: Sequence[str] | None = None) -> int:
    """Generate what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description="Generate the input files of the bundled suites.")
    parser.add_argument(
        "programs", nargs="*", metavar="PROGRAM", help="default: all that read files"
    )
    programs: list[str] = parser.parse_args(argv).programs or sorted(GENERATORS)
    unknown = [p for p in programs if p not in GENERATORS and not (CORE / p).is_dir()]
    if unknown:
        parser.error(
            f"unknown program {unknown[0]}; those with input files: {', '.join(sorted(GENERATORS))}"
        )
    for program in programs:
        if program not in GENERATORS:
            print(f"{program}: makes its own input, nothing to do")
            continue
        for path in generate(program):
            print(f"{path.stat().st_size:9}  {path.relative_to(CORE.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
