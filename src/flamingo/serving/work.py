"""What the model does for jobs: reads their prompts together, and writes, searches or chooses."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from flamingo.foundation.errors import DataError, FlamingoError
from flamingo.inference.answer import Answer
from flamingo.inference.predictor import Predictor
from flamingo.inference.support_cache import SupportCache
from flamingo.serving.accepted import Accepted
from flamingo.serving.errors import TooLarge
from flamingo.serving.events import Answered
from flamingo.serving.explaining import Explaining
from flamingo.serving.jobs import Choose, Explain, Job, Search, Write
from flamingo.serving.limits import Limits
from flamingo.serving.prefixes import Prefixes
from flamingo.serving.running import Running
from flamingo.serving.writing import Writing

_CHARACTERS_PER_TOKEN = 16
"""More than tokens have on average in any text: longer ones are refused before they are counted."""

_log = logging.getLogger("flamingo.serving")


class Work:
    """Works on jobs, for one thread.

    Args:
        predictor: the model.
        limits: how much is read and written together.

    Attributes:
        prefixes: what prompts began with.
        memory: of visuals.
        num_steps: passes that wrote a token of each answer of a set.
        num_written: answers' tokens in all of them.
    """

    def __init__(self, predictor: Predictor, limits: Limits) -> None:
        self.predictor, self.limits = predictor, limits
        predictor.inputs.hold_weights()
        self.memory = predictor.visual_memory(most_bytes=limits.visual_token_bytes)
        self.prefixes = Prefixes(predictor.inputs, self.memory, limits.prefix_bytes)
        self.num_steps = self.num_written = 0

    def num_rows(self, job: Job) -> int:
        """Rows of a batch that a job takes."""
        if isinstance(job, Write):
            return job.num_answers
        return job.num_beams if isinstance(job, Search) else 1

    def is_our_fault(self, error: Exception) -> bool:
        """Whether the server is to blame, and not who asked."""
        return isinstance(error, DataError) or not isinstance(error, FlamingoError)

    def survive(self, error: Exception) -> None:
        """Does without the store of visual tokens once it fails, as on a full disk."""
        if isinstance(error, DataError) and self.memory.store is not None:
            _log.error("Visual tokens are not kept on disk any more: %s", error)
            self.memory.store = None

    def grouped(self, accepted: Sequence[Accepted]) -> list[list[Accepted]]:
        """Jobs that are worked on together: of one kind and, for a search, of one extent."""
        groups: dict[Any, list[Accepted]] = {}
        for one in accepted:
            job = one.job
            extent = (job.num_beams, job.max_new_tokens) if isinstance(job, Search) else ()
            key = id(one) if isinstance(job, Explain) else (type(job), extent)
            groups.setdefault(key, []).append(one)
        return list(groups.values())

    def measure(self, accepted: Accepted) -> int:
        """Counts a prompt's tokens; gives those that must be read, as far as is known before.

        Raises:
            SequenceError: a text contains a tag.
            TooLarge: the prompt is longer than the limit.
        """
        accepted.prompt_tokens = self._checked(accepted.job)
        if isinstance(accepted.job, Explain):
            return 0
        return accepted.prompt_tokens - self.prefixes.num_known(accepted.job.prompt.before)

    def begin(self, group: Sequence[Accepted], running: list[Running]) -> None:
        """Works on a group that was measured; what takes several turns is added to `running`.

        Raises:
            SequenceError: a prompt is longer than the language model can read.
            DataError: the store of visual tokens cannot be read or written.
        """
        first = group[0].job
        if isinstance(first, Explain):
            group[0].begin(0)
            running.append(Explaining(self.predictor, self.memory, group[0], first))
            return
        prompts = [one.job.prompt for one in group]
        # All that is new is encoded at once.
        unread = [self.prefixes.unread(prompt.before) for prompt in prompts]
        self.memory.see(v for part in (*unread, *(p.query for p in prompts)) for v in part.visuals)
        known = self.prefixes.of_all([prompt.before for prompt in prompts])
        for one, prefix in zip(group, known, strict=True):
            one.begin(prefix.num_known)
        after = [prefix.supports for prefix in known]
        if isinstance(first, Write):
            self._write(group, after, running)
            return
        answered = self._search if isinstance(first, Search) else self._choose
        for one, event in zip(group, answered(group, after), strict=True):
            one.say(event)
            one.finish()

    def step(self, running: Running) -> None:
        """One more piece of it; of answers that are written, a token of each."""
        if isinstance(running, Writing):
            self.num_steps += 1
            self.num_written += running.num_rows
        running.step()

    def _write(
        self,
        group: Sequence[Accepted],
        after: Sequence[SupportCache | None],
        running: list[Running],
    ) -> None:
        longest = max(one.job.max_new_tokens for one in group if isinstance(one.job, Write))
        queries = [one.job.prompt.query for one in group]
        readings = self.predictor.inputs.readings(queries, self.memory, longest, after)
        for reading in readings:
            own = [group[number] for number in reading.numbers]
            running.append(Writing(self.predictor, reading, own))

    def _search(
        self, group: Sequence[Accepted], after: Sequence[SupportCache | None]
    ) -> list[Answered]:
        job = group[0].job
        assert isinstance(job, Search)
        answers = self.predictor.complete(
            [one.job.prompt.query for one in group],
            num_beams=job.num_beams,
            max_new_tokens=job.max_new_tokens,
            memory=self.memory,
            after=after,
            is_unwanted=lambda: all(one.is_unwanted for one in group),
        )
        found = []
        for one, answer in zip(group, answers, strict=True):
            one.new_tokens = len(answer.token_ids)
            is_ended = answer.token_ids[-1:] and answer.token_ids[-1] in self.predictor.stops
            found.append(Answered(answer, "stop" if is_ended else "length"))
        return found

    def _choose(
        self, group: Sequence[Accepted], after: Sequence[SupportCache | None]
    ) -> list[Answered]:
        jobs = [one.job for one in group if isinstance(one.job, Choose)]
        texts = [[job.template.continuation(choice) for choice in job.choices] for job in jobs]
        queries = [job.prompt.query for job in jobs]
        scores = self.predictor.score_all(queries, texts, memory=self.memory, after=after)
        for one, own in zip(group, texts, strict=True):
            one.new_tokens = sum(map(self._num_tokens, own))
        return [
            Answered(Answer.likeliest(job.choices, row))
            for job, row in zip(jobs, scores, strict=True)
        ]

    def _checked(self, job: Job) -> int:
        """How many tokens a job's prompt has.

        Raises:
            SequenceError: a text contains a tag.
            TooLarge: they are more than the limit.
        """
        most, prompt = self.limits.prompt_tokens, job.prompt.whole
        texts = [prompt.text, *(job.choices if isinstance(job, Choose) else ())]
        num_characters = sum(map(len, texts))
        if num_characters > most * _CHARACTERS_PER_TOKEN:
            raise TooLarge(
                f"The texts have {num_characters:,} characters, but prompts of at most {most:,} "
                "tokens are read here. Give fewer shots, or shorter texts."
            )
        number = len(self.predictor.encoder(prompt, is_complete=False))
        if number > most:
            raise TooLarge(
                f"The prompt has {number:,} tokens, but at most {most:,} are read here. "
                "Give fewer shots, or shorter texts."
            )
        return number

    def _num_tokens(self, text: str) -> int:
        return len(self.predictor.encoder.continuation(text))
