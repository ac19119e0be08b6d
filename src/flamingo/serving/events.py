"""What the engine says while it works on a job; it ends with `Done` or `Failed`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from flamingo.inference.answer import Answer

FinishReason = Literal["stop", "length"]
"""Whether an answer ended by itself (or at a stop text), or was cut."""


@dataclass(frozen=True)
class Token:
    """One token of an answer.

    Attributes:
        text: of the token alone; what is no whole character is written as U+FFFD.
        log_probability: before temperature and `top_p`.
        alternatives: the likeliest tokens in its place with their log-probabilities, best first.
    """

    text: str
    log_probability: float
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Usage:
    """What a job took.

    Attributes:
        prompt_tokens: of the whole prompt.
        cached_tokens: of these, that were read for an earlier job.
        new_tokens: that were written or scored.
        num_visuals: in the prompt.
        queue_seconds: before the work began.
        seconds: from acceptance to the end.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    new_tokens: int = 0
    num_visuals: int = 0
    queue_seconds: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Wrote:
    """A further piece of one of the answers of a `Write`.

    Attributes:
        number: of the answer, from 0.
        text: that follows on what was written so far; may be empty, while a character or a stop
            text is not complete.
        tokens: that were chosen since the last piece.
        finish: why the answer ends with this piece; None if it goes on.
        score: log-likelihood of the answer until here, with the token that ends it.
    """

    number: int
    text: str
    tokens: tuple[Token, ...]
    finish: FinishReason | None = None
    score: float = 0.0


@dataclass(frozen=True)
class Answered:
    """The answer of a `Search` or a `Choose`; of a choice with the scores of all.

    Attributes:
        answer: as a `Predictor` gives it.
        finish: "length" if a search was cut.
    """

    answer: Answer
    finish: FinishReason = "stop"


@dataclass(frozen=True)
class Explained:
    """Why an answer was given.

    Attributes:
        score: the answer's log-likelihood behind all supports.
        attention: how much each place of the query's last visual is looked at as the answer begins,
            `[frames][rows][columns]`, 1 in sum; None for models in which it cannot be followed.
        area: left, top, right and bottom of these places together, where the picture itself goes
            from 0 to 1: larger where the model sees it with a border, smaller where it is cropped.
        effects: for each support, by how much the answer's log-likelihood falls when it is left
            out: above 0 where it speaks for the answer.
    """

    score: float
    attention: Sequence[Sequence[Sequence[float]]] | None
    effects: tuple[float, ...]
    area: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Done:
    """The job is done."""

    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class Failed:
    """The job came to nothing.

    Attributes:
        error: a `FlamingoError` if the request was at fault; `JobTimeout` if it took too long; any
            other exception is a fault of the server.
    """

    error: Exception


Event = Wrote | Answered | Explained | Done | Failed
