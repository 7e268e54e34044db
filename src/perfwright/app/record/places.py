"""Where the results of a campaign are: recipe, script, report and reproducers."""

from __future__ import annotations

from pathlib import Path

from perfwright.app.request import TuneRequest
from perfwright.settings import Settings
from perfwright.store.records import CampaignRecord

RECIPE = "recipe.toml"
REPORT = "report.html"
SCRIPT = "recipe.sh"
REPRODUCERS = "reproducers"
"""The folder beside the recipe for what makes tools crash or hang."""


def results_folder(settings: Settings, campaign: str, request: TuneRequest) -> Path:
    """Where recipe, report and reproducers are: `--out`, or a folder in PERFWRIGHT_HOME."""
    return request.out.absolute() if request.out else settings.home / "results" / campaign


def recipe_path(settings: Settings, record: CampaignRecord) -> Path:
    """The recipe's TOML file; of this campaign only if it improved."""
    return _folder_of(settings, record) / RECIPE


def report_path(settings: Settings, record: CampaignRecord) -> Path:
    """The HTML report."""
    return _folder_of(settings, record) / REPORT


def script_path(settings: Settings, record: CampaignRecord) -> Path:
    """The shell script of plain tools."""
    return _folder_of(settings, record) / SCRIPT


def _folder_of(settings: Settings, record: CampaignRecord) -> Path:
    request = TuneRequest.model_validate(record.plan.settings["request"])
    return results_folder(settings, record.id, request)
