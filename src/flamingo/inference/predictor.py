"""Text, images and videos in; answers and scores out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json import JSONDecodeError
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from flamingo.data.processor import FlamingoProcessor
from flamingo.foundation.devices import dtype_for, pick_device
from flamingo.foundation.errors import CheckpointError, SequenceError
from flamingo.inference.answer import Answer
from flamingo.inference.completer import Completer
from flamingo.inference.model_names import find_model
from flamingo.inference.processors import processor_for
from flamingo.inference.remembered import Budgets, Remembered
from flamingo.inference.requests import Request, Support, examples_of
from flamingo.inference.support_cache import SupportCache
from flamingo.inference.support_files import load_supports, save_supports
from flamingo.inference.visual_memory import VisualMemory
from flamingo.model.checkpoints.placing import is_placed
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.quantization import quantize_language_model
from flamingo.prompting import Template, support_prompt

__all__ = ["Answer", "Predictor"]


class Predictor(Completer):
    """Answers few-shot prompts with a Flamingo.

    What was seen or read for one request is not seen or read again for the next: visual tokens,
    and the keys and values of support sets, are remembered up to a budget each. They are forgotten
    when the model's weights change, as far as `weights_stamp` sees it. For one thread at a time.

    Args:
        model: the model, in evaluation mode.
        processor: its processor.
        budgets: how much is remembered.

    Example:
        >>> predictor = Predictor.from_pretrained("miniature")  # doctest: +SKIP
        >>> shots = predictor.read([("a.png", "a dax"), ("b.png", "a wug")])
        >>> predictor.answer("new.png", supports=shots).text

    Paper: Sec. 2.5 and 3.1, App. B.1.
    """

    def __init__(
        self,
        model: FlamingoForConditionalGeneration,
        processor: FlamingoProcessor,
        budgets: Budgets | None = None,
    ) -> None:
        super().__init__(model, processor)
        self._budgets = budgets or Budgets()
        self._remembered: Remembered | None = None

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path = "miniature",
        *,
        device: str | torch.device | None = None,
        dtype: torch.dtype | str = "fast",
        int8: bool = False,
        budgets: Budgets | None = None,
        tokenizer: str | Path | None = None,
        **kwargs: Any,
    ) -> Predictor:
        """Loads a bundled model, a folder, or a model of a hub.

        Args:
            name: "miniature", a folder that `save_pretrained` wrote, or owner/name; also of what
                OpenFlamingo and IDEFICS released.
            device: by default a GPU where there is one.
            dtype: of the weights; by default what is fast on the device, see `dtype_for`.
            int8: keeps the frozen language model's weights as 8-bit integers, see
                `quantize_language_model`.
            budgets: how much is remembered from one request to the next.
            tokenizer: of an OpenFlamingo; by default its language model's.
            **kwargs: passed on to the model's `from_pretrained`: `language_model`,
                `vision_encoder`, `device_map`, `quantization_config` and so on.

        Raises:
            CheckpointError: there is no such model, or its files are not complete.
            LanguageModelError: its language model cannot be kept in integers.
        """
        source = find_model(name)
        target = pick_device(str(device or "auto"))
        if isinstance(dtype, str):
            dtype = dtype_for(dtype, target)
        try:
            model = FlamingoForConditionalGeneration.from_pretrained(source, dtype=dtype, **kwargs)
            processor = processor_for(source, model.config, tokenizer)
        except (OSError, JSONDecodeError, SafetensorError) as error:
            raise CheckpointError(
                f"The model {str(name)!r} cannot be loaded from {source}: {error}\n"
                "Check the name, and that the folder holds config.json, the weights and the "
                "processor's files; a name on a hub needs a network."
            ) from error
        # One that was placed, or quantized, stays where that put it.
        model = model.eval() if is_placed(model) else model.to(target).eval()
        if int8:
            # Nothing of it is trained here, whatever it was trained with.
            model.language_model.requires_grad_(False)
            quantize_language_model(model)
        return cls(model, processor, budgets)

    def read(
        self,
        supports: Sequence[Support] = (),
        *,
        question: str | None = None,
        template: Template | None = None,
        text_examples: Sequence[Mapping[str, str]] = (),
    ) -> SupportCache:
        """Reads a support set, once for all queries that are asked with it.

        Args:
            supports: annotated examples, see `answer`.
            question: of all supports that have none of their own.
            template: how examples are written, if not as the model's processor says; that is as
                the paper writes them, if it says nothing.
            text_examples: examples as text alone, instead of supports.

        Raises:
            SequenceError: there is no support, or they are longer than the model can read.
            MediaError: a visual cannot be read.
        """
        examples, written = examples_of(
            supports,
            question=question,
            template=template,
            text_examples=text_examples,
            asks_by_fields=True,
            load=self.processor.image_processor.load,
            templates=self.templates,
        )
        if not examples:
            raise SequenceError("There is no support to read. Give supports or text_examples.")
        prompt = support_prompt(examples, written)
        return self.inputs.supports(prompt, written, self.remembered().memory)

    def save_supports(self, supports: SupportCache, path: str | Path) -> None:
        """Writes what `read` made, for `load_supports` of a predictor with the same weights.

        Raises:
            DataError: the file cannot be written.
        """
        save_supports(supports, Path(path), self.model)

    def load_supports(self, path: str | Path) -> SupportCache:
        """A support set that was read by another predictor with the same weights.

        Raises:
            DataError: the file is missing or damaged, or another model has written it.
        """
        return load_supports(Path(path), self.model)

    def answer(
        self,
        query: Any,
        *,
        supports: Sequence[Support] | SupportCache = (),
        question: str | None = None,
        template: Template | None = None,
        choices: Sequence[str] = (),
        text_examples: Sequence[Mapping[str, str]] = (),
        num_beams: int = 3,
        max_new_tokens: int = 20,
    ) -> Answer:
        """Answers one query.

        Args:
            query: an image or a video (a file, a picture, an array), or an `Example`.
            supports: annotated examples: (visual, answer) or (visual, question, answer); or what
                `read` made of them.
            question: what is asked of the query; without one, it is described.
            template: how examples are written, if not as the model's processor says; that is as
                the paper writes them, if it says nothing.
            choices: candidate answers; the likeliest is taken. Without them the answer is open.
            text_examples: two examples as text alone, for the paper's zero-shot prompt.
            num_beams: width of the beam search; 1 for greedy.
            max_new_tokens: length of an open answer at most.

        Raises:
            SequenceError: the parts of the request do not fit together, or are longer than the
                language model can read.
            MediaError: a visual cannot be read.
        """
        request = Request.of(
            query,
            supports=supports,
            question=question,
            template=template,
            choices=choices,
            text_examples=text_examples,
            load=self.processor.image_processor.load,
            templates=self.templates,
        )
        return self.answer_all([request], num_beams=num_beams, max_new_tokens=max_new_tokens)[0]

    def answer_all(
        self,
        requests: Sequence[Request],
        *,
        batch_size: int = 8,
        num_beams: int = 3,
        max_new_tokens: int = 20,
    ) -> list[Answer]:
        """Answers many requests, in order. Supports that several of them share are read once.

        Args:
            requests: what is asked.
            batch_size: requests that are read together.
            num_beams: width of the beam search for open answers; 1 for greedy.
            max_new_tokens: length of an open answer at most.

        Raises:
            SequenceError: a number is impossible, or a prompt is longer than the language model
                can read.
        """
        if batch_size < 1 or num_beams < 1:
            raise SequenceError(
                f"batch_size is {batch_size} and num_beams is {num_beams}; both must be at least 1."
            )
        remembered = self.remembered()
        answers: dict[int, Answer] = {}
        for group in remembered.supports.groups(requests):
            for start in range(0, len(group.numbers), batch_size):
                numbers = group.numbers[start : start + batch_size]
                own = [requests[number] for number in numbers]
                is_read = group.after is not None
                prompts = [one.query_prompt() if is_read else one.prompt() for one in own]
                if own[0].choices:
                    texts = [[one.template.continuation(c) for c in one.choices] for one in own]
                    scores = self.score_all(
                        prompts, texts, memory=remembered.memory, after=group.after
                    )
                    found = [
                        Answer.likeliest(one.choices, row)
                        for one, row in zip(own, scores, strict=True)
                    ]
                else:
                    found = self.complete(
                        prompts,
                        num_beams=num_beams,
                        max_new_tokens=max_new_tokens,
                        memory=remembered.memory,
                        after=group.after,
                    )
                answers.update(zip(numbers, found, strict=True))
        return [answers[number] for number in range(len(requests))]

    def visual_memory(
        self, known: VisualMemory | None = None, *, most_bytes: int | None = None
    ) -> VisualMemory:
        """A memory: prompts that share visuals, and share it, see each of them once.

        Args:
            known: what it remembers from the start; empty if not given.
            most_bytes: of the visual tokens in it, see `VisualMemory`.
        """
        return self.remembered().visual_memory(known, most_bytes)

    def forget(self) -> None:
        """Forgets what earlier requests showed; needed after what `weights_stamp` does not see."""
        self._remembered = None

    def remembered(self) -> Remembered:
        """What is known from earlier requests; nothing of it, once a weight has changed."""
        if self._remembered is None or not self._remembered.is_of_now():
            self._remembered = Remembered(self.inputs, self._budgets)
        return self._remembered
