"""Why an answer was given: where it looked, and which supports spoke for it."""

from __future__ import annotations

from flamingo.data.transforms import VisualTransform
from flamingo.inference.attention_maps import attention_over_query, has_attention_maps
from flamingo.inference.predictor import Predictor
from flamingo.inference.visual_memory import VisualMemory
from flamingo.sequence import Interleaved, Visual
from flamingo.serving.events import Explained
from flamingo.serving.jobs import Explain


def explained(
    predictor: Predictor, job: Explain, memory: VisualMemory, rows_at_once: int
) -> Explained:
    """Scores the answer with all supports, and once without each of them.

    Args:
        predictor: the model.
        job: what is explained.
        memory: of visuals.
        rows_at_once: prompts that are read together.

    Raises:
        SequenceError: the prompt is longer than the language model can read.
    """
    without = [
        Interleaved.of(*job.supports[:place], *job.supports[place + 1 :], job.query)
        for place in range(len(job.supports))
    ]
    prompts = [job.prompt.whole, *without]
    text = job.template.continuation(job.answer)
    scores: list[float] = []
    for start in range(0, len(prompts), rows_at_once):
        own = prompts[start : start + rows_at_once]
        found = predictor.score_all(own, [[text]] * len(own), memory=memory)
        scores += [row[0] for row in found]
    score, *others = scores
    return _with_attention(predictor, job, score, tuple(score - other for other in others))


def _with_attention(
    predictor: Predictor, job: Explain, score: float, effects: tuple[float, ...]
) -> Explained:
    prompt = job.prompt.whole
    nothing = Explained(score, None, effects)
    if not prompt.visuals or not has_attention_maps(predictor.model.config):
        return nothing
    attention = attention_over_query(predictor, prompt).float()
    side = round(attention.shape[1] ** 0.5)
    if side * side != attention.shape[1]:
        # Positions that are no grid, as with a token for the whole picture.
        return nothing
    grid = attention.reshape(-1, side, side).tolist()
    transform = predictor.processor.image_processor.transform
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
