"""Several answers that are written side by side, one token of each at a time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from flamingo.inference.completer import Completer
from flamingo.inference.prompt_inputs import Reading
from flamingo.model.growing_cache import GrowingCache
from flamingo.serving.accepted import Accepted
from flamingo.serving.answer_text import AnswerText
from flamingo.serving.events import Failed, FinishReason, Token, Wrote
from flamingo.serving.jobs import Write
from flamingo.serving.sampling import Sampler

_log = logging.getLogger("flamingo.serving")

_SHRINK_BELOW = 0.75
"""When fewer of the rows are still written, the others are taken out of the cache."""
_WINDOW = 4
"""Tokens before one that may change how it is written."""


@dataclass(eq=False)
class _Row:
    """One answer."""

    accepted: Accepted
    job: Write
    number: int
    sampler: Sampler
    text: AnswerText
    ids: list[int] = field(default_factory=list)
    score: float = 0.0
    is_over: bool = False


class Writing:
    """Answers that were begun together. The prompts are read, and the first token comes, at once.

    Args:
        completer: the model.
        reading: the prompts as the model's inputs.
        accepted: the jobs, all of them `Write`, in the order of the reading's rows.
    """

    def __init__(
        self, completer: Completer, reading: Reading, accepted: Sequence[Accepted]
    ) -> None:
        self._model = completer.model
        self._tokenizer: PreTrainedTokenizerBase = completer.processor.tokenizer
        self._stops = frozenset(completer.stops)
        self._pad = completer.encoder.prepared.ids.pad
        config = self._model.config.get_text_config(decoder=True)
        self._cache = reading.cache if reading.cache is not None else GrowingCache(config)
        self._rows = [
            self._row(one, number) for one in accepted for number in range(_write(one).num_answers)
        ]
        with torch.inference_mode():
            inputs = reading.inputs
            logits = self._read(**inputs)
            index = inputs.get("visual_index")
            self._mask = inputs["attention_mask"]
            self._seen = None if index is None else index[:, -1:]
            counts = torch.tensor([_write(one).num_answers for one in accepted])
            if bool((counts > 1).any()):
                self._choose(torch.arange(len(counts)).repeat_interleave(counts))
                logits = logits.repeat_interleave(counts.to(logits.device), dim=0)
            self._take(logits)

    @property
    def num_rows(self) -> int:
        """Answers that are still written."""
        return sum(not row.is_over for row in self._rows)

    def accepted(self) -> list[Accepted]:
        """The jobs that still have an answer to write."""
        return list(dict.fromkeys(row.accepted for row in self._rows if not row.is_over))

    def step(self) -> None:
        """One more token of each answer that is still written."""
        for row in self._rows:
            if row.accepted.is_unwanted:
                row.is_over = True
        with torch.inference_mode():
            left = [place for place, row in enumerate(self._rows) if not row.is_over]
            if not left:
                return
            if len(left) < _SHRINK_BELOW * len(self._rows):
                self._choose(torch.tensor(left))
                self._rows = [self._rows[place] for place in left]
            ids = [[self._pad if row.is_over else row.ids[-1]] for row in self._rows]
            more = self._mask.new_ones(len(ids), 1)
            self._mask = torch.cat([self._mask, more], dim=1)
            inputs = {
                "input_ids": torch.tensor(ids, device=self._mask.device),
                "attention_mask": self._mask,
            }
            if self._seen is not None:
                inputs["visual_index"] = self._seen
            self._take(self._read(**inputs))

    def _row(self, accepted: Accepted, number: int) -> _Row:
        job = _write(accepted)
        sampler = Sampler(job.temperature, job.top_p, job.seed, number)
        return _Row(accepted, job, number, sampler, AnswerText(self._decoded, job.stop))

    def _read(self, **inputs: Tensor) -> Float[Tensor, "rows vocabulary"]:
        """The logits of what comes next in each row."""
        output = self._model(
            **inputs, past_key_values=self._cache, use_cache=True, logits_to_keep=1
        )
        logits: Tensor = output.logits[:, -1]
        return logits

    def _choose(self, places: Tensor) -> None:
        """Row i becomes what row `places[i]` was."""
        places = places.to(self._mask.device)
        # Unlike repeating and selecting, every kind of layer can reorder.
        for layer in self._cache.layers:
            layer.reorder_cache(places)
        self._mask = self._mask[places]
        self._seen = None if self._seen is None else self._seen[places]

    def _take(self, logits: Float[Tensor, "rows vocabulary"]) -> None:
        """Takes a token for each row, and says so to who waits for it."""
        known = logits.log_softmax(-1, dtype=torch.float32)
        likeliest = known.argmax(-1).tolist()
        for place, row in enumerate(self._rows):
            if row.is_over:
                continue
            try:
                is_greedy = row.job.temperature == 0
                token = likeliest[place] if is_greedy else row.sampler(known[place].cpu())
                self._write(row, token, known[place])
            except Exception as error:
                # One row's numbers, or text, are no fault of the others.
                _log.error("An answer failed.", exc_info=error)
                row.accepted.say(Failed(error))
            if row.accepted.is_over:
                row.is_over = True

    def _write(self, row: _Row, token: int, known: Float[Tensor, " vocabulary"]) -> None:
        log_probability = float(known[token])
        row.score += log_probability
        row.accepted.new_tokens += 1
        if token in self._stops:
            self._say(row, row.text.close(), (), "stop")
            return
        told = Token(self._alone(row.ids, token), log_probability, self._alternatives(row, known))
        row.ids.append(token)
        piece = row.text.add(token)
        if row.text.is_stopped:
            self._say(row, piece, (told,), "stop")
        elif len(row.ids) >= row.job.max_new_tokens:
            self._say(row, piece + row.text.close(), (told,), "length")
        else:
            self._say(row, piece, (told,), None)

    def _say(
        self, row: _Row, piece: str, tokens: tuple[Token, ...], finish: FinishReason | None
    ) -> None:
        row.is_over = finish is not None
        row.accepted.say(Wrote(row.number, piece, tokens, finish, row.score))
        if row.is_over and all(r.is_over for r in self._rows if r.accepted is row.accepted):
            row.accepted.finish()

    def _alternatives(
        self, row: _Row, known: Float[Tensor, " vocabulary"]
    ) -> tuple[tuple[str, float], ...]:
        if not row.job.num_alternatives:
            return ()
        best = known.topk(min(row.job.num_alternatives, len(known)))
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return tuple((self._alone(row.ids, token), score) for token, score in pairs)

    def _alone(self, before: Sequence[int], token: int) -> str:
        """A token's own text, with the space that it brings."""
        window = list(before[-_WINDOW:])
        begin: str = self._tokenizer.decode(window)
        whole: str = self._tokenizer.decode([*window, token])
        return whole[len(begin) :] if whole.startswith(begin) else self._tokenizer.decode([token])

    def _decoded(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=True)
        return text


def _write(accepted: Accepted) -> Write:
    assert isinstance(accepted.job, Write)
    return accepted.job
