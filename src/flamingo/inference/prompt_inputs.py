"""From prompts to what the model reads, batch by batch; what is known already is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from flamingo.data.batching import Batch, collate, stack_visuals
from flamingo.data.encoding import Encoded
from flamingo.data.processor import FlamingoProcessor
from flamingo.inference.context import check_length, most_tokens
from flamingo.inference.support_cache import SupportCache
from flamingo.inference.visual_memory import VisualMemory
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.growing_cache import GrowingCache
from flamingo.prompting import Template
from flamingo.sequence import Interleaved


@dataclass(frozen=True)
class Reading:
    """Prompts that are read together.

    Attributes:
        numbers: of the prompts, row by row.
        inputs: of the model, padded on the left.
        cache: has read the supports before them, if they go on from some; it is used up.
    """

    numbers: Sequence[int]
    inputs: dict[str, Tensor]
    cache: GrowingCache | None = None


class PromptInputs:
    """Makes a model's inputs of prompts.

    Args:
        model: a Flamingo.
        processor: its processor.
    """

    def __init__(
        self, model: FlamingoForConditionalGeneration, processor: FlamingoProcessor
    ) -> None:
        self.model, self.processor = model, processor
        self.encoder = processor.encoder()
        self._most_tokens = most_tokens(model.language_model)

    def batch(self, prompts: Sequence[Interleaved]) -> Batch:
        """Open prompts as one batch of tensors on the model's device, padded on the left.

        Raises:
            SequenceError: a prompt is longer than the language model can read.
        """
        return self._collated(self._encoded(prompts, 0, None))

    def readings(
        self,
        prompts: Sequence[Interleaved],
        memory: VisualMemory | None,
        longest_answer: int,
        after: SupportCache | None,
    ) -> Iterator[Reading]:
        """The prompts as one batch; behind supports as several, if their lengths are far apart.

        Args:
            prompts: open documents; behind supports, what follows these.
            memory: gives visual tokens in place of pixels.
            longest_answer: tokens that will follow.
            after: supports that were read before.

        Raises:
            SequenceError: a prompt and its answer are longer than the language model can read.
        """
        encoded = self._encoded(prompts, longest_answer, after)
        if after is None:
            inputs = self._inputs(prompts, encoded, memory)
            yield Reading(range(len(prompts)), inputs)
            return
        after.check(self.model)
        for numbers in after.batches(encoded, len(prompts)):
            own = [encoded[number] for number in numbers]
            continued = after.continued(own, longest_answer)
            visual = self._visual_inputs([prompts[number] for number in numbers], memory)
            yield Reading(numbers, {**continued.inputs, **visual}, continued.cache)

    def supports(
        self, prompt: Interleaved, template: Template, memory: VisualMemory | None
    ) -> SupportCache:
        """Reads a support set, for queries that go on from it.

        Args:
            prompt: the supports, each closed.
            template: how they are written.
            memory: gives visual tokens in place of pixels.
        """
        inputs = self._inputs([prompt], self._encoded([prompt], 0, None), memory)
        return SupportCache.read(self.model, inputs, len(prompt.visuals), template)

    def _inputs(
        self,
        prompts: Sequence[Interleaved],
        encoded: Sequence[Encoded],
        memory: VisualMemory | None,
    ) -> dict[str, Tensor]:
        text = self._collated([replace(one, visuals=()) for one in encoded]).model_inputs()
        return {**text, **self._visual_inputs(prompts, memory)}

    def _visual_inputs(
        self, prompts: Sequence[Interleaved], memory: VisualMemory | None
    ) -> dict[str, Tensor]:
        """The pixels of the prompts' visuals, or the visual tokens that a memory has of them."""
        rows = [prompt.visuals for prompt in prompts]
        if memory is not None:
            tokens = memory.rows(rows)
            return {} if tokens is None else {"visual_tokens": tokens}
        pixels, mask = stack_visuals(rows, self.processor.image_processor.transform)
        if pixels is None or mask is None:
            return {}
        device = self.model.device
        return {"pixel_values": pixels.to(device), "frame_mask": mask.to(device)}

    def _encoded(
        self, prompts: Sequence[Interleaved], longest_answer: int, after: SupportCache | None
    ) -> list[Encoded]:
        encoded = [
            self.encoder(prompt, is_complete=False, is_beginning=after is None)
            for prompt in prompts
        ]
        before = 0 if after is None else len(after)
        longest = before + max(map(len, encoded), default=0)
        check_length(self._most_tokens, longest, longest_answer)
        return encoded

    def _collated(self, encoded: Sequence[Encoded]) -> Batch:
        transform, pad = self.processor.image_processor.transform, self.encoder.prepared.ids.pad
        return collate(encoded, transform, pad, padding_side="left").to(self.model.device)
