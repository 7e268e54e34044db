"""Edits, claims and candidates: what is proposed, as data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, order=True)
class Edit:
    """One change at one level.

    `text` is the level's own stable text form; the level parses it into something richer.
    Core only compares, stores and prints it.
    """

    level: str
    text: str

    def __str__(self) -> str:
        return f"{self.level}: {self.text}"

    @classmethod
    def parse(cls, line: str) -> Edit:
        """The inverse of `str`.

        Raises:
            ValueError: there is no `level: ` in front.
        """
        level, separator, text = line.partition(": ")
        if not separator or not level.isidentifier():
            raise ValueError(f"{line!r} is not an edit; the form is 'LEVEL: TEXT'")
        return cls(level, text)


@dataclass(frozen=True)
class Claim:
    """Why one edit should help, citing evidence by id."""

    edit: Edit
    text: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A set of edits with their claims; the order of edits is the order of application.

    Without edits it is the baseline: the program as its user builds it.  A draft with a
    `flaw` is none: what a mind said could not be read as a candidate, and this is why.

    `expects` is what its mind says will change in code and time; `confidence`, from 0 to 1,
    how likely it is to be faster than the incumbent that it was proposed against.
    """

    edits: tuple[Edit, ...] = ()
    claims: tuple[Claim, ...] = ()
    flaw: str = ""
    expects: str = ""
    confidence: float | None = None

    @property
    def id(self) -> str:
        """Twelve hex digits of the edits, and of nothing else: equal edits, equal id."""
        return digest(str(edit) for edit in self.edits)

    def with_edits(self, edits: Iterable[Edit]) -> Candidate:
        """The candidate with just these edits, and the claims that speak for them."""
        kept = tuple(edits)
        claims = tuple(claim for claim in self.claims if claim.edit in kept)
        return replace(self, edits=kept, claims=claims)

    def without(self, *dropped: Edit) -> Candidate:
        """The candidate less these edits and their claims."""
        return self.with_edits(edit for edit in self.edits if edit not in dropped)


BASELINE = Candidate()


def digest(texts: Iterable[str]) -> str:
    """Twelve hex digits that identify a sequence of texts, whatever is in them."""
    lengthy = "".join(f"{len(text)}:{text}" for text in texts)
    return hashlib.sha256(lengthy.encode()).hexdigest()[:12]
