"""A model that somebody else in this process asks: for roads that minds know nothing of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.settings import ModelSettings


@dataclass(frozen=True)
class Prompt:
    """What a role's model is asked: the dialogue so far, and the tools and form of the answer."""

    role: str
    messages: Sequence[ModelMessage]
    parameters: ModelRequestParameters


class GuestModel(Model):
    """Implements pydantic-ai's `Model` by a function that returns when there is an answer."""

    def __init__(self, name: str, role: str, ask: Callable[[Prompt], ModelResponse]) -> None:
        super().__init__(
            # Nothing but the brief comes first; what a frame means is for models to know.
            settings=ModelSettings(framing_announcement="never"),
            profile=ModelProfile(supports_tools=True),
        )
        self._name = name
        self._role = role
        self._ask = ask

    @property
    def model_name(self) -> str:
        """The mind's name; the answer names the model."""
        return self._name

    @property
    def system(self) -> str:
        """Not one of the providers with prices."""
        return self._name

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Ask, and block until there is an answer: nothing else runs in a campaign's thread.

        Raises:
            MindError: nobody answers.
            UnexpectedModelBehavior: the answer is none.
        """
        _, parameters = self.prepare_request(model_settings, model_request_parameters)
        return self._ask(Prompt(self._role, tuple(messages), parameters))
