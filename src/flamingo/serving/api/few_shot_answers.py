"""What `/v1/few_shot` gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel

from flamingo.serving.api.asked import Stamp
from flamingo.serving.api.chat_answers import TokenUsage, finite
from flamingo.serving.events import Answered, Explained, FinishReason, Token, Usage


class ScoredChoice(BaseModel):
    """One of the candidates."""

    text: str
    score: float
    probability: float


class Explanation(BaseModel):
    """Where the answer looked, and what each support did for it.

    `attention` has a share for each place of each frame, `[frames][rows][columns]`, 1 in sum; null
    for models in which it cannot be followed. `area` has the left, top, right and bottom of these
    places together, where the picture itself goes from 0 to 1. `support_effects` say by how much
    the answer's log-likelihood falls when a support is left out.
    """

    score: float
    attention: list[list[list[float]]] | None
    area: list[float]
    support_effects: list[float]

    @classmethod
    def of(cls, explained: Explained) -> Explanation:
        """As the engine found it."""
        attention = explained.attention
        return cls(
            score=finite(explained.score),
            attention=None if attention is None else [[list(r) for r in f] for f in attention],
            area=list(explained.area),
            support_effects=[finite(effect) for effect in explained.effects],
        )


class FewShotUsage(TokenUsage):
    """What a request took, without its explanation."""

    num_visuals: int


class FewShotAnswer(BaseModel):
    """The answer to a query.

    `score` is the log-likelihood, summed over the answer's tokens. `choices` are there for
    close-ended questions, best first; `explanation` where it is asked for and the answer is not
    empty.
    """

    id: str
    object: Literal["few_shot.answer"] = "few_shot.answer"
    created: int
    model: str
    answer: str
    score: float
    finish_reason: FinishReason
    choices: list[ScoredChoice] | None = None
    explanation: Explanation | None = None
    usage: FewShotUsage

    @classmethod
    def of(
        cls,
        stamp: Stamp,
        answered: Answered,
        usage: Usage,
        explained: Explained | None,
    ) -> FewShotAnswer:
        """As the engine found it."""
        answer = answered.answer
        shares = answer.probabilities()
        choices = [
            ScoredChoice(text=text, score=finite(score), probability=shares[text])
            for text, score in answer.choices
        ]
        return cls(
            **stamp.fields(),
            answer=answer.text,
            score=finite(answer.score),
            finish_reason=answered.finish,
            choices=choices or None,
            explanation=None if explained is None else Explanation.of(explained),
            usage=FewShotUsage(**TokenUsage.of(usage).model_dump(), num_visuals=usage.num_visuals),
        )

    def data(self) -> str:
        """As JSON, without `choices` and `explanation` where there are none."""
        optional = ("choices", "explanation")
        return self.model_dump_json(exclude={n for n in optional if getattr(self, n) is None})


class LikelyToken(BaseModel):
    """A token that might stand in a place."""

    text: str
    log_probability: float


class WrittenToken(LikelyToken):
    """A token of the answer, with the likeliest in its place."""

    alternatives: list[LikelyToken]


class FewShotChunk(BaseModel):
    """A piece of a streamed answer; the whole `few_shot.answer` follows on the last one."""

    id: str
    object: Literal["few_shot.answer.chunk"] = "few_shot.answer.chunk"
    created: int
    model: str
    delta: str
    tokens: list[WrittenToken]

    @classmethod
    def of(cls, stamp: Stamp, text: str, tokens: Sequence[Token]) -> FewShotChunk:
        """As the engine wrote it."""
        return cls(**stamp.fields(), delta=text, tokens=[_written(token) for token in tokens])


def _written(token: Token) -> WrittenToken:
    others: list[Any] = [
        LikelyToken(text=text, log_probability=finite(score)) for text, score in token.alternatives
    ]
    return WrittenToken(
        text=token.text, log_probability=finite(token.log_probability), alternatives=others
    )
