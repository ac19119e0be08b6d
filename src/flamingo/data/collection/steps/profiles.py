"""Steps by their names, and the rows of steps that the paper and OBELICS take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flamingo.data.collection.pages import Step
from flamingo.data.collection.steps.explicit_content import ExplicitImages, ExplicitText
from flamingo.data.collection.steps.explicit_words import ExplicitWords
from flamingo.data.collection.steps.image_addresses import ImageAddress, ImageFormat
from flamingo.data.collection.steps.image_counts import DuplicateImages, NumberOfImages
from flamingo.data.collection.steps.image_sizes import AspectRatio, ImageSize, RenderedSize
from flamingo.data.collection.steps.language import Language, ParagraphLanguage
from flamingo.data.collection.steps.obelics_text import DocumentRules, ParagraphRules
from flamingo.data.collection.steps.plain_images import PlainImages
from flamingo.data.collection.steps.spam_paragraphs import SpamParagraphs
from flamingo.data.collection.steps.text_quality import TextQuality
from flamingo.data.collection.steps.text_repetition import TextRepetition
from flamingo.data.collection.steps.word_counts import NumberOfWords
from flamingo.foundation.errors import ConfigError, nearest
from flamingo.foundation.records import from_plain, to_plain

StepSettings = Mapping[str, Any]
"""Settings of a step by their names, as in a recipe."""

STEPS: Mapping[str, type[Any]] = {
    kind.name: kind
    for kind in (
        AspectRatio,
        DocumentRules,
        DuplicateImages,
        ExplicitImages,
        ExplicitText,
        ExplicitWords,
        ImageAddress,
        ImageFormat,
        ImageSize,
        Language,
        NumberOfImages,
        NumberOfWords,
        ParagraphLanguage,
        ParagraphRules,
        PlainImages,
        RenderedSize,
        SpamParagraphs,
        TextQuality,
        TextRepetition,
    )
}
"""Kinds of steps, by name."""

PROFILES: Mapping[str, tuple[Step, ...]] = {
    "flamingo": (
        Language(),
        ExplicitWords(),
        NumberOfImages(),
        TextQuality(),
        TextRepetition(),
        RenderedSize(),
        ImageSize(),
        AspectRatio(),
        PlainImages(),
        ExplicitImages(),
        NumberOfImages(),
    ),
    "obelics": (
        ImageFormat(),
        RenderedSize(min_side=150, max_side=20_000),
        ParagraphRules(),
        Language(),
        DocumentRules(),
        NumberOfImages(),
        ImageSize(min_side=150, max_side=20_000),
        AspectRatio(max_ratio=2.0),
        NumberOfImages(max_images=30),
        ExplicitImages(),
        DuplicateImages(),
        SpamParagraphs(),
        NumberOfWords(),
    ),
}
"""Steps in their order. "flamingo" has that of the paper (App. A.3). In both, steps that need
no pixels come first where that changes nothing, so that fewer images are read."""


def step_named(name: str, **settings: Any) -> Step:
    """A step with its settings; those that are left out have their defaults.

    Raises:
        ConfigError: no step has that name, or a setting has no such name, type or value.
    """
    if name not in STEPS:
        raise ConfigError(f"There is no step {name!r}. {nearest(name, STEPS)}")
    step: Step = from_plain(STEPS[name], settings, name)
    return step


def steps_of(
    wanted: str | Sequence[Any],
    changes: Mapping[str, StepSettings] | None = None,
) -> tuple[Step, ...]:
    """The steps that a recipe asks for.

    Args:
        wanted: name of a profile; or a list of names of steps, each alone or with its settings:
            `["language", {"image-size": {"min_side": 100}}]`.
        changes: settings by name of a step, over what `wanted` says, for every step of that name.

    Raises:
        ConfigError: a name or a setting that does not exist, or a value that is impossible.

    Example:
        steps_of("flamingo", {"language": {"languages": ["en", "de"]}})
    """
    if isinstance(wanted, str):
        if wanted not in PROFILES:
            raise ConfigError(f"There is no profile {wanted!r}. {nearest(wanted, PROFILES)}")
        steps = PROFILES[wanted]
    else:
        steps = tuple(_step_of(entry) for entry in wanted)
    changes = changes or {}
    names = {step.name for step in steps}
    for name in changes:
        if name not in names:
            raise ConfigError(f"There is no step {name!r} to change here. {nearest(name, names)}")
    return tuple(
        step_named(step.name, **{**to_plain(step), **changes[step.name]})
        if step.name in changes
        else step
        for step in steps
    )


def plain_steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Steps with all their settings in plain data; `steps_of` reads them back."""
    return [{step.name: to_plain(step)} for step in steps]


def remarks(steps: Sequence[Step]) -> tuple[str, ...]:
    """What a reader of the report should know: steps that do nothing as they are set."""
    return tuple(
        f"{step.name}: no classifier is set, so nothing was looked at and every page passed"
        for step in steps
        if isinstance(step, (ExplicitImages, ExplicitText)) and step.classifier is None
    )


def _step_of(entry: Any) -> Step:
    if isinstance(entry, str):
        return step_named(entry)
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise ConfigError(
            f"{entry!r} is no step.\nWrite its name, or its name with settings: "
            "image-size: {min_side: 100}."
        )
    ((name, settings),) = entry.items()
    if not isinstance(settings, (Mapping, type(None))):
        raise ConfigError(f"{name} should have settings by their names, not {settings!r}.")
    return step_named(name, **(settings or {}))
