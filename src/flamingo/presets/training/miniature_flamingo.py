"""The third stage of the miniature: the bridge between its frozen eyes and its frozen language.

    flamingo train miniature-vision --out runs/miniature-vision
    flamingo train miniature-language --out runs/miniature-language
    flamingo train miniature-flamingo --out runs/miniature-flamingo

Resampler, gated layers and the rows of `<image>` and `<EOC>` are trained on interleaved pages,
image-text pairs, clips (paper: Sec. 2.4) and single questions, each update on one of them in turn.
The first updates are spent on captions of one or two things and on questions about two: gates that
open onto nothing they can yet read would close again, and telling things apart has to come before
everything else (`docs/lab-notes.md`, `docs/decisions/0011-local-latents.md`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from flamingo.data.batching import Batch
from flamingo.data.encoding import Encoder
from flamingo.data.image_processor import FlamingoImageProcessor
from flamingo.data.processor import FlamingoProcessor
from flamingo.foundation.errors import ConfigError, reason
from flamingo.inference.model_names import model_in_run
from flamingo.miniature.flamingo_data import Alignment, Clips, DrawnSource, Pages, Pairs, Questions
from flamingo.miniature.kinds import PAGES, with_share
from flamingo.model.build import build_flamingo
from flamingo.model.checkpoints.vision import load_vision_encoder
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder
from flamingo.presets.recipe import Ingredients, Recipe
from flamingo.training.config import TrainingConfig
from flamingo.training.export import MODEL
from flamingo.training.gates import watch_gates
from flamingo.training.objective import FlamingoObjective
from flamingo.training.sources import Source


@dataclass(frozen=True)
class ModelSettings:
    """The bridge, what of the model is trained, and the parts beside it; see `FlamingoConfig`.

    Args:
        vision: the folder that the first stage exports.
        language: the folder that the second stage exports.
        start_from: the folder of a Flamingo of the same shape, whose bridge this one begins with.
        vision_from_scratch: takes the shape of that part and random weights.
        language_from_scratch: the same for the language model.
    """

    vision: Path = Path("runs/miniature-vision/model")
    language: Path = Path("runs/miniature-language/model")
    start_from: Path | None = None
    vision_from_scratch: bool = False
    language_from_scratch: bool = False
    freeze_vision_encoder: bool = True
    freeze_language_model: bool = True
    num_latents: int = 80
    resampler_dim: int = 192
    resampler_layers: int = 2
    resampler_heads: int = 6
    resampler_head_dim: int = 32
    resampler_kind: str = "perceiver"
    resampler_positions: int = 64
    resampler_local_latents: int = 64
    xattn_every: int = 1
    xattn_at: str | None = None
    xattn_kind: str = "gated_xattn_dense"
    grafted_layers: int | None = None
    gating: str = "tanh"
    sees: str = "last"

    def of_flamingo(self) -> dict[str, Any]:
        """Those that `build_flamingo` takes."""
        parts = ("vision", "language", "start_from", "vision_from_scratch", "language_from_scratch")
        return {name: value for name, value in asdict(self).items() if name not in parts}


@dataclass(frozen=True)
class DataSettings:
    """Sequences per step of each kind, the paper's λ of each, and what pages are about.

    Args:
        alignment_of_two: share of pictures of two things in the alignment.
        questions: single pictures with a question about one of several things.
        question_share: of pages that ask questions.
    """

    seed: int = 0
    alignment_steps: int = 300
    alignment_batch: int = 32
    alignment_of_two: float = 0.8
    pages: int = 8
    pairs: int = 16
    clips: int = 4
    questions: int = 24
    pages_weight: float = 1.0
    pairs_weight: float = 0.3
    clips_weight: float = 0.5
    questions_weight: float = 0.3
    next_share: float = 0.0
    question_share: float = 0.3

    def __post_init__(self) -> None:
        counts = ("alignment_steps", "pages", "pairs", "clips", "questions")
        for name, least in (("alignment_batch", 1), *((name, 0) for name in counts)):
            if getattr(self, name) < least:
                raise ConfigError(
                    f"data.{name} is {getattr(self, name)}, but must be at least {least}."
                )
        for name in ("alignment_of_two", "next_share", "question_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(
                    f"data.{name} is {getattr(self, name)}, but must be a share from 0 to 1."
                )


TRAINING = TrainingConfig(
    steps=12000,
    mixing="round_robin",
    warmup_steps=30,
    learning_rate=2e-3,
    schedule="cosine",
    optimizer="muon",
    weight_decay=0.01,
    # A gate moves by at most its learning rate per step: at the common one it stays shut too long.
    gate_learning_rate_multiplier=4.0,
    precision="bf16",
    threads=2,
    checkpoint_every=100,
)


@dataclass(frozen=True)
class MiniatureFlamingoConfig:
    """All settings of this stage."""

    training: TrainingConfig = TRAINING
    model: ModelSettings = field(default_factory=ModelSettings)
    data: DataSettings = field(default_factory=DataSettings)


@dataclass(frozen=True)
class AlignedFirst:
    """A source that gives way to single things for its first steps.

    Attributes:
        source: what it is afterwards.
        alignment: what it is before.
        steps: for how many steps.
    """

    source: Source
    alignment: Source
    steps: int

    @property
    def name(self) -> str:
        """The name in reports."""
        return self.source.name

    @property
    def weight(self) -> float:
        """The paper's λ."""
        return self.source.weight

    def batch(self, step: int) -> Batch:
        """The batch of one step, always the same for the same step."""
        source = self.alignment if step < self.steps else self.source
        batch: Batch = source.batch(step)
        return batch


