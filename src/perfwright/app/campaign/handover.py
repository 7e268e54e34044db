"""Hand over: write the recipe, and where it is found later."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from perfwright.app.campaign.sources import digests
from perfwright.app.record.documents import claims_by_edit
from perfwright.app.record.places import RECIPE, SCRIPT, results_folder
from perfwright.app.workplace import Workplace
from perfwright.core.campaign import Outcome, Status
from perfwright.core.candidate import Candidate
from perfwright.core.protocols import Build, Refusal
from perfwright.errors import InternalError, ProgramError
from perfwright.levels.workshop import EditWorkshop
from perfwright.program.script import Command, commands
from perfwright.recipe.exports import shell_script
from perfwright.recipe.model import Figure, Recipe, RecipeEdit

_BUILT_BEFORE = (
    "If the program's own build makes sources or headers, let it do so first: this does not."
)


def hand_over(place: Workplace, outcome: Outcome) -> None:
    """Write the recipe of a campaign that improved.

    Raises:
        InternalError: the final candidate no longer builds.
        ProgramError: a file of the program has changed, or the candidate builds to other code
            than the one that was confirmed.
    """
    if outcome.status is not Status.IMPROVED or outcome.confirmation is None:
        return
    _refuse_changes(place)
    build = _built_anew(place, outcome.final)
    if isinstance(build, Refusal):
        raise InternalError("the final candidate no longer builds", cause=build.reason)
    if outcome.code and build.code != outcome.code:
        raise ProgramError(
            "what would be handed over is not what was confirmed: its machine code differs",
            cause="a header or a library changed while the campaign ran, or no two builds agree",
            hint=f"leave the program alone meanwhile: perfwright tune {place.setup.spec.path}",
        )
    recipe = recipe_of(place, outcome, build)
    folder = results_folder(place.setup.settings, place.journal.campaign, place.setup.request)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECIPE).write_text(recipe.to_toml(), encoding="utf-8")
    script = folder / SCRIPT
    script.write_text(_script(place, recipe, folder), encoding="utf-8")
    script.chmod(0o755)


def _refuse_changes(place: Workplace) -> None:
    """Files say what code cannot where the build ran in a copy of the program's folder.

    Raises:
        ProgramError: one of those that the campaign began with is another one now.
    """
    now = digests(place.setup.spec)
    began = place.journal.sources()
    changed = [path for path, digest in began.items() if now.get(path) != digest]
    if changed:
        raise ProgramError(
            "nothing is handed over: the program has changed since the campaign began",
            cause="no longer as it was: " + ", ".join(changed[:5]),
            hint=f"undo the change, then: perfwright resume {place.journal.campaign}",
        )


def _built_anew(place: Workplace, final: Candidate) -> Build | Refusal:
    """Compiled from what is there now: no object file of the campaign or the store is used."""
    place.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="handover-", dir=place.folder) as scratch:
        folder = Path(scratch)
        site = replace(place.workshop.site, folder=folder, objects=folder / "objects")
        return EditWorkshop(site, place.workshop.levels).build(final)


def recipe_of(place: Workplace, outcome: Outcome, build: Build) -> Recipe:
    """The recipe as a value."""
    plan = place.workshop.plan(outcome.final)
    assert not isinstance(plan, Refusal), "it has just been built"
    assert outcome.confirmation is not None, "only what is confirmed is handed over"
    claims = claims_by_edit(outcome.final.claims)
    worth = {c.edit: c.comparison.ratio for c in outcome.attribution if c.resolved}
    edits = []
    for edit in map(str, outcome.final.edits):
        claim = claims.get(edit)
        edits.append(
            RecipeEdit(
                edit=edit,
                claim=claim.text if claim else "",
                evidence=claim.evidence if claim else (),
                contribution=worth.get(edit),
            )
        )
    figure = outcome.confirmation
    setup = place.setup
    return Recipe(
        campaign=place.journal.campaign,
        program=setup.request.program.absolute(),
        arguments=setup.request.arguments,
        cwd=None if setup.spec.path.suffix == ".toml" else setup.spec.train[0].cwd,
        toolchain=setup.toolchain.version,
        triple=setup.host.triple,
        cpu=setup.request.cpu,
        correct=outcome.correctness.value,
        code=build.code,
        metric=outcome.ground.metric,
        seed=setup.request.seed,
        result=Figure(speedup=figure.ratio, low=figure.low, high=figure.high, pairs=figure.pairs),
        build=plan,
        edits=tuple(edits),
        sources=digests(setup.spec),
    )


def _script(place: Workplace, recipe: Recipe, folder: Path) -> str:
    """The build as commands, on the user's own sources and not on our copy of them."""
    site, root = place.workshop.site, place.setup.spec.root
    captured = site.captured
    binary = folder / Path(captured.binary_name).name
    lines = commands(captured, recipe.build, site.toolchain, folder / "objects", binary)
    if captured.root == root:
        return shell_script(recipe, lines, root, folder / "objects")
    moved = (_moved(command, str(captured.root), str(root)) for command in lines)
    return shell_script(recipe, moved, root, folder / "objects", _BUILT_BEFORE)


def _moved(command: Command, old: str, new: str) -> Command:
    return Command(
        cwd=Path(str(command.cwd).replace(old, new)),
        argv=tuple(word.replace(old, new) for word in command.argv),
        env={name: value.replace(old, new) for name, value in command.env.items()},
    )
