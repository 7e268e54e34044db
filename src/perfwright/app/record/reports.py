"""A campaign's document and its report, made from the journal alone."""

from __future__ import annotations

from pathlib import Path

from perfwright.app.record.documents import document_from
from perfwright.app.record.explain import explanation_of
from perfwright.app.record.places import recipe_path, report_path
from perfwright.app.record.story import read_story
from perfwright.app.request import TuneRequest
from perfwright.core.campaign import Status
from perfwright.errors import UserError
from perfwright.measure.blocks import PairRecord
from perfwright.measure.measurer import DELIVERED, judge_delivered
from perfwright.recipe.exports import export
from perfwright.recipe.model import Recipe
from perfwright.report.document import CampaignDocument
from perfwright.report.html import Extras, render
from perfwright.report.pairs import timed_pairs
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore


def document_of(store: JournalStore, name: str) -> CampaignDocument:
    """The document of a campaign, read from the journal alone."""
    settings = Settings.load()
    record = store.find(name)
    journal = store.replay_campaign(record.id)
    request = TuneRequest.model_validate(record.plan.settings["request"])
    blocks = journal.pairs(PairRecord).recorded(f"confirm/{DELIVERED}")
    return document_from(
        record,
        read_story(journal, request),
        delivered=judge_delivered(blocks) if blocks else None,
        # With --out the recipe of another campaign may be there.
        recipe=_existing(recipe_path(settings, record))
        if record.status == Status.IMPROVED
        else None,
        report=_existing(report_path(settings, record)),
    )


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None


def write_report(store: JournalStore, name: str, out: Path | None = None) -> Path:
    """Write the HTML report of a campaign; beside its recipe when `out` is `None`.

    Raises:
        UserError: there is no such campaign.
    """
    settings = Settings.load()
    record = store.find(name)
    journal = store.replay_campaign(record.id)
    document = document_of(store, record.id)
    request = TuneRequest.model_validate(record.plan.settings["request"])
    story = read_story(journal, request)
    extras = Extras(
        facts={fact.id: fact for fact in story.ground.facts} if story.ground else {},
        pairs=timed_pairs(document, journal.pairs(PairRecord).recorded),
        changes={trial.id: trial.consequences for trial in story.trials},
        exports=_exports(document),
        story=explanation_of(record, request, story),
    )
    path = out or report_path(settings, record)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(document, extras), encoding="utf-8")
    return path


def _exports(document: CampaignDocument) -> dict[str, str]:
    if document.recipe is None:
        return {}
    recipe = Recipe.load(Path(document.recipe))
    try:
        return {"make": export(recipe, "make")}
    except UserError:  # it needs more than flags
        return {}
