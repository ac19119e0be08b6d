"""From the messages of a chat to a prompt, written by the model's own chat template."""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jinja2

from flamingo.data.processor import FlamingoProcessor
from flamingo.data.tagged_text import open_document
from flamingo.foundation.errors import SequenceError
from flamingo.sequence import END_OF_CHUNK, Interleaved, Visual
from flamingo.serving.jobs import Prompt


@dataclass(frozen=True)
class Turn:
    """One message.

    Attributes:
        role: system, user or assistant.
        parts: text and visuals, in order.
    """

    role: str
    parts: tuple[str | Visual, ...]

    def written(self) -> dict[str, Any]:
        """As chat templates take it."""
        return {"role": self.role, "content": [_written(part) for part in self.parts]}


class Conversations:
    """Writes conversations as prompts. For several threads.

    Args:
        processor: of the model; it is copied.
    """

    def __init__(self, processor: FlamingoProcessor) -> None:
        # Tokenizers are for one thread at a time, and the engine has its own.
        self._processor = copy.deepcopy(processor)
        self._markup = self._processor.encoder().prepared.markup
        self._lock = threading.Lock()

    def prompt(self, turns: Sequence[Turn]) -> Prompt:
        """The prompt of a conversation whose last turn is the user's.

        `before` ends with the last chunk that is closed in the turns before the last one, so
        that conversations with the same history have it in common.

        Raises:
            SequenceError: a text contains a tag, or the template cannot write the turns.
        """
        visuals = [p for turn in turns for p in turn.parts if isinstance(p, Visual)]
        text = self._rendered(turns)
        before = self._closed(text, turns[:-1])
        num_before = before.count(self._markup.image)
        return Prompt(
            self._document(before, visuals[:num_before]),
            open_document(text[len(before) :], visuals[num_before:], self._markup),
        )

    def _closed(self, text: str, history: Sequence[Turn]) -> str:
        """How the conversation begins, up to the end of the history's last closed chunk."""
        if not history:
            return ""
        rendered = self._rendered(history)
        before = self._up_to_end(text, rendered.count(self._markup.eoc))
        # A template may write the history in another way once more follows.
        return before if rendered.startswith(before) else ""

    def _up_to_end(self, text: str, number: int) -> str:
        """The text up to and with so many ends of chunks."""
        eoc, position = self._markup.eoc, 0
        for _ in range(number):
            found = text.find(eoc, position)
            if found < 0:
                return ""
            position = found + len(eoc)
        if position and text.startswith(self._markup.after_eoc, position):
            position += len(self._markup.after_eoc)
        return text[:position]

    def _document(self, text: str, visuals: Sequence[Visual]) -> Interleaved:
        """The document of closed chunks."""
        if not text or not self._markup.is_eoc_text:
            return open_document(text, visuals, self._markup)
        # Where the end of a chunk is ordinary text, the last one is told apart here.
        text = text.removesuffix(self._markup.after_eoc).removesuffix(self._markup.eoc)
        return open_document(text, visuals, self._markup) + END_OF_CHUNK

    def _rendered(self, turns: Sequence[Turn]) -> str:
        """The conversation as one text, open for the answer, without its `<BOS>`."""
        messages = [turn.written() for turn in turns]
        try:
            with self._lock:
                text: str = self._processor.apply_chat_template(
                    messages, tokenize=False, add_generation_prompt=True
                )
        except jinja2.TemplateError as error:
            raise SequenceError(
                f"the model's chat template cannot write this conversation: {error}."
            ) from error
        text = text.replace(self._processor.video_tag, self._markup.image)
        return text.removeprefix(self._markup.bos)


def _written(part: str | Visual) -> dict[str, str]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {"type": "video" if part.is_video else "image"}
