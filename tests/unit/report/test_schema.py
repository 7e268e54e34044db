"""The published schema is what the documents are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from perfwright.report import schema
from perfwright.report.document import CampaignDocument

Documents = Callable[..., CampaignDocument]


def printed(document: CampaignDocument) -> object:
    return json.loads(document.model_dump_json(by_alias=True))


def test_the_published_schema_is_that_of_the_models() -> None:
    assert schema.published() == schema.schema_text(), "python -m perfwright.report.schema"


def test_the_command_writes_the_published_schema(tmp_path: Path) -> None:
    assert schema.write(tmp_path).read_text(encoding="utf-8") == schema.published()


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.campaign_schema())


def test_documents_are_valid(documents: Documents, bare: CampaignDocument) -> None:
    jsonschema.validate(printed(documents()), schema.campaign_schema())
    jsonschema.validate(printed(bare), schema.campaign_schema())


def test_a_document_of_a_newer_version_is_valid_as_well(documents: Documents) -> None:
    newer = json.loads(documents().model_dump_json(by_alias=True)) | {"added": "later"}
    jsonschema.validate(newer, schema.campaign_schema())


def test_a_state_that_is_none_is_not_valid(documents: Documents) -> None:
    broken = json.loads(documents(rounds=[]).model_dump_json(by_alias=True)) | {"status": "great"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema.campaign_schema())
