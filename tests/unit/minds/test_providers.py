"""From names to models, without a request."""

from __future__ import annotations

import pytest

from perfwright.errors import MindError, UserError
from perfwright.minds.llm import providers
from perfwright.minds.llm.providers import PROVIDERS, choose


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_from_keyring", lambda _: "")


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_every_provider_makes_a_model(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in PROVIDERS[provider].keys:
        monkeypatch.setenv(variable, "k-1234")
    chosen = choose(f"{provider}:some-model", "reasoner", timeout=1)
    assert chosen.model.model_name == "some-model"
    assert "k-1234" in chosen.secrets
    assert "k-1234" not in chosen.name


def test_a_missing_key_names_its_variable() -> None:
    with pytest.raises(MindError) as caught:
        choose("anthropic:some-model", "reasoner", timeout=1)
    assert "ANTHROPIC_API_KEY" in caught.value.cause
    assert "keyring set perfwright ANTHROPIC_API_KEY" in caught.value.hint


def test_a_key_may_be_in_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_from_keyring", {"OPENAI_API_KEY": "k-ring"}.get)
    assert choose("openai:some-model", "reasoner", timeout=1).secrets == ("k-ring",)


def test_a_local_server_needs_no_key() -> None:
    assert choose("ollama:qwen", "scorer", timeout=1).secrets == ()
    compatible = choose("http://127.0.0.1:8000/v1#tiny", "scorer", timeout=1)
    assert compatible.model.model_name == "tiny"
    assert compatible.constrained


@pytest.mark.parametrize("prefix", ["", "openai-compatible:"])
def test_any_address_is_an_openai_compatible_server(prefix: str) -> None:
    chosen = choose(f"{prefix}http://127.0.0.1:8000/v1", "scorer", timeout=1)
    assert chosen.model.base_url.rstrip("/") == "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize("address", ["https://user:secret@host/v1", "https://host/v1?key=secret"])
def test_an_address_with_a_password_is_refused_as_it_would_be_written_down(address: str) -> None:
    with pytest.raises(UserError, match="would be written down"):
        choose(f"{address}#m", "scorer", timeout=1)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("opnai:gpt-5", "--mind openai:gpt-5"),
        ("antropic", "--mind anthropic:MODEL"),
        ("exec", "--mind exec:COMMAND"),
        ("gpt-5", ""),
    ],
)
def test_an_unknown_kind_of_mind_lists_all_kinds(name: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        choose(name, "scorer", timeout=1)
    assert caught.value.hint == hint
    for kind in ("builtin", *PROVIDERS, "exec:COMMAND", "http://", "sampling (only through"):
        assert kind in caught.value.cause


def test_a_base_address_that_is_none_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://somebody:hunter2/v1")

    with pytest.raises(UserError, match="OPENAI_BASE_URL is no address") as caught:
        choose("openai:some", "scorer", timeout=1)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://", "https:///v1", "http://[", "http://host:99999/v1"])
def test_an_address_without_a_host_is_none(address: str) -> None:
    with pytest.raises(UserError, match="is no address"):
        choose(address, "scorer", timeout=1)


@pytest.mark.parametrize("name", ["gpt-5", "opnai:gpt-5", "openai-compatible:nowhere", "openai:"])
def test_a_name_that_means_nothing_is_refused(name: str) -> None:
    with pytest.raises(UserError):
        choose(name, "scorer", timeout=1)


@pytest.mark.parametrize("command", ["exec:", "exec:  ", "exec:sh -c 'unclosed"])
def test_a_command_must_be_one(command: str) -> None:
    with pytest.raises(UserError):
        choose(command, "scorer", timeout=1)
