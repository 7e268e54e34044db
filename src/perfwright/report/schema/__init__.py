"""The published JSON Schema of what `--json` prints; `python -m perfwright.report.schema`.

The file beside this one is made from the models of `perfwright.report.document`.  Within a
version fields are only added, so the schema lets objects have more than it names: what was
written by a newer perfwright is valid for an older one's schema.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from perfwright.report.document import CampaignDocument

NAME = "campaign-1.json"


def campaign_schema() -> dict[str, Any]:
    """The schema of a campaign's document, as the models say it."""
    schema = CampaignDocument.model_json_schema(by_alias=True, mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": NAME}
    return {**head, **_open(schema)}


def schema_text() -> str:
    """The text of the file, as it should be."""
    return json.dumps(campaign_schema(), indent=1) + "\n"


def published() -> str:
    """The text of the file, as it is shipped."""
    return (resources.files(__name__) / NAME).read_text(encoding="utf-8")


def write(folder: Path | None = None) -> Path:
    """Write the file, beside this module when no folder is given."""
    path = (folder or Path(__file__).parent) / NAME
    path.write_text(schema_text(), encoding="utf-8")
    return path


def _open(schema: Any) -> Any:
    """The schema without its refusals of further properties."""
    if isinstance(schema, dict):
        return {
            key: _open(value)
            for key, value in schema.items()
            if not (key == "additionalProperties" and value is False)
        }
    return [_open(value) for value in schema] if isinstance(schema, list) else schema
