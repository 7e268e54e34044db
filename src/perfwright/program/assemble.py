"""The records of one build, put together to units and a link step.  Pure but for looking at
whether sources are still there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from perfwright.program.captured import CapturedBuild, LinkItem, LinkStep, Unit
from perfwright.program.driver import Language
from perfwright.program.records import file_digest


class ItemRecord(BaseModel):
    """One piece of a recorded link command (written by `recorder`)."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["unit", "file", "option"]
    texts: tuple[str, ...] = ()
    """The words of the command line that it was."""
    path: Path = Path()
    """The file that they lead to."""
    keys: tuple[str, ...] = ()
    whole: bool = False
    form: str = ""


class LinkRecord(BaseModel):
    """A recorded link step."""

    model_config = ConfigDict(frozen=True)

    driver: Language
    cwd: Path
    env: dict[str, str]
    items: tuple[ItemRecord, ...]
    output: Path
    output_digest: str | None
    keys: tuple[str, ...]
    """The units in the output, in link order, right after the link."""

    @property
    def makes_program(self) -> bool:
        """Whether the output is no shared library and no object file."""
        options = {text for item in self.items if item.kind == "option" for text in item.texts}
        return not options & {"-shared", "-r"}


def assemble(
    link: LinkRecord, compiles: Mapping[str, Mapping[str, Any]], *, root: Path, binary: Path
) -> CapturedBuild:
    """The units that a link step really linked, and the step with units in place of objects.

    Args:
        link: the step.
        compiles: the records of compile steps by key.
        root: the folder in which the build ran; names of units are relative to it.
        binary: what the build made, in `root`.
    """
    work = _Assembly(link, compiles, root)
    items = tuple(item for record in link.items for item in work.items(record))
    units = list(work.units.values())
    return CapturedBuild(
        origin="build",
        root=root,
        binary_name=binary.name,
        binary_place=binary.relative_to(root).as_posix(),
        units=tuple(unit for unit in units if unit.language),
        fixed_units=tuple(unit for unit in units if not unit.language),
        link=LinkStep(driver=link.driver, cwd=link.cwd, items=items, env=link.env),
        notes=tuple(dict.fromkeys(work.notes)),
    )


@dataclass
class _Assembly:
    link: LinkRecord
    compiles: Mapping[str, Mapping[str, Any]]
    root: Path
    units: dict[str, Unit] = field(default_factory=dict)
    """By key, in link order."""
    notes: list[str] = field(default_factory=list)

    def items(self, record: ItemRecord) -> Iterator[LinkItem]:
        """What stands for one recorded piece: units, the words themselves, or both."""
        if record.kind == "option" or not record.keys:
            yield LinkItem(words=record.texts)
        elif record.form == "shared":
            yield from self._shared(record)
        elif record.form == "archive" and not self.link.keys:
            self.notes.append(
                f"which units of {record.path.name} are linked cannot be told: the build removes "
                "the section .perfwright; it is linked as it is"
            )
            yield LinkItem(words=record.texts)
        elif any(key not in self.compiles for key in self._linked(record)):
            self.notes.append(f"{' '.join(record.texts)} was not compiled by this build")
            yield LinkItem(words=record.texts)
        else:
            for key in self._linked(record):
                if key not in self.units:
                    self.units[key] = self._unit(key)
                    yield LinkItem(unit=self.units[key].name)
            if record.kind == "file" and not record.whole:
                # The rest of the archive is still needed; its units are there already, so the
                # linker does not take them a second time.
                yield LinkItem(words=record.texts)

    def _linked(self, record: ItemRecord) -> Sequence[str]:
        """Of an archive the members that the linker took, in its order; else everything."""
        if record.form != "archive":
            return record.keys
        members = set(record.keys)
        return [key for key in self.link.keys if key in members]

    def _shared(self, record: ItemRecord) -> Iterator[LinkItem]:
        folder = record.path.parent
        self.notes.append(
            f"{record.path.name} is a shared library of this build; its {len(record.keys)} units "
            "are linked when the program starts and are not tuned; a static build "
            "(--disable-shared, -DBUILD_SHARED_LIBS=OFF) has them tuned"
        )
        yield LinkItem(words=record.texts)
        if folder.is_dir():
            yield LinkItem(words=("-Xlinker", "-rpath", "-Xlinker", str(folder.resolve())))

    def _unit(self, key: str) -> Unit:
        record = self.compiles[key]
        cwd, saved = Path(record["cwd"]), Path(record["saved"])
        source = Path(cwd / record["source"])
        argv = tuple(record["flags"])
        name = self._name(source, saved)
        if file_digest(source) != record["source_digest"]:
            # Deleted or overwritten since: the copy is compiled, with includes as they were.
            argv = ("-iquote", str(source.parent), *argv)
            source = saved
        return Unit(
            name=name,
            source=source,
            cwd=cwd,
            argv=argv,
            input_type=record["input_type"],
            key=key,
            env=record["env"],
        )

    def _name(self, source: Path, saved: Path) -> str:
        path = saved if source.name == "-" else source.resolve()
        inside = path.is_relative_to(self.root.resolve())
        name = path.relative_to(self.root.resolve()).as_posix() if inside else str(path)
        name = f"stdin{saved.suffix}" if source.name == "-" else name
        taken = [unit.name for unit in self.units.values()]
        count = sum(1 for other in taken if other == name or other.startswith(f"{name}#"))
        return name if not count else f"{name}#{count + 1}"
