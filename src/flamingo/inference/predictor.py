"""Text, images and videos in; answers and scores out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from flamingo.data.batching import Batch, collate
from flamingo.data.encoding import Encoded
from flamingo.data.processor import FlamingoProcessor
from flamingo.foundation.devices import pick_device
from flamingo.foundation.errors import CheckpointError
from flamingo.inference.context import check_length, most_tokens
from flamingo.inference.likelihoods import row_log_likelihoods
from flamingo.inference.model_names import find_model
from flamingo.inference.requests import Request, Support
from flamingo.inference.scoring import score_rows
from flamingo.inference.visual_memory import VisualMemory
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.prompting import CAPTION, Template
from flamingo.sequence import Interleaved


@dataclass(frozen=True)
class Answer:
    """What the model says.

    Attributes:
        text: the answer.
        score: its log-likelihood, summed over its tokens and the `<EOC>` that ends it.
        choices: for a close-ended question the score of every candidate, best first.
    """

    text: str
    score: float
    choices: tuple[tuple[str, float], ...] = ()

    def probabilities(self) -> dict[str, float]:
        """The candidates' shares of the likelihood of all of them."""
        best = max((score for _, score in self.choices), default=0.0)
        weights = {choice: math.exp(score - best) for choice, score in self.choices}
        return {choice: weight / sum(weights.values()) for choice, weight in weights.items()}