def build(config: MiniatureFlamingoConfig) -> Ingredients:
    """The model with its frozen parts loaded, and the sources of drawn data."""
    model, processor = _model(config.model)

    def export(folder: Path) -> None:
        # A copy: the run goes on with 32 bits if it is taken up again with more steps.
        copy.deepcopy(model).to(torch.bfloat16).save_pretrained(folder, full=True)
        processor.save_pretrained(folder)

    return Ingredients(
        model=model,
        objective=FlamingoObjective(),
        sources=_sources(config.data, processor),
        export=export,
        on_step=[watch_gates(every=50)],
    )


def _model(
    settings: ModelSettings,
) -> tuple[FlamingoForConditionalGeneration, FlamingoProcessor]:
    for part, folder in (("vision", settings.vision), ("language", settings.language)):
        if (exported := model_in_run(folder)) is not None:
            raise ConfigError(
                f"{folder} is the folder of a run.\nIts model is in it: model.{part}={exported}"
            )
        if not (folder / "config.json").is_file():
            run = folder.parent if folder.name == MODEL else f"runs/miniature-{part}"
            raise ConfigError(
                f"The {part} stage has not left a model at {folder}.\n"
                f"Say where it is, model.{part}=FOLDER, or train it first:\n"
                f"flamingo train miniature-{part} --out {run}"
            )
    encoder = _vision_encoder(settings)
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(settings.language)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The folder {settings.language} of model.language has no tokenizer: {reason(error)}\n"
            "Give one that `flamingo train miniature-language` exported, or that holds a language "
            "model of transformers with its tokenizer."
        ) from error
    processor = FlamingoProcessor(
        FlamingoImageProcessor(encoder.image_size, encoder.mean, encoder.std), tokenizer
    )
    ids = processor.encoder().prepared.ids
    language_model = _language_model(settings)
    # A folder of this run means nothing to who loads the checkpoint elsewhere.
    language_model.config._name_or_path = ""
    model = build_flamingo(
        language_model,
        encoder,
        image_token_id=ids.image[0],
        eoc_token_id=ids.eoc,
        eos_token_id=ids.eos,
        pad_token_id=ids.pad,
        **settings.of_flamingo(),
    )
    if settings.start_from is not None:
        _begin_with(model, settings.start_from)
    return model, processor


def _begin_with(model: FlamingoForConditionalGeneration, folder: Path) -> None:
    """Copies what is trained here out of another Flamingo."""
    given = dict(FlamingoForConditionalGeneration.from_pretrained(folder).named_parameters())
    trained = {name: own for name, own in model.named_parameters() if own.requires_grad}
    for name, own in trained.items():
        if name not in given or given[name].shape != own.shape:
            found = tuple(given[name].shape) if name in given else "nothing"
            raise ConfigError(
                f"The Flamingo at {folder} has {found} where this one has {tuple(own.shape)} "
                f"({name}).\nGive both the same settings: model.num_latents and so on."
            )
        own.data.copy_(given[name].data)


def _vision_encoder(settings: ModelSettings) -> VisionEncoder:
    encoder = load_vision_encoder(settings.vision)
    if settings.vision_from_scratch:
        return build_vision_encoder(encoder.config, **encoder.settings)
    return encoder


def _language_model(settings: ModelSettings) -> PreTrainedModel:
    if settings.language_from_scratch:
        config = AutoConfig.from_pretrained(settings.language)
        return AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    return AutoModelForCausalLM.from_pretrained(settings.language)


def _sources(settings: DataSettings, processor: FlamingoProcessor) -> Sequence[Source]:
    encoder: Encoder = processor.encoder()
    episodes = with_share(PAGES, "question", settings.question_share)
    kinds: dict[str, tuple[int, float, Pages | Pairs | Clips | Questions]] = {
        "pages": (
            settings.pages,
            settings.pages_weight,
            Pages(encoder, settings.next_share, episodes),
        ),
        "pairs": (settings.pairs, settings.pairs_weight, Pairs(encoder)),
        "clips": (settings.clips, settings.clips_weight, Clips(encoder)),
        "questions": (settings.questions, settings.questions_weight, Questions(encoder)),
    }
    shared: dict[str, Any] = {
        "seed": settings.seed,
        "transform": processor.image_processor.transform,
        "pad_id": encoder.prepared.ids.pad,
        "unknown_id": encoder.prepared.ids.eos,
    }
    return [
        AlignedFirst(
            DrawnSource(name, weight, batch_size=size, encode=encode, **shared),
            DrawnSource(
                f"alignment for {name}",
                weight,
                batch_size=settings.alignment_batch,
                encode=Alignment(encoder, settings.alignment_of_two),
                **shared,
            ),
            settings.alignment_steps,
        )
        for name, (size, weight, encode) in kinds.items()
        if size
    ]


RECIPE = Recipe(
    name="miniature-flamingo",
    description="third stage of the miniature: resampler and gated layers between frozen towers",
    config=MiniatureFlamingoConfig(),
    build=build,
)
