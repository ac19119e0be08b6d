"""Documents in; how they go on, and how likely given continuations are, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import StoppingCriteria

from flamingo.data.batching import Batch
from flamingo.data.processor import FlamingoProcessor
from flamingo.inference.answer import Answer, AnswerReader
from flamingo.inference.prompt_inputs import After, PromptInputs
from flamingo.inference.scoring import score_rows
from flamingo.inference.visual_memory import VisualMemory
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.prompting import Template, own_templates
from flamingo.sequence import Interleaved


class _Cut(StoppingCriteria):
    """Ends all answers at once."""

    def __init__(self, is_unwanted: Callable[[], bool]) -> None:
        self._is_unwanted = is_unwanted

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        return torch.full(
            (len(input_ids),), self._is_unwanted(), dtype=torch.bool, device=input_ids.device
        )


class Completer:
    """Continues documents with a Flamingo, and scores continuations.

    Args:
        model: the model, in evaluation mode.
        processor: its processor.

    Attributes:
        templates: by name, the model's own ones, and the paper's for all others.
    """

    def __init__(
        self, model: FlamingoForConditionalGeneration, processor: FlamingoProcessor
    ) -> None:
        self.model = model.eval()
        self.processor = processor
        self.inputs = PromptInputs(model, processor)
        self.encoder = self.inputs.encoder
        self.templates = own_templates(processor.templates)

    def complete(
        self,
        prompts: Sequence[Interleaved],
        *,
        num_beams: int = 3,
        max_new_tokens: int = 20,
        memory: VisualMemory | None = None,
        after: After = None,
        is_unwanted: Callable[[], bool] | None = None,
    ) -> list[Answer]:
        """Continues documents up to `<EOC>`, all as one batch.

        Beam search keeps the plain sum of log-likelihoods: no length penalty.

        Args:
            prompts: documents that end where the answer begins.
            num_beams: 1 is greedy.
            max_new_tokens: an answer that is longer is cut.
            memory: see `visual_memory`.
            after: supports that come before each prompt, which then is only what follows them; the
                same for all, or one or None for each.
            is_unwanted: asked at each token; once it says yes, the answers are cut.

        Raises:
            SequenceError: a prompt and its answer are longer than the language model can read.

        Paper: App. B.1.5 (beam search with a beam of 3, stopped at the first `<EOC>`).
        """
        answers: dict[int, Answer] = {}
        for reading in self.inputs.readings(prompts, memory, max_new_tokens, after):
            with torch.inference_mode():
                output = self.model.generate(
                    **reading.inputs,
                    **({} if reading.cache is None else {"past_key_values": reading.cache}),
                    num_beams=num_beams,
                    max_new_tokens=max_new_tokens,
                    do_sample=False,
                    eos_token_id=self.stops,
                    return_dict_in_generate=True,
                    **self._search(num_beams),
                    **({} if is_unwanted is None else {"stopping_criteria": [_Cut(is_unwanted)]}),
                )
            read_answers = AnswerReader(self.processor.tokenizer, self.stops)
            own = read_answers(output, reading.inputs["input_ids"].shape[1])
            answers.update(zip(reading.numbers, own, strict=True))
        return [answers[number] for number in range(len(prompts))]

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
        after: After = None,
    ) -> list[list[float]]:
        """What `score` says of each prompt and its candidates, all as one batch."""
        tokens = [[self._scored_tokens(text) for text in own] for own in candidates]
        longest = max((len(one) for own in tokens for one in own), default=0)
        scores: dict[int, list[float]] = {}
        for reading in self.inputs.readings(prompts, memory, longest, after):
            own = [tokens[number] for number in reading.numbers]
            found = score_rows(self.model, reading.inputs, own, reading.cache)
            scores.update(zip(reading.numbers, found, strict=True))
        return [scores[number] for number in range(len(prompts))]

    def choose(
        self, prompt: Interleaved, choices: Sequence[str], template: Template | None = None
    ) -> Answer:
        """The likeliest of `choices` after an open prompt, with the scores of all.

        Args:
            prompt: ends where the answer begins.
            choices: answers, without the space that `template` puts before them.
            template: how an answer continues the prompt; as a caption if not given.
        """
        return self.choose_all([prompt], [choices], template)[0]

    def choose_all(
        self,
        prompts: Sequence[Interleaved],
        choices: Sequence[Sequence[str]],
        template: Template | None = None,
        *,
        memory: VisualMemory | None = None,
        after: After = None,
    ) -> list[Answer]:
        """What `choose` says of each prompt and its choices, all as one batch."""
        written = template or self.templates["caption"]
        texts = [[written.continuation(choice) for choice in own] for own in choices]
        scores = self.score_all(prompts, texts, memory=memory, after=after)
        return [Answer.likeliest(own, row) for own, row in zip(choices, scores, strict=True)]

    def _scored_tokens(self, text: str) -> list[int]:
        """The tokens of a candidate whose likelihood is its score."""
        return [*self.encoder.continuation(text), self.encoder.prepared.ids.eoc]

    def _search(self, num_beams: int) -> dict[str, Any]:
        """Settings of `generate`; each kind of search keeps only what its scores are made of."""
        if num_beams > 1:
            return {"length_penalty": 0.0, "output_scores": True}
        return {"output_logits": True}

    @property
    def stops(self) -> list[int]:
        """Tokens that end an answer: a chunk's end may be ordinary text to the model itself."""
        known = self.model.generation_config.eos_token_id
        known = [] if known is None else [known] if isinstance(known, int) else list(known)
        eoc = self.encoder.prepared.ids.eoc
        return known if eoc in known else [*known, eoc]

    def encode(self, prompts: Sequence[Interleaved]) -> Batch:
        """Open prompts as one batch of tensors on the model's device, padded on the left.

        Raises:
            SequenceError: a prompt is longer than the language model can read.
        """
        return self.inputs.batch(prompts)
