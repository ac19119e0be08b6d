"""Plans a training run before there is a GPU: memory, speed, days, and what would make it fit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from flamingo.foundation.errors import ConfigError
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets import memory_plan
from flamingo.presets.from_preset import build_preset
from flamingo.presets.memory_plan import GIB, Item
from flamingo.presets.models import model_preset
from flamingo.presets.plan_settings import Machine, RunSettings
from flamingo.presets.step_cost import BatchShape, StepCost, step_cost
from flamingo.presets.step_meter import Flops

PAPER_BATCHES = (
    BatchShape("M3W", rows=256, tokens=256, visuals=5),
    BatchShape("ALIGN", rows=512, tokens=64),
    BatchShape("LTIP", rows=512, tokens=64),
    BatchShape("VTP", rows=64, tokens=64, frames=8),
)
"""The batches of the paper's ablations; M3W rows are counted with all of their 5 images.

Paper: App. C.3 (batch sizes), App. B.1.2 (lengths and visuals).
"""

_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Plan:
    """What a run takes.

    Attributes:
        machine: what it was planned for.
        settings: with the number of micro-batches that was found.
        batches: one update's data.
        constant: bytes on each GPU all the time, by what they are.
        working: further bytes at the worst moment.
        heaviest: the data set in whose micro-batch that moment is.
        flops: operations of one update on all GPUs, by part of the model.
        seconds_per_update: at the machine's MFU, second computations included.
        advice: if it does not fit: what would make it fit.
    """

    machine: Machine
    settings: RunSettings
    batches: tuple[BatchShape, ...]
    constant: tuple[Item, ...]
    working: tuple[Item, ...]
    heaviest: str
    flops: dict[str, Flops]
    seconds_per_update: float
    advice: str = ""

    @property
    def num_bytes(self) -> int:
        """Bytes needed on each GPU."""
        return self.num_kept_bytes + _num_bytes(self.working)

    @property
    def num_kept_bytes(self) -> int:
        """Those of them that are taken all the time."""
        return _num_bytes(self.constant)

    @property
    def fits(self) -> bool:
        """Whether they are there."""
        return self.num_bytes <= self.machine.gpu_memory * GIB

    @property
    def flops_per_update(self) -> int:
        """Operations of forward and backward, without those that are made a second time."""
        return sum(part.forward + part.backward for part in self.flops.values())

    @property
    def tokens_per_second(self) -> float:
        """Text tokens, padding included."""
        return sum(shape.num_tokens for shape in self.batches) / self.seconds_per_update

    @property
    def images_per_second(self) -> float:
        """Images and video frames."""
        return sum(shape.num_frames for shape in self.batches) / self.seconds_per_update

    @property
    def days(self) -> float:
        """Of the whole run."""
        return self.settings.steps * self.seconds_per_update / _SECONDS_PER_DAY


def plan_preset(
    name: str,
    machine: Machine,
    settings: RunSettings,
    batches: Sequence[BatchShape] = PAPER_BATCHES,
) -> Plan:
    """Plans the training of a model of the paper, its frozen parts stored in bf16.

    Raises:
        ConfigError: there is no such preset.
    """
    model = build_preset(model_preset(name))
    for parameter in model.parameters():
        if not parameter.requires_grad:
            parameter.data = parameter.data.to(torch.bfloat16)
    return plan(model, machine, settings, batches)


def plan(
    model: FlamingoForConditionalGeneration,
    machine: Machine,
    settings: RunSettings,
    batches: Sequence[BatchShape],
) -> Plan:
    """Plans the training of `model` on `batches`.

    Time is that of the GPU with the most rows: Σ over data sets of ⌈rows / GPUs⌉ · FLOPs per row,
    divided by its peak times the MFU. Whatever keeps a GPU from its peak, communication included,
    is in the MFU. Memory is that of `memory_plan`, and on top of it the largest peak of any data
    set's micro-batch, see `step_cost`.

    Args:
        model: on any device, "meta" included. Frozen parameters count in the format they have.
        machine: what it is trained on.
        settings: how.
        batches: of each update, over all GPUs.

    Raises:
        ConfigError: there are no batches.
    """
    if not batches:
        raise ConfigError("There is nothing to plan: the list of batches is empty.")
    planner = _Planner(model, machine, tuple(batches))
    made = planner.plan(settings)
    return made if made.fits else replace(made, advice=planner.advice(settings))


class _Planner:
    """Plans under different settings, and runs no micro-batch twice."""

    def __init__(
        self,
        model: FlamingoForConditionalGeneration,
        machine: Machine,
        batches: tuple[BatchShape, ...],
    ) -> None:
        self.model, self.machine, self.batches = model, machine, batches
        self._costs: dict[tuple[object, ...], StepCost] = {}

    def plan(self, settings: RunSettings) -> Plan:
        """The plan with the fewest micro-batches that fit, or with as many as there can be."""
        if settings.micro_batches is not None:
            return self._plan(settings, settings.micro_batches)
        most = self._most_micro_batches()
        number = 1 if self._leaves_room(settings) else most
        while not (made := self._plan(settings, number)).fits and number < most:
            number = min(most, self._more(made, number))
        return made

    def advice(self, settings: RunSettings) -> str:
        """The first change, from the cheapest on, after which the run would fit."""
        for words, machine, changed in self._changes(settings):
            other = _Planner(self.model, machine, self.batches)
            other._costs = self._costs
            if other._leaves_room(changed):
                found = other.plan(replace(changed, micro_batches=None))
                if found.fits:
                    return f"It fits {words}micro_batches={found.settings.micro_batches}."
        return "It does not fit on any number of these GPUs: a single row is already too much."

    def _changes(self, settings: RunSettings) -> Iterator[tuple[str, Machine, RunSettings]]:
        machine = self.machine
        yield "with ", machine, settings
        again = replace(settings, activation_checkpointing=True)
        yield "with activation_checkpointing=true and ", machine, again
        if machine.num_gpus > 1:
            yield "with parallel=shard and ", machine, replace(settings, parallel="shard")
        sharded = replace(again, parallel="shard")
        words = "with parallel=shard, activation_checkpointing=true and "
        for doubled in range(0 if machine.num_gpus > 1 else 1, 13):
            number = machine.num_gpus * 2**doubled
            where = f"on {number} GPUs " if doubled else ""
            yield where + words, replace(machine, num_gpus=number), sharded

    def _plan(self, settings: RunSettings, number: int) -> Plan:
        settings = replace(settings, micro_batches=number)
        costs = [self._cost(shape, settings) for shape in self.batches]
        working, heaviest = self._working(settings, costs)
        return Plan(
            machine=self.machine,
            settings=settings,
            batches=self.batches,
            constant=tuple(self._constant(settings)),
            working=tuple(working),
            heaviest=heaviest.name,
            flops=_flops([shape.rows for shape in self.batches], costs),
            seconds_per_update=self._seconds(costs),
        )

    def _seconds(self, costs: list[StepCost]) -> float:
        busiest = _flops([self._rows(shape) for shape in self.batches], costs)
        total = sum(part.total for part in busiest.values())
        return total / (self.machine.peak_flops * self.machine.mfu)

    def _constant(self, settings: RunSettings) -> list[Item]:
        where = (self.model, self.machine.num_gpus, settings.parallel)
        return [
            *memory_plan.weights(*where),
            *([memory_plan.gradients(*where)] if self._are_held(settings) else []),
            *memory_plan.gathered(*where),
            memory_plan.reserve(self.machine.gpu_memory),
        ]

    def _working(
        self, settings: RunSettings, costs: list[StepCost]
    ) -> tuple[list[Item], BatchShape]:
        where = (self.model, self.machine.num_gpus, settings.parallel)
        size = self.model.vision_encoder.image_size
        steps = [
            [memory_plan.batch(shape, self._rows(shape), size), *_items(cost)]
            for shape, cost in zip(self.batches, costs, strict=True)
        ]
        # After the last backward pass there are all gradients and no activations.
        adding = memory_plan.exchange(*where)
        if adding and not self._are_held(settings):
            adding = [memory_plan.gradients(*where), *adding]
        heaviest = max(range(len(steps)), key=lambda index: _num_bytes(steps[index]))
        return max(steps[heaviest], adding, key=_num_bytes), self.batches[heaviest]

    def _cost(self, shape: BatchShape, settings: RunSettings) -> StepCost:
        rows = -(-self._rows(shape) // (settings.micro_batches or 1))
        options = {
            "precision": settings.precision,
            "activation_checkpointing": settings.activation_checkpointing,
            "are_gradients_held": self._are_held(settings),
            "has_bf16_weights": self._is_sharded(settings) and settings.precision == "bf16",
        }
        key = (shape.tokens, shape.visuals, shape.frames, rows, *options.values())
        if key not in self._costs:
            self._costs[key] = step_cost(self.model, shape, rows, **options)  # type: ignore[arg-type]
        return self._costs[key]

    def _more(self, made: Plan, number: int) -> int:
        """The next power of two that is not certain to fail as well.

        What a micro-batch needs falls no faster than its rows, so this passes nothing over.
        """
        free = self.machine.gpu_memory * GIB - made.num_kept_bytes
        wanted = number * _num_bytes(made.working) / free if free > 0 else math.inf
        while number < wanted and number < self._most_micro_batches():
            number *= 2
        return number

    def _leaves_room(self, settings: RunSettings) -> bool:
        """Whether what is there all the time fits, which is quick to say."""
        return _num_bytes(self._constant(settings)) < self.machine.gpu_memory * GIB

    def _rows(self, shape: BatchShape) -> int:
        """Rows of the GPU that has the most of them."""
        return -(-shape.rows // self.machine.num_gpus)

    def _most_micro_batches(self) -> int:
        return max(self._rows(shape) for shape in self.batches)

    def _are_held(self, settings: RunSettings) -> bool:
        """Whether most micro-batches find gradients of earlier ones."""
        is_only_one = len(self.batches) == settings.micro_batches == 1
        return self._is_sharded(settings) or not is_only_one

    def _is_sharded(self, settings: RunSettings) -> bool:
        return settings.parallel == "shard" and self.machine.num_gpus > 1


def _flops(rows: Sequence[int], costs: Sequence[StepCost]) -> dict[str, Flops]:
    """Operations on so many rows of each data set; they are proportional to the rows."""
    total: dict[str, Flops] = {}
    for number, cost in zip(rows, costs, strict=True):
        for part, flops in cost.flops.items():
            sum_ = total.setdefault(part, Flops())
            sum_.forward += flops.forward * number // cost.rows
            sum_.backward += flops.backward * number // cost.rows
            sum_.recomputation += flops.recomputation * number // cost.rows
    return total


def _items(cost: StepCost) -> list[Item]:
    sizes = sorted(cost.at_peak.items(), key=lambda pair: -pair[1])
    return [Item(name, num_bytes) for name, num_bytes in sizes]


def _num_bytes(items: Sequence[Item]) -> int:
    return sum(item.num_bytes for item in items)
