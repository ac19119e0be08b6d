"""What a finished arm leaves behind: every answer as right or wrong, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from flamingo.evaluation.cell import above_chance
from flamingo.evaluation.json_file import read_json
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.records import from_plain, json_text, to_plain, write_text_atomically

RESULT = "result.json"


@dataclass(frozen=True)
class ArmResult:
    """One run's outcome.

    Args:
        row: of the table.
        seed: of initialization and data.
        learning_rate: as a multiple of the row's own.
        right: by task one character per query, "1" where the answer was right.
        chance: by task the share that a guess gets right.
        num_parameters: of the whole model.
        num_trained: of those, how many learned.
        seconds_per_step: median of the time for one batch of every source.
        seconds: that training and evaluation took, as far as this last start of the arm goes.
        metrics: what the last line of the log knew besides; of encoders the probes.
        versions: of what the run depended on.
    """

    row: str
    seed: int
    learning_rate: float
    right: dict[str, str]
    chance: dict[str, float]
    num_parameters: int
    num_trained: int
    seconds_per_step: float
    seconds: float
    metrics: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str | None] = field(default_factory=dict)

    @property
    def overall(self) -> float:
        """Mean over tasks of 100 · (accuracy - chance) / (1 - chance)."""
        found = [
            above_chance(100 * answers.count("1") / len(answers), 100 * self.chance[task])
            for task, answers in self.right.items()
        ]
        return sum(found) / len(found)

    def write(self, folder: Path) -> None:
        """Leaves it in the folder of the run, which is finished then."""
        write_text_atomically(folder / RESULT, json_text(to_plain(self)))


def result_in(folder: Path) -> ArmResult | None:
    """The result in the folder of a run; None while there is none.

    Raises:
        DataError: it is damaged.
    """
    path = folder / RESULT
    if not path.is_file():
        return None
    cure = f"Remove {folder}, and give the command again to train and ask this run anew."
    plain = read_json(path, dict, cure)
    try:
        return from_plain(ArmResult, plain)
    except ConfigError as error:
        raise DataError(f"{path} is damaged: {error}\n{cure}") from error
