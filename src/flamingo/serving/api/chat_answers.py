"""What `/v1/chat/completions` gives: OpenAI's answer, whole or in chunks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel

from flamingo.serving.events import FinishReason, Token, Usage

_LEAST = -9999.0
"""What stands for the logarithm of 0, which JSON cannot say."""


class Logprob(BaseModel):
    """A token with its log-probability."""

    token: str
    logprob: float
    bytes: list[int] | None


class TokenLogprob(Logprob):
    """A chosen token, with the likeliest in its place."""

    top_logprobs: list[Logprob]


class Logprobs(BaseModel):
    """The tokens of an answer, or of a piece of it."""

    content: list[TokenLogprob] | None
    refusal: None = None


class AnswerMessage(BaseModel):
    """What the model says."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """One of the answers."""

    index: int
    message: AnswerMessage
    logprobs: Logprobs | None
    finish_reason: FinishReason


class CachedTokens(BaseModel):
    """Of the prompt's tokens, those that were read for an earlier request."""

    cached_tokens: int


class TokenUsage(BaseModel):
    """What a request took."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens

    @classmethod
    def of(cls, usage: Usage) -> TokenUsage:
        """As the engine counted it."""
        return cls(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.new_tokens,
            total_tokens=usage.prompt_tokens + usage.new_tokens,
            prompt_tokens_details=CachedTokens(cached_tokens=usage.cached_tokens),
        )


class ChatCompletion(BaseModel):
    """The answers to a conversation."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: TokenUsage


class Delta(BaseModel):
    """What is new of an answer."""

    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(BaseModel):
    """A piece of one of the answers."""

    index: int
    delta: Delta
    logprobs: Logprobs | None = None
    finish_reason: FinishReason | None = None


class ChatCompletionChunk(BaseModel):
    """One event of a stream."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: TokenUsage | None = None

    def data(self, *, tells_usage: bool) -> str:
        """As JSON; `usage` is null in all chunks but the last, where it is asked for."""
        left_out: Any = {"choices": {"__all__": {"delta": self._not_told()}}}
        if not tells_usage:
            left_out["usage"] = True
        return self.model_dump_json(exclude=left_out)

    def _not_told(self) -> dict[str, bool]:
        told = [choice.delta.model_fields_set for choice in self.choices]
        return {name: True for name in Delta.model_fields if not any(name in one for one in told)}


def logprobs_of(tokens: Sequence[Token]) -> Logprobs:
    """Tokens in OpenAI's shape."""
    return Logprobs(
        content=[
            TokenLogprob(
                **_logprob(token.text, token.log_probability),
                top_logprobs=[Logprob(**_logprob(*other)) for other in token.alternatives],
            )
            for token in tokens
        ]
    )


def finite(log_probability: float) -> float:
    """A log-probability as a number that JSON can say."""
    return log_probability if math.isfinite(log_probability) else _LEAST


def _logprob(text: str, log_probability: float) -> dict[str, Any]:
    # A token that is no whole character has no text of which its bytes could be told.
    known = None if "\ufffd" in text else list(text.encode())
    return {"token": text, "logprob": finite(log_probability), "bytes": known}
