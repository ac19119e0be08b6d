"""What a predictor knows from earlier requests: visuals that it saw, supports that it read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flamingo.foundation.errors import ConfigError
from flamingo.inference.eyes import store_of
from flamingo.inference.prompt_inputs import PromptInputs
from flamingo.inference.requests import Request
from flamingo.inference.shared_supports import SharedSupports
from flamingo.inference.support_cache import SupportCache
from flamingo.inference.visual_memory import VisualMemory
from flamingo.inference.visual_store import VisualStore, check_is_no_file
from flamingo.model.weights_identity import weights_stamp


@dataclass(frozen=True)
class Budgets:
    """How much is remembered.

    Args:
        visual_bytes: of visual tokens; 0 keeps none.
        support_bytes: of the keys and values of support sets; 0 keeps none, and each prompt is
            read as a whole.
        visual_cache: a folder for visual tokens; processes and later runs share it.

    Raises:
        ConfigError: a number is negative.
        DataError: the folder is a file.
    """

    visual_bytes: int = 2**28
    support_bytes: int = 2**30
    visual_cache: str | Path | None = None

    def __post_init__(self) -> None:
        for name in ("visual_bytes", "support_bytes"):
            if getattr(self, name) < 0:
                raise ConfigError(
                    f"{name} is {getattr(self, name)}, but must be at least 0.\n"
                    "It is the memory for all that is kept of this kind; 0 keeps nothing."
                )
        if self.visual_cache is not None:
            check_is_no_file(Path(self.visual_cache))


class Remembered:
    """Visual tokens and support sets, as one state of a model's weights made them.

    Args:
        inputs: of the model.
        budgets: how much is kept.
    """

    def __init__(self, inputs: PromptInputs, budgets: Budgets) -> None:
        self.inputs, self.budgets = inputs, budgets
        self.stamp = weights_stamp(inputs.model)
        self.memory = self.visual_memory(most_bytes=budgets.visual_bytes)
        self.supports = SharedSupports(self._read, budgets.support_bytes)

    @cached_property
    def store(self) -> VisualStore | None:
        """The visual tokens on disk, if a folder was named; opened when they are first needed."""
        folder = self.budgets.visual_cache
        if folder is None:
            return None
        return store_of(self.inputs.model, self.inputs.processor.image_processor, folder)

    def visual_memory(
        self, known: VisualMemory | None = None, most_bytes: int | None = None
    ) -> VisualMemory:
        """A memory of its own, on the same store."""
        transform = self.inputs.processor.image_processor.transform
        return VisualMemory(
            self.inputs.model, transform, known=known, store=self.store, most_bytes=most_bytes
        )

    def is_of_now(self) -> bool:
        """Whether the weights are still those that made it."""
        return self.stamp == weights_stamp(self.inputs.model)

    def _read(self, request: Request) -> SupportCache:
        return self.inputs.supports(request.support_prompt(), request.template, self.memory)
