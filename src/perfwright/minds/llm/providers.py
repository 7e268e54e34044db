"""From the name of a mind to a model: `openai:gpt-x`, `ollama:qwen3`, `http://host/v1#model`.

Keys come from the environment or the keyring (service `perfwright`, user: the variable's
name), and go nowhere but to the provider.  No request is sent here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urldefrag, urlsplit

from perfwright.errors import MindError, UserError, shortened, unknown_name
from perfwright.minds.assignment import BUILTIN, SAMPLING, sampling_needs_client
from perfwright.minds.llm.exec_mind import PREFIX, ExecModel, require_command
from perfwright.minds.llm.optional import missing

KEYRING_SERVICE = "perfwright"
COMPATIBLE = "openai-compatible"
COMPATIBLE_KEY = "PERFWRIGHT_MODEL_API_KEY"
_COMPATIBLE_KEYS = (COMPATIBLE_KEY, "OPENAI_COMPATIBLE_API_KEY")
_URL = re.compile(r"https?://")
_NO_KEY = "none"

Guest = Callable[[str], Any]
"""Makes a pydantic-ai model for a role, where this process itself has no road to one."""
NO_GUESTS: Mapping[str, Guest] = MappingProxyType({})


@dataclass(frozen=True)
class Provider:
    """How one provider's models are made.

    Attributes:
        keys: the variables that may hold its key, the first one preferred.
        needs_key: whether it refuses who has none.
        make: model name, key and base URL (or `None`) -> pydantic-ai model.
        url: the variable that may hold another base URL.
        constrained: its server makes answers fit a schema.
    """

    keys: tuple[str, ...]
    make: Callable[[str, str, str | None], Any]
    needs_key: bool = True
    url: str = ""
    constrained: bool = False


@dataclass(frozen=True)
class Chosen:
    """A model with what must not be told of it."""

    name: str
    model: Any
    secrets: tuple[str, ...] = ()
    constrained: bool = False


def choose(
    name: str, role: str, *, timeout: float, guests: Mapping[str, Guest] = NO_GUESTS
) -> Chosen:
    """The model that a name stands for; `guests` are names that mean something only here and now.

    Raises:
        UserError: the name means nothing, or a package is missing.
        MindError: the provider's key is missing.
    """
    if name in guests:
        return Chosen(name, guests[name](role))
    if name == SAMPLING:
        raise sampling_needs_client()
    if name.startswith(PREFIX):
        secrets = _keys_around()
        command = ExecModel(name.removeprefix(PREFIX), role, timeout=timeout, secrets=secrets)
        return Chosen(name, command, secrets)
    if _URL.match(name) or name.startswith(f"{COMPATIBLE}:"):
        return _compatible(name)
    provider, _, model = name.partition(":")
    if provider not in PROVIDERS:
        raise _unknown(name)
    if not model:
        raise UserError(f"{name!r} names no model", hint=f"--mind {provider}:MODEL")
    made = PROVIDERS[provider]
    key = _key(made.keys) or ("" if made.needs_key else _NO_KEY)
    if not key:
        raise MindError(
            f"there is no key for {provider}",
            cause=f"{made.keys[0]} is not set, and the keyring has no such entry",
            hint=f"export {made.keys[0]}=..., or: keyring set {KEYRING_SERVICE} {made.keys[0]}",
        )
    built = _made(made, provider, model, key)
    return Chosen(name, built, _secrets(key), made.constrained)


def check_name(name: str) -> None:
    """Make sure that a mind's name means something and that its key is there; asks nothing.

    Whether there is a client to sample from only its server knows.

    Raises:
        UserError: see `choose`.
        MindError: see `choose`.
    """
    if name.startswith(PREFIX):
        require_command(name.removeprefix(PREFIX))
    elif name != SAMPLING:
        choose(name, "reasoner", timeout=1.0)


def _unknown(name: str) -> UserError:
    """The error for a name whose kind nobody knows; lists all kinds."""
    forms = {
        BUILTIN: BUILTIN,
        **{provider: f"{provider}:MODEL" for provider in PROVIDERS},
        "exec": f"{PREFIX}COMMAND",
        "http": "http://HOST/v1#MODEL",
        SAMPLING: f"{SAMPLING} (only through `perfwright mcp`)",
    }
    kind, _, rest = name.partition(":")
    near = unknown_name("mind", kind, forms).hint
    return UserError(
        f"unknown mind {shortened(name)!r}",
        cause=f"known: {', '.join(forms.values())}",
        hint=f"--mind {f'{near}:{rest}' if rest else forms[near]}" if near else "",
    )


def _made(provider: Provider, name: str, model: str, key: str) -> Any:
    url = os.environ.get(provider.url) if provider.url else None
    if url and not _is_address(url):  # it is not shown: somebody may have put a password into it
        raise UserError(f"{provider.url} is no address", hint="write http://HOST[:PORT]/...")
    try:
        return provider.make(model, key, url or None)
    except ImportError as error:
        raise missing(f"of {name}") from error


def _compatible(name: str) -> Chosen:
    """An OpenAI-compatible server: `URL#MODEL`."""
    url, model = urldefrag(name.removeprefix(f"{COMPATIBLE}:"))
    if not _is_address(url):
        raise UserError(
            f"{name!r} is no address", hint=f"--mind {COMPATIBLE}:http://127.0.0.1:8000/v1#MODEL"
        )
    if "@" in url.partition("://")[2].partition("/")[0] or "?" in url:
        raise UserError(
            "a key in an address would be written down with it", hint=f"export {COMPATIBLE_KEY}=..."
        )
    key = _key(_COMPATIBLE_KEYS) or _NO_KEY
    made = Provider(_COMPATIBLE_KEYS, lambda m, k, _: _openai_chat(m, k, url), constrained=True)
    return Chosen(name, _made(made, COMPATIBLE, model or "default", key), _secrets(key), True)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(_URL.match(url) and parts.hostname) and parts.port != 0
    except ValueError:  # brackets or a port that make no sense
        return False


def _secrets(key: str) -> tuple[str, ...]:
    return () if key == _NO_KEY else (key,)


def _keys_around() -> tuple[str, ...]:
    """Every provider's key in the environment: a command that has it may print it."""
    names = [name for provider in PROVIDERS.values() for name in provider.keys]
    values = (os.environ.get(name, "").strip() for name in (*names, *_COMPATIBLE_KEYS))
    return tuple(filter(None, values))


