"""Why an answer was given: where it looked, and which supports spoke for it."""

from __future__ import annotations

from flamingo.data.transforms import VisualTransform
from flamingo.inference.attention_maps import attention_over_query, has_attention_maps
from flamingo.inference.predictor import Predictor
from flamingo.inference.visual_memory import VisualMemory
from flamingo.sequence import Interleaved, Visual
from flamingo.serving.accepted import Accepted
from flamingo.serving.events import Explained
from flamingo.serving.jobs import Explain

_TOKENS_AT_ONCE = 2048
"""Of prompts that are read in one turn; others wait for it."""


class Explaining:
    """Scores an answer with all supports, and once without each of them, some in each turn.

    Args:
        predictor: the model.
        memory: of visuals.
        accepted: the job, which has begun.
        job: what is explained.
    """

    def __init__(
        self, predictor: Predictor, memory: VisualMemory, accepted: Accepted, job: Explain
    ) -> None:
        self._predictor, self._memory = predictor, memory
        self._accepted, self._job = accepted, job
        self._text = job.template.continuation(job.answer)
        self._prompts = [job.prompt.whole, *map(self._without, range(len(job.supports)))]
        self._scores: list[float] = []
        self._rows_at_once = max(1, _TOKENS_AT_ONCE // max(1, accepted.prompt_tokens))

    @property
    def num_rows(self) -> int:
        """1 until it is over."""
        return int(not (self._accepted.is_over or self._accepted.is_unwanted))

    def accepted(self) -> list[Accepted]:
        """The job, until it is over."""
        return [self._accepted] * self.num_rows

    def step(self) -> None:
        """Scores behind some more prompts; behind the last ones, says what came out."""
        if not self.num_rows:
            return
        start = len(self._scores)
        own = self._prompts[start : start + self._rows_at_once]
        found = self._predictor.score_all(own, [[self._text]] * len(own), memory=self._memory)
        self._scores += [row[0] for row in found]
        if len(self._scores) == len(self._prompts):
            self._accepted.say(self._explained())
            self._accepted.finish()

    def _without(self, place: int) -> Interleaved:
        supports = self._job.supports
        left = (*supports[:place], *supports[place + 1 :])
        return Interleaved.of(self._job.instruction, *left, self._job.query)

    def _explained(self) -> Explained:
        score, *others = self._scores
        effects = tuple(score - other for other in others)
        nothing = Explained(score, None, effects)
        prompt, model = self._job.prompt.whole, self._predictor.model
        if not prompt.visuals or not has_attention_maps(model.config):
            return nothing
        attention = attention_over_query(self._predictor, prompt).float()
        side = round(attention.shape[1] ** 0.5)
        if side * side != attention.shape[1]:
            # Positions that are no grid, as with a token for the whole picture.
            return nothing
        grid = attention.reshape(-1, side, side).tolist()
        transform = self._predictor.processor.image_processor.transform
        return Explained(score, grid, effects, seen_area(prompt.visuals[-1], transform))


def seen_area(visual: Visual, transform: VisualTransform) -> tuple[float, float, float, float]:
    """Where the square that the model sees lies on a picture whose sides go from 0 to 1.

    Returns:
        left, top, right and bottom.
    """
    if transform.fit == "squash":
        return (0.0, 0.0, 1.0, 1.0)
    side = max if transform.fit == "pad" else min
    square = side(visual.width, visual.height)
    across, down = square / visual.width, square / visual.height
    return ((1 - across) / 2, (1 - down) / 2, (1 + across) / 2, (1 + down) / 2)
