"""What `/v1/few_shot` takes."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from flamingo.serving.api.bodies import Strict
from flamingo.serving.api.chat_schemas import SEEDS
from flamingo.serving.api.visual_schemas import VISUAL, VisualSource
from flamingo.serving.support_set import MOST_NAME

_GIVEN_OUT = "Without effect: a set that was given out has it."

TEMPLATE = (
    "A template's name, as `/v1/models` lists them, or a pattern that ends in the answer's field, "
    'as in "It says: {output}". If not given, "question-answer" where there is a question, else '
    '"caption".'
)


class Shown(Strict):
    """Something to look at, with the fields of the template."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str] = Field(init=False)

    visual: VisualSource = Field(description=VISUAL)
    question: str | None = Field(None, description="What is asked of it.")

    def fields(self) -> dict[str, str]:
        """The template's fields that are given."""
        given = {"question": self.question, **(self.__pydantic_extra__ or {})}
        return {name: value for name, value in given.items() if value is not None}


class Support(Shown):
    """An example with its answer: `output` and `answer` mean the same, one of them is needed.

    Further fields are those of the template, as `meme_text` in "hateful-memes".
    """

    output: str | None = Field(None, description="What is said about it.")
    answer: str | None = Field(None, description="The same.")

    def fields(self) -> dict[str, str]:
        """The template's fields that are given, `output` or `answer` among them."""
        said = {"output": self.output, "answer": self.answer}
        return super().fields() | {name: text for name, text in said.items() if text is not None}


class FewShotRequest(Strict):
    """A query, and the examples that say what is wanted of it."""

    model: str | None = Field(None, description="As `/v1/models` names it; may be left out.")
    support_set: str | None = Field(
        None, max_length=200, description="Id or name of a support set; it comes first."
    )
    supports: list[Support] = Field(default_factory=list, description="Further examples.")
    query: Shown
    template: str | None = Field(None, min_length=1, max_length=2000, description=TEMPLATE)
    choices: list[str] | None = Field(
        None, description="Makes the question close-ended: the likeliest of these is the answer."
    )
    num_beams: int | None = Field(
        None,
        ge=1,
        description="Width of the search for an open answer. 3 if not given; 1, and no other, "
        "with `stream` or a temperature.",
    )
    max_tokens: int | None = Field(
        None, ge=1, description="Tokens of an open answer at most; 20 if not given."
    )
    temperature: float | None = Field(None, ge=0, le=2, description="0 if not given.")
    seed: int | None = Field(None, ge=-SEEDS, le=SEEDS, description="Of a temperature's draws.")
    stream: bool | None = Field(None, description="Whether the answer comes word by word.")
    explain: bool | None = Field(
        None, description="Whether to say where the answer looked, and what each support did."
    )


class SupportSetRequest(Strict):
    """Examples that are kept by a name. A set that was given out may be sent as it is."""

    format: str | None = Field(None, pattern="^flamingo-support-set$")
    version: int | None = Field(None, ge=1, le=1)
    name: str = Field(min_length=1, max_length=MOST_NAME)
    question: str | None = Field(None, description="Of all supports and queries that have none.")
    template: str | None = Field(None, min_length=1, max_length=2000, description=TEMPLATE)
    supports: list[Support] = Field(min_length=1)
    replace: bool | None = Field(
        None, description="Whether a set of this name may be replaced by another."
    )
    id: str | None = Field(None, description=_GIVEN_OUT)
    object: str | None = Field(None, description=_GIVEN_OUT)
    num_supports: int | None = Field(None, description=_GIVEN_OUT)
    bytes: int | None = Field(None, description=_GIVEN_OUT)
    created: int | None = Field(None, description=_GIVEN_OUT)
