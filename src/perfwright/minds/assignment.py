"""Who plays which role: `--mind openai:gpt-x --mind scorer=builtin --without evaluator`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from perfwright.errors import UserError, unknown_name

BUILTIN = "builtin"
WITHOUT = "none"
"""In the place of a mind: the role does as little as possible (`perfwright.minds.plain`)."""

SAMPLING = "sampling"
"""The model of an MCP server's client: it is there only as long as the client is."""


def sampling_needs_client(hint: str = "") -> UserError:
    """The error for `sampling` where there is no client."""
    return UserError(
        f"the mind {SAMPLING} is the model of an MCP client, and there is none here",
        hint=hint or "let your agent call the tool tune of `perfwright mcp`; or --mind builtin",
    )


ROLES = ("scorer", "analyst", "reasoner", "evaluator")
_BEFORE_ROLE = re.compile(rf"\s+(?=(?:{'|'.join(ROLES)})=)")
_ASSIGNMENT = re.compile(r"(?P<role>[a-z_-]+)=(?P<mind>.+)", re.DOTALL)


@dataclass(frozen=True)
class Assignment:
    """A mind for every role; `roles` are the exceptions from `everyone`."""

    everyone: str = BUILTIN
    roles: Mapping[str, str] = field(default_factory=dict)

    def mind_of(self, role: str) -> str:
        """Who plays a role."""
        return self.roles.get(role, self.everyone)

    @property
    def models(self) -> tuple[str, ...]:
        """The minds that are neither built in nor left out."""
        minds = dict.fromkeys(self.mind_of(role) for role in ROLES)
        return tuple(mind for mind in minds if mind not in (BUILTIN, WITHOUT))

    def __str__(self) -> str:
        parts = [self.everyone] if len(self.roles) < len(ROLES) else []
        parts += [f"{role}={self.roles[role]}" for role in ROLES if role in self.roles]
        return " ".join(parts)


def assign(minds: Sequence[str], without: Sequence[str] = ()) -> Assignment:
    """The assignment that options of the command line make.

    Args:
        minds: values of `--mind`: `MIND` for all roles, `ROLE=MIND` for one.
        without: values of `--without`: roles that are left out.

    Raises:
        UserError: a role is unknown or named twice.
    """
    everyone: list[str] = []
    roles: dict[str, str] = {}
    for text in minds:
        match = _ASSIGNMENT.fullmatch(text)
        if match is None:
            everyone.append(text)
            continue
        _add(roles, match["role"], match["mind"])
    for text in without:
        for role in filter(None, text.split(",")):
            roles.pop(role.strip(), None)
            _add(roles, role.strip(), WITHOUT)
    if len(everyone) > 1:
        raise UserError(
            f"two minds for all roles: {everyone[0]} and {everyone[1]}",
            hint=f"--mind {everyone[0]} --mind reasoner={everyone[1]}",
        )
    if any(not mind.strip() for mind in (*everyone, *roles.values())):
        raise UserError("no mind is named", hint="--mind builtin")
    return Assignment(everyone[0] if everyone else BUILTIN, roles)


def read_assignment(text: str) -> Assignment:
    """An assignment in one line, as it prints itself: `openai:gpt-x scorer=builtin analyst=none`.

    Raises:
        UserError: see `assign`.
    """
    return assign(_BEFORE_ROLE.split(text.strip()))


def _add(roles: dict[str, str], role: str, mind: str) -> None:
    if role not in ROLES:
        raise unknown_name("role", role, ROLES)
    if role in roles:
        raise UserError(f"two minds for the {role}", hint=f"--mind {role}={mind}")
    roles[role] = mind
