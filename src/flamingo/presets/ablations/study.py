"""An ablation from its settings to its table: what is missing is trained, asked and told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from flamingo.evaluation.json_file import read_json
from flamingo.evaluation.report import machine
from flamingo.foundation.devices import pick_device
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.records import (
    from_plain,
    json_text,
    read_yaml,
    to_plain,
    write_text_atomically,
)
from flamingo.presets.ablations.arms import Arm, Arms
from flamingo.presets.ablations.config import AblationConfig
from flamingo.presets.ablations.parts import write_parts
from flamingo.presets.ablations.processes import carry_out_all
from flamingo.presets.ablations.progress import Progress
from flamingo.presets.ablations.report import TABLE, write_tables
from flamingo.presets.ablations.result import ArmResult, result_in
from flamingo.presets.ablations.row import BASELINE, Row
from flamingo.presets.ablations.rows import ROWS, rows_named
from flamingo.presets.ablations.table import Entry, Found, entries
from flamingo.training.run_folder import RECIPE, open_run_folder, versions

ASKED = "asked.json"


@dataclass(frozen=True)
class Asked:
    """What was ever asked of a folder: names of rows, and seeds per row."""

    rows: tuple[str, ...]
    seeds: int


@dataclass
class Study:
    """An ablation in a folder.

    Args:
        config: the budget of every row.
        folder: of the ablation.
        rows: the baseline among them, and all that they are compared with.
        seeds: runs per row: 0, 1, ….
        num_processes: arms at a time.
        command: how it was started, for the record.

    Attributes:
        failures: why arms failed, by their names.
    """

    config: AblationConfig
    folder: Path
    rows: Sequence[Row]
    seeds: int
    num_processes: int = 1
    command: str = ""
    failures: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.arms = Arms(self.config, self.folder)

    @classmethod
    def in_folder(cls, folder: Path) -> Study:
        """What was asked of a folder so far.

        Raises:
            ConfigError: the folder holds no ablation.
            DataError: its record of what was asked is damaged.
        """
        if not (folder / RECIPE).is_file() or not (folder / ASKED).is_file():
            raise ConfigError(
                f"{folder} holds no ablation yet, so there is nothing to report.\n"
                "Give the folder of one: --out DIR, or leave out --report-only to begin."
            )
        config = from_plain(AblationConfig, read_yaml(folder / RECIPE)["ablation"])
        asked = _asked_in(folder)
        return cls(config, folder, rows_named(asked.rows), asked.seeds)

    def run(self) -> list[Entry]:
        """Does what is missing, and writes the table after every arm.

        The table, which is returned too, has all that was ever asked of the folder.

        Raises:
            ConfigError: the folder holds an ablation with other settings.
            DataError: a file of the folder is damaged.
            CheckpointError: a part is not where it should be.
        """
        # Which rate is the best is not known yet, but how many arms there will be is.
        everything = _unlike(self._all_arms(dict.fromkeys(ROWS, 1.0)))
        # Nothing is on disk until here: all settings have been read once.
        open_run_folder(self.folder, {"ablation": self.config})
        whole = self._with_all_asked()
        for arm in whole._all_arms():
            _check_recipe(arm)
        write_parts(self.arms)
        whole._note_asked()
        num_done = sum(result_in(arm.folder) is not None for arm in everything)
        progress = Progress(self.folder, len(everything), num_done, whole._write)
        try:
            for arms in (self._encoders, self._tuning, lambda: self._table(self._rates())):
                missing = [arm for arm in _unlike(arms()) if result_in(arm.folder) is None]
                # In place: the table of the whole tells them too.
                self.failures.update(carry_out_all(missing, self.num_processes, progress))
        finally:
            progress.close()
            made = whole._write()
        return made

    def report(self) -> list[Entry]:
        """Writes the table again, of what is finished; how it came about stays as it was told."""
        path = self.folder / TABLE
        cure = "Remove it, and give the command of the ablation again."
        plain = read_json(path, dict, cure) if path.is_file() else {}
        return self._write(plain.get("about"))

    def _all_arms(self, rates: Mapping[str, float] | None = None) -> list[Arm]:
        """All of them, as far as the rates of the table are given or known."""
        table = self._table(self._rates() if rates is None else rates)
        return [*self._encoders(), *self._tuning(), *table]

    def _encoders(self) -> list[Arm]:
        return [self.arms.encoder(row) for row in self.rows if row.encoder is not None]

    def _tuning(self) -> list[Arm]:
        return [
            self.arms.tuning(row, rate)
            for row in self.rows
            if self._is_possible(row)
            for rate in self._several()
        ]

    def _table(self, rates: Mapping[str, float]) -> list[Arm]:
        """Seed by seed, so that a table of one seed is there before the second one begins."""
        return [
            self.arms.arm(row, seed, rates[row.name])
            for seed in range(self.seeds)
            for row in self.rows
            if row.name in rates and self._is_possible(row)
        ]

    def _is_possible(self, row: Row) -> bool:
        """A row whose encoder failed has nothing to see with."""
        return row.encoder is None or str(self.arms.encoder(row)) not in self.failures

    def _tried(self, row: Row) -> dict[float, float]:
        """The mean above chance of every learning rate that was tried."""
        found = {rate: result_in(self.arms.tuning(row, rate).folder) for rate in self._several()}
        return {rate: result.overall for rate, result in found.items() if result is not None}

    def _several(self) -> tuple[float, ...]:
        return self.config.learning_rates if self.config.is_tuned else ()

    def _rates(self) -> dict[str, float]:
        """By row the multiple of its learning rate.

        Rows with a trial that is not finished are left out: it may turn out to be the best.
        """
        if not self.config.is_tuned:
            return {row.name: self.config.learning_rates[0] for row in self.rows}
        tried = {row.name: self._tried(row) for row in self.rows}
        return {
            name: max(found, key=lambda rate: found[rate])
            for name, found in tried.items()
            if len(found) == len(self._several())
        }

    def _found(self) -> list[Found]:
        rates = self._rates()
        return [self._found_of(row, rates.get(row.name)) for row in self.rows]

    def _found_of(self, row: Row, rate: float | None) -> Found:
        encoder = None if row.encoder is None else result_in(self.arms.encoder(row).folder)
        if rate is None:
            return Found(row, (), encoder=encoder)
        arms = [self.arms.arm(row, seed, rate) for seed in range(self.seeds)]
        finished = [result for arm in arms if (result := result_in(arm.folder)) is not None]
        return Found(
            row,
            [result for result in finished if result.learning_rate == rate],
            rate,
            encoder=encoder,
            is_baseline=arms[0].row == BASELINE,
            updates=arms[0].updates,
        )

    def _write(self, told: Mapping[str, Any] | None = None) -> list[Entry]:
        share = self._next_share()
        made = entries(self._found(), share)
        about = told or {**self._about, "failures": self.failures}
        write_tables(self.folder, made, {**about, **self._learned()})
        return made

    def _next_share(self) -> float:
        share: float = self.arms.arm(ROWS[BASELINE], 0).recipe.config.data.next_share
        return share

    @cached_property
    def _about(self) -> dict[str, Any]:
        """How the numbers came about."""
        # Of this process it would tell its own threads; those of the arms have one each.
        threads = {"threads_per_process": 1}
        return {
            "command": self.command,
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine(pick_device(self.config.device), self.num_processes) | threads,
            "processes": self.num_processes,
            "versions": versions(),
            "seeds": self.seeds,
            "config": to_plain(self.config),
            "next_share": self._next_share(),
        }

    def _learned(self) -> dict[str, Any]:
        """What was measured besides the rows."""
        encoders: dict[str, ArmResult | None] = {
            row.name: result_in(self.arms.encoder(row).folder) for row in self.rows if row.encoder
        }
        tuning = {row.name: self._tried(row) for row in self.rows if self.config.is_tuned}
        return {"tuning": tuning, "encoders": encoders}

    def _with_all_asked(self) -> Study:
        """What several commands asked of one folder adds up; failures are those of this one."""
        if not (self.folder / ASKED).is_file():
            return self
        before = _asked_in(self.folder)
        rows = rows_named([*before.rows, *(row.name for row in self.rows)])
        return replace(self, rows=rows, seeds=max(before.seeds, self.seeds))

    def _note_asked(self) -> None:
        asked = Asked(tuple(row.name for row in self.rows), self.seeds)
        write_text_atomically(self.folder / ASKED, json_text(asked))


def _asked_in(folder: Path) -> Asked:
    path = folder / ASKED
    cure = "Remove it, and give the command again with all rows and seeds that you want."
    plain = read_json(path, dict, cure)
    try:
        return from_plain(Asked, plain)
    except ConfigError as error:
        raise DataError(f"{path} is damaged: {error}\n{cure}") from error


def _unlike(arms: Iterable[Arm]) -> list[Arm]:
    """Each run once: rows that change nothing share the baseline's."""
    return list({arm.folder: arm for arm in arms}.values())


def _check_recipe(arm: Arm) -> None:
    """Refuses a finished run of another recipe; one that is not finished is checked as it goes on.

    Raises:
        ConfigError: as said.
    """
    if result_in(arm.folder) is None:
        return
    then, now = read_yaml(arm.folder / RECIPE), to_plain(arm.recipe.resolved())
    if then == now:
        return
    names = [
        f"{section}.{name}"
        for section, values in now.items()
        if isinstance(values, Mapping)
        for name, value in values.items()
        if then.get(section, {}).get(name) != value
    ]
    raise ConfigError(
        f"{arm.folder} holds a finished run of another recipe, which differs in "
        f"{', '.join(names) or 'what it has no setting for'}. The recipe has changed since.\n"
        "Choose another folder, or remove this one to train it again."
    )