def _key(variables: tuple[str, ...]) -> str:
    """The key, from the environment or the keyring; empty when there is none."""
    for variable in variables:
        found = os.environ.get(variable) or _from_keyring(variable)
        if found:
            return found.strip()
    return ""


def _from_keyring(variable: str) -> str:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return ""
    try:
        return keyring.get_password(KEYRING_SERVICE, variable) or ""
    except keyring.errors.KeyringError:  # a machine without a desktop has none
        return ""


def _http() -> Any:
    from perfwright.minds.llm.bounded import BoundedClient

    return BoundedClient()


def _openai(model: str, key: str, url: str | None) -> Any:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    return OpenAIChatModel(
        model,
        provider=OpenAIProvider(base_url=url, api_key=key, http_client=_http()),
        settings=_ONCE,
    )


def _openai_chat(model: str, key: str, url: str | None) -> Any:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles import ModelProfile
    from pydantic_ai.providers.openai import OpenAIProvider

    return OpenAIChatModel(
        model,
        provider=OpenAIProvider(base_url=url, api_key=key, http_client=_http()),
        profile=ModelProfile(supports_json_schema_output=True),
        settings=_ONCE,
    )


def _anthropic(model: str, key: str, url: str | None) -> Any:
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    provider = AnthropicProvider(api_key=key, base_url=url, http_client=_http())
    return AnthropicModel(model, provider=provider, settings=_ONCE)


def _google(model: str, key: str, url: str | None) -> Any:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    provider = GoogleProvider(api_key=key, base_url=url, http_client=_http())
    return GoogleModel(model, provider=provider)


def _deepseek(model: str, key: str, url: str | None) -> Any:
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.deepseek import DeepSeekProvider

    if url:
        client = AsyncOpenAI(base_url=url, api_key=key, http_client=_http())
        provider = DeepSeekProvider(openai_client=client)
    else:
        provider = DeepSeekProvider(api_key=key, http_client=_http())
    return OpenAIChatModel(model, provider=provider, settings=_ONCE)


def _mistral(model: str, key: str, url: str | None) -> Any:
    from pydantic_ai.models.mistral import MistralModel
    from pydantic_ai.providers.mistral import MistralProvider

    provider = MistralProvider(api_key=key, base_url=url, http_client=_http())
    return MistralModel(model, provider=provider)


def _ollama(model: str, key: str, url: str | None) -> Any:
    from pydantic_ai.models.ollama import OllamaModel
    from pydantic_ai.providers.ollama import OllamaProvider

    base = url or "http://127.0.0.1:11434/v1"
    provider = OllamaProvider(base_url=base, api_key=key, http_client=_http())
    return OllamaModel(model, provider=provider, settings=_ONCE)


_ONCE: Any = {"max_retries": 0}
"""Asking again is our business: every attempt is counted, and limits hold for it."""

PROVIDERS: Mapping[str, Provider] = {
    "anthropic": Provider(("ANTHROPIC_API_KEY",), _anthropic, url="ANTHROPIC_BASE_URL"),
    "openai": Provider(("OPENAI_API_KEY",), _openai, url="OPENAI_BASE_URL"),
    "google": Provider(("GOOGLE_API_KEY", "GEMINI_API_KEY"), _google, url="GOOGLE_GEMINI_BASE_URL"),
    "deepseek": Provider(("DEEPSEEK_API_KEY",), _deepseek, url="DEEPSEEK_BASE_URL"),
    "mistral": Provider(("MISTRAL_API_KEY",), _mistral, url="MISTRAL_BASE_URL"),
    "ollama": Provider(
        ("OLLAMA_API_KEY",), _ollama, needs_key=False, url="OLLAMA_BASE_URL", constrained=True
    ),
}
