"""Answers to random few-shot prompts, of which it is noted when each token was there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import CompileConfig, StoppingCriteria

from flamingo.data.encoding import Encoded
from flamingo.foundation.errors import ConfigError
from flamingo.inference.speed_task import QUERY_TOKENS, SpeedTask
from flamingo.inference.support_cache import SupportCache
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.prompting import CAPTION

_FRAMES_AT_ONCE = 32
"""Frames that go through the vision encoder together, as many as `VisualMemory` gives it."""


class TimedAnswers:
    """Asks one batch of queries in each of the ways that there are.

    It does what a `Predictor` does with a batch, from tensors on: pictures and words are random,
    since speed does not depend on them, and nothing is decoded or tokenized. The rows of a batch
    show the same pictures, but each row's are encoded for themselves.

    Args:
        model: in evaluation mode.
        task: how large prompts and answers are.

    Attributes:
        cached: visual tokens of the supports of one row; None without supports.
    """

    def __init__(self, model: FlamingoForConditionalGeneration, task: SpeedTask) -> None:
        self.model, self.task = model, task
        random = torch.Generator().manual_seed(0)
        size = model.vision_encoder.image_size
        shape = (task.shots + 1, task.frames, 3, size, size)
        self._pixels = torch.randn(shape, generator=random).to(model.device)
        vocabulary = model.config.get_text_config(decoder=True).vocab_size
        ids = torch.randint(vocabulary, (task.prompt_tokens,), generator=random)
        supports = torch.arange(1, task.shots + 1).repeat_interleave(task.tokens_per_shot)
        index = torch.cat([torch.tensor([0]), supports, torch.tensor([task.shots + 1])])
        self._ids = ids.tolist()
        self._index = [*index.tolist(), *[task.shots + 1] * (QUERY_TOKENS - 1)]
        self.cached = self._see(range(task.shots), 1) if task.shots else None

    def whole(self) -> list[float]:
        """The prompts with nothing known of them: seconds from the start to each new token."""
        start = self._now()
        visuals = self._see(range(self.task.shots + 1), self.task.batch)
        return self._since(start, self._inputs(self.task.prompt_tokens), visuals)

    def seen(self) -> list[float]:
        """The same with visual tokens of the supports known, as for supports chosen by RICES."""
        start = self._now()
        assert self.cached is not None
        known = self.cached.expand(self.task.batch, -1, -1, -1)
        visuals = torch.cat([known, self._query()], dim=1)
        return self._since(start, self._inputs(self.task.prompt_tokens), visuals)

    def after(self, supports: SupportCache) -> list[float]:
        """The same with the supports read before, once for all queries."""
        start = self._now()
        token_ids = self._ids[-QUERY_TOKENS:]
        query = Encoded(token_ids, [1] * QUERY_TOKENS, (), [0.0] * QUERY_TOKENS)
        continued = supports.continued([query] * self.task.batch, self.task.new_tokens)
        how = {"past_key_values": continued.cache}
        return self._since(start, continued.inputs, self._query(), **how)

    def read(self) -> tuple[SupportCache, float]:
        """Sees and reads the supports; with the seconds that it took."""
        start = self._now()
        inputs = self._inputs(self.task.support_tokens, rows=1)
        inputs["visual_tokens"] = self._see(range(self.task.shots), 1)
        supports = SupportCache.read(self.model, inputs, self.task.shots, CAPTION)
        return supports, self._now() - start

    def _query(self) -> Float[Tensor, "batch 1 latents dim"]:
        return self._see(range(self.task.shots, self.task.shots + 1), self.task.batch)

    def _see(self, numbers: range, rows: int) -> Float[Tensor, "rows visuals latents dim"]:
        """Visual tokens of the pictures of these numbers, for each row anew."""
        every = torch.tensor([*numbers] * rows, device=self._pixels.device)
        at_once = max(1, _FRAMES_AT_ONCE // self.task.frames)
        with torch.no_grad():
            pieces = [
                self.model.encode_visuals(self._pixels[piece][None])[0]
                for piece in every.split(at_once)
            ]
        return torch.cat(pieces).unflatten(0, (rows, len(numbers)))

    def _inputs(self, num_tokens: int, rows: int | None = None) -> dict[str, Tensor]:
        """The first tokens of the prompts, as the model takes them."""
        named = {
            "input_ids": self._ids[:num_tokens],
            "attention_mask": [1] * num_tokens,
            "visual_index": self._index[:num_tokens],
        }
        times = self.task.batch if rows is None else rows
        device = self.model.device
        return {name: torch.tensor([row] * times, device=device) for name, row in named.items()}

    def _since(
        self, start: float, inputs: dict[str, Tensor], visuals: Tensor, **how: Any
    ) -> list[float]:
        """Answers; seconds from `start` to each token."""
        watch = _Stopwatch(self._now)
        count = self.task.new_tokens
        is_compiled = self.task.is_compiled and "past_key_values" not in how
        with torch.inference_mode():
            self.model.generate(
                **inputs,
                visual_tokens=visuals,
                num_beams=self.task.beams,
                do_sample=False,
                # No end of sequence before the last token: each answer has the same length.
                min_new_tokens=count,
                max_new_tokens=count,
                stopping_criteria=[watch],
                **({"length_penalty": 0.0} if self.task.beams > 1 else {}),
                **(_compiled(self.model.device) if is_compiled else {}),
                **how,
            )
        assert len(watch.moments) == count, f"{len(watch.moments)} tokens, not {count}"
        if is_compiled and not hasattr(self.model, "_compiled_call"):
            raise ConfigError(
                f"The decoding step of {type(self.model.language_model).__name__} is not compiled: "
                "transformers has no cache of constant size for it. Leave --compile out."
            )
        return [moment - start for moment in watch.moments]

    def _now(self) -> float:
        """The time, when all that was asked of the device is done."""
        device = self.model.device
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()
        return time.perf_counter()


class _Stopwatch(StoppingCriteria):
    """Stops nothing; notes when each new token was there."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.moments: list[float] = []

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        self.moments.append(self._now())
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


def _compiled(device: torch.device) -> dict[str, Any]:
    """What has `generate` compile the decoding step; on a GPU it does by itself."""
    how: dict[str, Any] = {"cache_implementation": "static"}
    if device.type != "cuda":
        how["compile_config"] = CompileConfig(mode="default")
        # Transformers' own switch; a CPU has no graphs to capture, but kernels to fuse.
        how["compile_config"]._compile_all_devices = True
    return how
