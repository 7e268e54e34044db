"""What the environment tells perfwright: folders and switches, in one model.

Every variable is `PERFWRIGHT_` and the name of a field in capitals.  Options of a run are not
here: they belong to the command line and to the journal.
"""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path, user_state_path
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from perfwright.errors import UserError

_PREFIX = "PERFWRIGHT_"


class Settings(BaseSettings):
    """Read with `Settings.load()`; tests construct it with keywords.

    Attributes:
        home: the journal and the artefacts.  Default: the user's XDG state folder.
        cache: what can be had again at any time.  Default: the user's XDG cache folder.
        debug: print tracebacks of errors.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True)

    home: Path = Field(default_factory=lambda: user_state_path("perfwright"))
    cache: Path = Field(default_factory=lambda: user_cache_path("perfwright"))
    debug: bool = False

    @field_validator("home", "cache")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        """Folders are used from other working directories as well."""
        return path.expanduser().absolute()

    @property
    def artefacts(self) -> Path:
        """Where the artefact store is."""
        return self.home / "artefacts"

    @classmethod
    def load(cls) -> Settings:
        """The settings of this process.

        Raises:
            UserError: a variable has a value that means nothing.
        """
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            variable = _PREFIX + str(first["loc"][0]).upper()
            raise UserError(
                f"{variable} has a value that means nothing",
                cause=f"{first['input']!r}: {first['msg']}",
                hint=f"unset {variable}",
            ) from error
