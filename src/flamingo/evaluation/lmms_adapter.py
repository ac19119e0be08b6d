"""A Flamingo as a model of lmms-eval (read against its version 0.7.3).

    python -m lmms_eval --model flamingo --tasks vqav2_val \\
        --model_args pretrained=DIR,template=question-answer --batch_size 8

lmms-eval is not a dependency: once both are installed, it finds this by the entry point. Its tasks
have no supports with pictures, so all of this is zero-shot; few-shot evaluation is our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count, groupby
from typing import Any

import torch

from flamingo.evaluation.lmms_prompts import LmmsPrompts
from flamingo.evaluation.lmms_settings import LmmsSettings, whole_number
from flamingo.foundation.errors import ConfigError, nearest
from flamingo.inference.predictor import Predictor
from flamingo.sequence import Interleaved

try:
    import lmms_eval.api.instance  # type: ignore[import-not-found]
    from lmms_eval.api.model import lmms  # type: ignore[import-not-found]
except ImportError as error:
    raise ConfigError(
        f"The adapter for lmms-eval needs lmms-eval, which cannot be imported: {error}.\n"
        "Install it with `pip install lmms-eval`, and run `python -m lmms_eval --model flamingo`."
    ) from error


class FlamingoForLmmsEval(lmms):
    """Answers the requests of lmms-eval; all settings come from `--model_args`.

    Args:
        pretrained: "miniature", a folder, or owner/name.
        template: see `LmmsPrompts`.
        text_examples: see `LmmsPrompts`.
        num_beams: of open answers; 0 for what the task says, which is 1 where it says nothing.
            The paper uses 3.
        batch_size: prompts at once.
        max_batch_size: not used; lmms-eval passes it on.
        device: by default a GPU where there is one.
        dtype: name of a number format, as "float32"; by default as `Predictor` chooses.

    Raises:
        ConfigError: a setting has no such value.
        CheckpointError: there is no such model.
    """

    is_simple = True

    def __init__(
        self,
        pretrained: str = "miniature",
        template: str = "",
        text_examples: str = "",
        num_beams: int | float | str = 0,
        batch_size: int | float | str = 8,
        max_batch_size: int | str | None = None,
        device: str | None = None,
        dtype: str | None = None,
    ) -> None:
        # The parent names its cache by it.
        self.pretrained = pretrained
        super().__init__()
        self.batch_size = whole_number("batch_size", batch_size, 1)
        self.num_beams = whole_number("num_beams", num_beams, 0)
        self.prompts = LmmsPrompts(template, text_examples)
        self.predictor = Predictor.from_pretrained(
            pretrained, device=device, dtype=_format(dtype) if dtype else "steady"
        )
        self.prompts.load = self.predictor.processor.image_processor.load

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.predictor.model.device

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        """The answer of each request, up to the first of the strings that end it."""
        asked = [request.args for request in requests]
        return self._answers(
            [partial(self._prompt, text, seen, *place) for text, _, seen, *place in asked],
            [settings for _, settings, *_ in asked],
        )

    def loglikelihood(self, requests: Sequence[Any]) -> list[Any]:
        """For each continuation its negative log-likelihood, and whether greedy search gives it.

        Negative, because lmms-eval takes the choice with the smallest number: its other models
        return losses. It is summed over tokens and the `<EOC>`, as `Predictor` scores candidates.
        """
        asked = [_with_place(request.args) for request in requests]
        found: list[tuple[float, bool]] = []
        # The choices of one document stand together: its visuals and its text are read once.
        for _, group in groupby(asked, key=lambda args: (args[0], *args[3:])):
            choices = list(group)
            text, _, seen, *place = choices[0]
            document = self._document(*place)
            texts = [one(document) if callable(one) else str(one) for _, one, *_ in choices]
            found += self._scored(self._prompt(text, seen, *place), texts)
        return [_kept_whole(pair) for pair in found]

    def generate_until_multi_round(self, requests: Sequence[Any]) -> list[list[str]]:
        """The answers of each request, one for each round; a task writes round after round."""
        return [self._rounds(*request.args) for request in requests]

    def _rounds(
        self,
        text: str,
        settings: dict[str, Any],
        seen: Callable[..., Any] | None,
        next_round: Callable[..., Any],
        *place: Any,
    ) -> list[str]:
        document = self._document(*place)
        prompt, memory = partial(self._prompt, text, seen, *place), None
        answers: list[str] = []
        for number in count(1):
            answers += self._answers([prompt], [settings])
            visuals, text, is_over, answers, memory = next_round(
                document,
                previous_output=answers,
                round_idx=number,
                previous_round_info=memory,
            )
            answers = list(answers)
            if is_over:
                break
            prompt = partial(self.prompts, text, visuals, document)
        return answers

    def _document(self, number: int | None, task: str | None, split: str | None) -> Any:
        return None if task is None else self.task_dict[task][split][number]

    def _prompt(self, text: str, seen: Callable[..., Any] | None, *place: Any) -> Interleaved:
        document = self._document(*place)
        return self.prompts(text, seen(document) if seen else None, document)

    def _answers(
        self, prompts: Sequence[Callable[[], Interleaved]], settings: Sequence[Mapping[str, Any]]
    ) -> list[str]:
        """Answers in order; prompts with equal settings are batched.

        A prompt is made when its batch is due: the visuals of all would not fit into memory.
        """
        wanted = [LmmsSettings.of(one, self.num_beams) for one in settings]
        answers = [""] * len(prompts)
        for same in dict.fromkeys(wanted):
            numbers = [number for number, other in enumerate(wanted) if other == same]
            for start in range(0, len(numbers), self.batch_size):
                few = numbers[start : start + self.batch_size]
                found = self.predictor.complete(
                    [prompts[number]() for number in few],
                    num_beams=same.num_beams,
                    max_new_tokens=same.max_new_tokens,
                )
                for number, answer in zip(few, found, strict=True):
                    answers[number] = same.cut(answer.text)
        return answers

    def _scored(self, prompt: Interleaved, texts: Sequence[str]) -> list[tuple[float, bool]]:
        memory = self.predictor.visual_memory()
        scores = self.predictor.score_all([prompt], [texts], memory=memory)[0]
        # One more than the longest, for its <EOC>: what goes on after that is another text.
        most = 1 + max(len(self.predictor.encoder.continuation(text)) for text in texts)
        greedy = self.predictor.complete([prompt], num_beams=1, max_new_tokens=most, memory=memory)
        return [
            (-score, text.strip() == greedy[0].text)
            for score, text in zip(scores, texts, strict=True)
        ]


def _with_place(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """A request for a likelihood may be text alone: then nothing is seen, and no document read."""
    return arguments if len(arguments) > 2 else (*arguments, None, None, None, None)


def _kept_whole(pair: tuple[float, bool]) -> Any:
    """The pair as lmms-eval's evaluator leaves it: version 0.7.3 turns a plain pair into text."""
    # Older versions have no such class, and leave pairs alone.
    wrapper = getattr(lmms_eval.api.instance, "GenerationResult", None)
    return wrapper(pair) if wrapper else pair


def _format(name: str) -> torch.dtype:
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype):
        raise ConfigError(f"dtype is {name!r}. {nearest(name, ('bfloat16', 'float16', 'float32'))}")
    return dtype
