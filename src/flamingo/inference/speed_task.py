"""What is asked of a model whose speed is measured."""

from __future__ import annotations

from dataclasses import dataclass, fields

from flamingo.foundation.errors import ConfigError
from flamingo.inference.context import check_length, most_tokens
from flamingo.model.flamingo import FlamingoForConditionalGeneration

QUERY_TOKENS = 4
"""Of a query: its visual's tag, and a few words such as "Output:"."""


@dataclass(frozen=True)
class SpeedTask:
    """Few-shot prompts of one size, and how they are answered.

    Args:
        shots: supports before each query.
        batch: queries that are answered together.
        beams: width of the beam search; 1 for greedy.
        new_tokens: of each answer, which neither is shorter nor longer.
        queries: that are asked in a row; whole batches of them.
        tokens_per_shot: of a support, with its visual's tag and its `<EOC>`.
        frames: of each visual.
        rounds: how often all of it is repeated, after one time that is not counted.
        is_compiled: whether the decoding step is compiled, with a cache of constant size; of
            greedy search only.

    Raises:
        ConfigError: a number is too small, the queries are no whole batches, or beam search is to
            be compiled.
    """

    shots: int
    batch: int = 1
    beams: int = 1
    new_tokens: int = 10
    queries: int = 16
    tokens_per_shot: int = 20
    frames: int = 1
    rounds: int = 5
    is_compiled: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            least = {"shots": 0, "is_compiled": 0, "tokens_per_shot": 2}.get(field.name, 1)
            value = getattr(self, field.name)
            if value < least:
                name = field.name.replace("_", "-")
                raise ConfigError(f"{name} is {value}, but must be at least {least}.")
        if self.queries % self.batch:
            below = self.queries // self.batch * self.batch
            known = [str(number) for number in (below, below + self.batch) if number]
            raise ConfigError(
                f"{self.queries} queries are no whole batches of {self.batch}, and a smaller batch "
                f"would be timed among the others. Ask {' or '.join(known)} queries."
            )
        if self.is_compiled and self.beams > 1:
            raise ConfigError(
                f"beams is {self.beams}, but transformers never compiles beam search. Leave "
                "--compile out, or take 1 beam, which is greedy search."
            )

    @property
    def support_tokens(self) -> int:
        """Tokens of all supports and the `<BOS>` before them."""
        return 1 + self.shots * self.tokens_per_shot

    @property
    def prompt_tokens(self) -> int:
        """Tokens of a whole prompt."""
        return self.support_tokens + QUERY_TOKENS

    @property
    def num_batches(self) -> int:
        """Of the queries."""
        return self.queries // self.batch

    def check_fits(self, model: FlamingoForConditionalGeneration) -> None:
        """Refuses prompts that are longer than the model can read.

        Raises:
            SequenceError: they are.
        """
        check_length(most_tokens(model.language_model), self.prompt_tokens, self.new_tokens)
