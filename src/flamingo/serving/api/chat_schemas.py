"""What `/v1/chat/completions` takes: OpenAI's request, as far as it can be honored."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from flamingo.serving.api.bodies import Strict
from flamingo.serving.api.visual_schemas import FileId, VideoUrl, VisualSource

SEEDS = 2**63 - 1
"""The largest seed."""


class TextPart(Strict):
    """Text."""

    type: Literal["text"]
    text: str


class ImageUrl(Strict):
    """Where an image is."""

    url: str = Field(description="A `data:` URL, or an https URL of a host that the server allows.")
    detail: Literal["auto", "low", "high"] | None = Field(
        None, description="Without effect: the model looks at every image in one size."
    )


class ImagePart(Strict):
    """An image."""

    type: Literal["image_url"]
    image_url: ImageUrl

    def source(self) -> VisualSource:
        """What is to be seen."""
        return self.image_url.url


class VideoPart(Strict):
    """A clip."""

    type: Literal["video_url"]
    video_url: VideoUrl

    def source(self) -> VisualSource:
        """What is to be seen."""
        return self.video_url


class FilePart(Strict):
    """An image or a clip that was uploaded to `/v1/files`."""

    type: Literal["file"]
    file: FileId

    def source(self) -> VisualSource:
        """What is to be seen."""
        return self.file


Part = Annotated[TextPart | ImagePart | VideoPart | FilePart, Field(discriminator="type")]

_HISTORY_FIELDS = ("name", "refusal", "annotations", "audio", "tool_calls", "function_call")


class Message(Strict):
    """One turn of the conversation.

    Examples are turns: a user's turn that shows a picture and an assistant's that says what is
    wanted. A turn of the server's may be sent back as it came.
    """

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]
    name: Any = Field(None, description="Not supported; null.")
    refusal: Any = Field(None, description="Not supported; null.")
    annotations: Any = Field(None, description="Not supported; null or empty.")
    audio: Any = Field(None, description="Not supported; null.")
    tool_calls: Any = Field(None, description="Not supported; null or empty.")
    function_call: Any = Field(None, description="Not supported; null.")

    @model_validator(mode="after")
    def _check_neutral(self) -> Message:
        for name in _HISTORY_FIELDS:
            if getattr(self, name) not in (None, []):
                raise ValueError(f"{name!r} of a message cannot be honored here; leave it out")
        return self


class StreamOptions(Strict):
    """What a stream tells besides."""

    include_usage: bool | None = Field(None, description="Whether the last chunk has `usage`.")
    include_obfuscation: Literal[False] | None = None


_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "audio": (None,),
    "frequency_penalty": (None, 0),
    "function_call": (None, "none", "auto"),
    "functions": (None, []),
    "logit_bias": (None, {}),
    "metadata": (None, {}),
    "modalities": (None, ["text"]),
    "parallel_tool_calls": (None, True, False),
    "prediction": (None,),
    "presence_penalty": (None, 0),
    "reasoning_effort": (None, "none"),
    "response_format": (None, {"type": "text"}),
    "service_tier": (None, "auto", "default"),
    "store": (None, False),
    "tool_choice": (None, "none", "auto"),
    "tools": (None, []),
    "verbosity": (None, "medium"),
    "web_search_options": (None,),
}
"""OpenAI's parameters that cannot be honored, with the values that ask for nothing."""

_UNSUPPORTED = "Not supported: only a value that asks for nothing is taken."


class ChatRequest(Strict):
    """A conversation that is to be continued."""

    model: str = Field(description="As `/v1/models` names it.")
    messages: list[Message] = Field(min_length=1, description="The last one is the user's.")
    stream: bool | None = Field(None, description="Whether the answer comes word by word.")
    stream_options: StreamOptions | None = None
    n: int | None = Field(None, ge=1, description="Answers that are wanted; 1 if not given.")
    stop: str | list[str] | None = Field(
        None, description="Up to 4 texts that end an answer, and do not belong to it."
    )
    max_tokens: int | None = Field(None, ge=1, description="The older name of the next field.")
    max_completion_tokens: int | None = Field(
        None, ge=1, description="Tokens of each answer at most."
    )
    temperature: float | None = Field(
        None, ge=0, le=2, description="0, the likeliest word each time, if not given."
    )
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = Field(
        None, ge=-SEEDS, le=SEEDS, description="The same seed gives the same answers."
    )
    logprobs: bool | None = Field(None, description="Whether tokens come with log-probabilities.")
    top_logprobs: int | None = Field(None, ge=0, le=20, description="Needs `logprobs`.")
    user: str | None = Field(None, description="Without effect.")
    safety_identifier: str | None = Field(None, description="Without effect.")
    prompt_cache_key: str | None = Field(
        None, description="Without effect: what is known of a prompt is found by its content."
    )
    audio: Any = Field(None, description=_UNSUPPORTED)
    frequency_penalty: Any = Field(None, description=_UNSUPPORTED)
    function_call: Any = Field(None, description=_UNSUPPORTED)
    functions: Any = Field(None, description=_UNSUPPORTED)
    logit_bias: Any = Field(None, description=_UNSUPPORTED)
    metadata: Any = Field(None, description=_UNSUPPORTED)
    modalities: Any = Field(None, description=_UNSUPPORTED)
    parallel_tool_calls: Any = Field(None, description=_UNSUPPORTED)
    prediction: Any = Field(None, description=_UNSUPPORTED)
    presence_penalty: Any = Field(None, description=_UNSUPPORTED)
    reasoning_effort: Any = Field(None, description=_UNSUPPORTED)
    response_format: Any = Field(None, description=_UNSUPPORTED)
    service_tier: Any = Field(None, description=_UNSUPPORTED)
    store: Any = Field(None, description=_UNSUPPORTED)
    tool_choice: Any = Field(None, description=_UNSUPPORTED)
    tools: Any = Field(None, description=_UNSUPPORTED)
    verbosity: Any = Field(None, description=_UNSUPPORTED)
    web_search_options: Any = Field(None, description=_UNSUPPORTED)

    def unsupported(self) -> str | None:
        """The first parameter that asks for something that there is not."""
        wanted = ((name, getattr(self, name)) for name in _NEUTRAL)
        return next((name for name, value in wanted if value not in _NEUTRAL[name]), None)

    @property
    def stops(self) -> tuple[str, ...]:
        """The texts that end an answer."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