class Predictor:
    """Answers few-shot prompts with a Flamingo.

    Args:
        model: the model, in evaluation mode.
        processor: its processor.

    Example:
        >>> predictor = Predictor.from_pretrained("miniature")  # doctest: +SKIP
        >>> predictor.answer("new.png", supports=[("a.png", "a dax"), ("b.png", "a wug")]).text

    Paper: Sec. 2.5 and 3.1, App. B.1.
    """

    def __init__(
        self, model: FlamingoForConditionalGeneration, processor: FlamingoProcessor
    ) -> None:
        self.model = model.eval()
        self.processor = processor
        self.encoder = processor.encoder()
        self._most_tokens = most_tokens(model.language_model)

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path = "miniature",
        *,
        device: str | torch.device | None = None,
        dtype: torch.dtype | None = None,
        **kwargs: Any,
    ) -> Predictor:
        """Loads a bundled model, a folder, or a model of a hub.

        Args:
            name: "miniature", a folder that `save_pretrained` wrote, or owner/name.
            device: by default a GPU where there is one.
            dtype: by default bfloat16 on a GPU and float32 elsewhere.
            **kwargs: passed on to the model's `from_pretrained`.

        Raises:
            CheckpointError: there is no such model, or its files are not complete.
        """
        source = find_model(name)
        target = pick_device(str(device or "auto"))
        dtype = dtype or (torch.bfloat16 if target.type == "cuda" else torch.float32)
        try:
            model = FlamingoForConditionalGeneration.from_pretrained(source, dtype=dtype, **kwargs)
            processor = FlamingoProcessor.from_pretrained(source)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(
                f"The model {str(name)!r} cannot be loaded from {source}: {error}\n"
                "Check the name, and that the folder holds config.json, the weights and the "
                "processor's files; a name on a hub needs a network."
            ) from error
        return cls(model.to(target), processor)

    def answer(
        self,
        query: Any,
        *,
        supports: Sequence[Support] = (),
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
            supports: annotated examples: (visual, answer) or (visual, question, answer).
            question: what is asked of the query; without one, it is described.
            template: how examples are written, if not as the paper writes them.
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
        """Answers many requests, in order; open-ended ones in batches."""
        answers: dict[int, Answer] = {}
        for number, request in enumerate(requests):
            if request.choices:
                answers[number] = self.choose(request.prompt(), request.choices, request.template)
        numbers = [number for number, request in enumerate(requests) if not request.choices]
        for start in range(0, len(numbers), batch_size):
            part = numbers[start : start + batch_size]
            texts = self.complete(
                [requests[number].prompt() for number in part],
                num_beams=num_beams,
                max_new_tokens=max_new_tokens,
            )
            answers.update(zip(part, texts, strict=True))
        return [answers[number] for number in range(len(requests))]

    def complete(
        self,
        prompts: Sequence[Interleaved],
        *,
        num_beams: int = 3,
        max_new_tokens: int = 20,
        memory: VisualMemory | None = None,
    ) -> list[Answer]:
        """Continues documents up to `<EOC>`, all as one batch.

        Beam search keeps the plain sum of log-likelihoods: no length penalty.

        Args:
            prompts: documents that end where the answer begins.
            num_beams: 1 is greedy.
            max_new_tokens: an answer that is longer is cut.
            memory: see `visual_memory`.

        Raises:
            SequenceError: a prompt and its answer are longer than the language model can read.

        Paper: App. B.1.5 (beam search with a beam of 3, stopped at the first `<EOC>`).
        """
        inputs = self._inputs(prompts, memory, max_new_tokens)
        with torch.inference_mode():
            output = self.model.generate(
                **inputs,
                num_beams=num_beams,
                max_new_tokens=max_new_tokens,
                do_sample=False,
                return_dict_in_generate=True,
                # Each kind of search keeps only what its scores are made of.
                **(
                    {"length_penalty": 0.0, "output_scores": True}
                    if num_beams > 1
                    else {"output_logits": True}
                ),
            )
        width = inputs["input_ids"].shape[1]
        texts = (self._text(row) for row in output.sequences[:, width:])
        return [Answer(*pair) for pair in zip(texts, self._scores(output, width), strict=True)]

    def score(self, prompt: Interleaved, candidates: Sequence[str]) -> list[float]:
        """Log-likelihood of each candidate text, closed by `<EOC>`, after the prompt.

        A candidate that is to start a new word must bring its leading space.
        """
        return self.score_all([prompt], [candidates])[0]

    def score_all(
        self,
        prompts: Sequence[Interleaved],
        candidates: Sequence[Sequence[str]],
        *,
        memory: VisualMemory | None = None,
    ) -> list[list[float]]:
        """What `score` says of each prompt and its candidates, all as one batch."""
        end = self.encoder.prepared.ids.eoc
        tokens = [[[*self.encoder.continuation(text), end] for text in own] for own in candidates]
        longest = max((len(one) for own in tokens for one in own), default=0)
        return score_rows(self.model, self._inputs(prompts, memory, longest), tokens)

    def choose(
        self, prompt: Interleaved, choices: Sequence[str], template: Template = CAPTION
    ) -> Answer:
        """The likeliest of `choices` after an open prompt, with the scores of all.

        Args:
            prompt: ends where the answer begins.
            choices: answers, without the space that `template` puts before them.
            template: how an answer continues the prompt.
        """
        return self.choose_all([prompt], [choices], template)[0]

    def choose_all(
        self,
        prompts: Sequence[Interleaved],
        choices: Sequence[Sequence[str]],
        template: Template = CAPTION,
        *,
        memory: VisualMemory | None = None,
    ) -> list[Answer]:
        """What `choose` says of each prompt and its choices, all as one batch."""
        texts = [[template.continuation(choice) for choice in own] for own in choices]
        answers = []
        for own, scores in zip(choices, self.score_all(prompts, texts, memory=memory), strict=True):
            ranked = sorted(zip(own, scores, strict=True), key=lambda pair: -pair[1])
            answers.append(Answer(*ranked[0], choices=tuple(ranked)))
        return answers

    def visual_memory(self, known: VisualMemory | None = None) -> VisualMemory:
        """A memory: prompts that share visuals, and share it, see each of them once.

        Args:
            known: what it remembers from the start; empty if not given.
        """
        return VisualMemory(self.model, self.processor.image_processor.transform, known=known)

    def encode(self, prompts: Sequence[Interleaved]) -> Batch:
        """Open prompts as one batch of tensors on the model's device, padded on the left.

        Raises:
            SequenceError: a prompt is longer than the language model can read.
        """
        return self._collated(self._encoded(prompts))

    def _inputs(
        self, prompts: Sequence[Interleaved], memory: VisualMemory | None, longest_answer: int
    ) -> dict[str, Tensor]:
        """The model's inputs; where there is a memory, its visual tokens in place of pixels."""
        encoded = self._encoded(prompts, longest_answer)
        if memory is None:
            return self._collated(encoded).model_inputs()
        inputs = self._collated([replace(one, visuals=()) for one in encoded]).model_inputs()
        tokens = memory.rows([prompt.visuals for prompt in prompts])
        return inputs if tokens is None else {**inputs, "visual_tokens": tokens}

    def _encoded(self, prompts: Sequence[Interleaved], longest_answer: int = 0) -> list[Encoded]:
        encoded = [self.encoder(prompt, is_complete=False) for prompt in prompts]
        check_length(self._most_tokens, max(map(len, encoded), default=0), longest_answer)
        return encoded

    def _collated(self, encoded: Sequence[Encoded]) -> Batch:
        transform, pad = self.processor.image_processor.transform, self.encoder.prepared.ids.pad
        return collate(encoded, transform, pad, padding_side="left").to(self.model.device)

    def _text(self, tokens: Tensor) -> str:
        """An answer's text, up to the token that ends it."""
        kept = tokens[self._counts(tokens)]
        text: str = self.processor.tokenizer.decode(kept, skip_special_tokens=True)
        return text.strip()

    def _scores(self, output: Any, width: int) -> list[float]:
        """The log-likelihood of each row's answer."""
        if getattr(output, "sequences_scores", None) is not None:
            return list(output.sequences_scores.tolist())
        tokens = output.sequences[:, width:]
        logits = torch.stack(output.logits, dim=1)
        return row_log_likelihoods(logits, tokens, self._counts(tokens).long())

    def _counts(self, tokens: Tensor) -> Tensor:
        """Marks the tokens of each answer up to and with the first that ends it."""
        stops = torch.tensor(self.model.generation_config.eos_token_id, device=self.model.device)
        is_end = torch.isin(tokens, stops).long()
        return is_end.cumsum(-1) - is_end == 0
