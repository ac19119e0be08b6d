"""From prompts to what the model reads, batch by batch; what is known already is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from flamingo.data.batching import Batch, collate, stack_visuals
from flamingo.data.encoding import Encoded
from flamingo.data.processor import FlamingoProcessor
from flamingo.inference.context import check_length, most_tokens
from flamingo.inference.mixed_supports import Behind, continued_together, mixed_batches
from flamingo.inference.room import READ_AT_ONCE
from flamingo.inference.support_cache import SupportCache
from flamingo.inference.visual_memory import VisualMemory
from flamingo.model.cache_rows import can_be_parted
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.growing_cache import GrowingCache
from flamingo.model.weights_identity import weights_stamp
from flamingo.prompting import Template
from flamingo.sequence import Interleaved

After = SupportCache | None | Sequence[SupportCache | None]
"""Supports that were read before some prompts: the same for all, or one or None for each."""


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
        self._can_be_parted = can_be_parted(model)
        self._held_stamp: int | None = None

    def hold_weights(self) -> None:
        """Notes that the weights stay as they are, so that they are not looked at each time."""
        self._held_stamp = weights_stamp(self.model)

    def batch(self, prompts: Sequence[Interleaved]) -> Batch:
        """Open prompts as one batch of tensors on the model's device, padded on the left.

        Raises:
            SequenceError: a prompt is longer than the language model can read.
        """
        return self._collated([row.query for row in self._behind(prompts, 0)])

    def readings(
        self,
        prompts: Sequence[Interleaved],
        memory: VisualMemory | None,
        longest_answer: int,
        after: After,
    ) -> Iterator[Reading]:
        """The prompts as one batch; with `after` as several, if their lengths are far apart.

        Args:
            prompts: open documents; behind supports, what follows these.
            memory: gives visual tokens in place of pixels.
            longest_answer: tokens that will follow.
            after: supports that were read before: the same for all, or one or None for each.

        Raises:
            SequenceError: a prompt and its answer are longer than the language model can read.
        """
        rows = self._behind(prompts, longest_answer, after)
        if after is None:
            inputs = self._inputs(prompts, [row.query for row in rows], memory)
            yield Reading(range(len(prompts)), inputs)
            return
        stamp = self._stamp()
        for supports in {id(row.supports): row.supports for row in rows}.values():
            if supports is not None:
                supports.check(self.model, stamp)
        for numbers in mixed_batches(self.model, rows, len(prompts)):
            own = [rows[number] for number in numbers]
            shown = [prompts[number] for number in numbers]
            if all(row.supports is None for row in own):
                yield Reading(numbers, self._inputs(shown, [row.query for row in own], memory))
                continue
            continued = continued_together(self.model, own, longest_answer)
            visual = self._visual_inputs(shown, memory)
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
        return self.supports_all([prompt], template, memory)[0]

    def supports_all(
        self, prompts: Sequence[Interleaved], template: Template, memory: VisualMemory | None
    ) -> list[SupportCache]:
        """Reads support sets, those of about one length as one batch.

        Args:
            prompts: the supports of each set, each closed.
            template: how all of them are written.
            memory: gives visual tokens in place of pixels.

        Raises:
            SequenceError: one is longer than the language model can read.
        """
        encoded = [row.query for row in self._behind(prompts, 0)]
        stamp = self._stamp()
        found: dict[int, SupportCache] = {}
        for numbers in self._of_one_length([len(one) for one in encoded]):
            shown = [prompts[number] for number in numbers]
            inputs = self._inputs(shown, [encoded[number] for number in numbers], memory)
            counts = [len(prompt.visuals) for prompt in shown]
            read = SupportCache.read_all(self.model, inputs, counts, template, stamp)
            found.update(zip(numbers, read, strict=True))
        return [found[number] for number in range(len(prompts))]

    def _of_one_length(self, lengths: Sequence[int]) -> list[list[int]]:
        """Which sequences are read together: those at least two thirds as long as the longest."""
        batches: list[list[int]] = []
        for number in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
            longest = lengths[batches[-1][0]] if batches else 0
            fits = self._can_be_parted and 3 * lengths[number] >= 2 * longest
            if batches and fits and (len(batches[-1]) + 1) * longest <= READ_AT_ONCE:
                batches[-1].append(number)
            else:
                batches.append([number])
        return batches

    def _stamp(self) -> int:
        return weights_stamp(self.model) if self._held_stamp is None else self._held_stamp

    def extended(
        self, supports: SupportCache, more: Interleaved, memory: VisualMemory | None
    ) -> SupportCache:
        """Reads further supports behind those that were read; these stay as they are.

        Args:
            supports: that were read with this model.
            more: what follows them, each closed.
            memory: gives visual tokens in place of pixels.

        Raises:
            SequenceError: together they are longer than the language model can read.
        """
        query = self._behind([more], 0, supports)[0].query
        continued = supports.continued([query], 0)
        inputs = {**continued.inputs, **self._visual_inputs([more], memory)}
        return supports.extended(self.model, inputs, continued.cache, query, len(more.visuals))

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

    def _behind(
        self, prompts: Sequence[Interleaved], longest_answer: int, after: After = None
    ) -> list[Behind]:
        """The prompts as token ids, each with the supports that it goes on from."""
        before = [after] * len(prompts) if isinstance(after, SupportCache | None) else after
        rows = [
            Behind(self.encoder(prompt, is_complete=False, is_beginning=supports is None), supports)
            for prompt, supports in zip(prompts, before, strict=True)
        ]
        longest = max((row.num_before + len(row.query) for row in rows), default=0)
        check_length(self._most_tokens, longest, longest_answer)
        return rows

    def _collated(self, encoded: Sequence[Encoded]) -> Batch:
        transform, pad = self.processor.image_processor.transform, self.encoder.prepared.ids.pad
        return collate(encoded, transform, pad, padding_side="left").to(self.model.device)
