"""Pages and paragraphs in the languages that are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flamingo.data.collection.pages import Outcome, Page, TextKind, TextNode
from flamingo.data.collection.steps.checks import check_least
from flamingo.data.collection.steps.language_guess import (
    LANGUAGES,
    guessed_languages,
    language_code,
)
from flamingo.data.collection.steps.removing import page_out, without_texts
from flamingo.data.collection.steps.words import text_of
from flamingo.foundation.errors import ConfigError, nearest


@dataclass(frozen=True)
class Language:
    """Keeps pages in the languages that are wanted, and takes others out.

    The language is guessed from the text (see `guessed_languages`). Where the one that the page
    says it is in comes within `margin` of the best guess, that is believed; so it is where there is
    no guess. What a page says is not enough alone: many say "en" because their template does. Text
    that is code is left out if there is other text.

    Args:
        languages: the wanted ones, by their two letters.
        margin: ranks that what the page says may be behind the best guess.

    Raises:
        ConfigError: a language that is not known, none at all, or a margin below 0.

    Source: the paper keeps English pages alone, by means that it does not tell; ours.
    """

    name: ClassVar[str] = "language"
    source: ClassVar[str] = "paper, App. A.3"
    needs_pixels: ClassVar[bool] = False

    languages: tuple[str, ...] = ("en",)
    margin: int = 40

    def __post_init__(self) -> None:
        _check_languages(self.name, self.languages)
        check_least(self.name, 0, margin=self.margin)

    def __call__(self, page: Page) -> Outcome:
        """The page, or nothing."""
        found = language_of(page, self.languages, self.margin)
        if found in self.languages:
            return Outcome(page)
        wanted = ", ".join(self.languages)
        return page_out(page, f"language {found or 'unknown'}, wanted {wanted}")


@dataclass(frozen=True)
class ParagraphLanguage:
    """Takes texts out that are certainly in another language than those that are wanted.

    Short texts are never certain, and stay; so does a text where a wanted language comes within
    `margin` of the best guess.

    Args:
        languages: the wanted ones, by their two letters.
        min_characters: of a text that is looked at.
        margin: ranks that a wanted language may be behind the best guess.
        exempt: kinds of text that stay in any case.

    Raises:
        ConfigError: a language that is not known, none at all, or a number below 0.

    Source: OBELICS has such a step and leaves it off; thresholds are ours.
    """

    name: ClassVar[str] = "paragraph-language"
    source: ClassVar[str] = "OBELICS, off there"
    needs_pixels: ClassVar[bool] = False

    languages: tuple[str, ...] = ("en",)
    min_characters: int = 150
    margin: int = 50
    exempt: tuple[TextKind, ...] = ("title", "heading", "code", "table")

    def __post_init__(self) -> None:
        _check_languages(self.name, self.languages)
        check_least(self.name, 0, min_characters=self.min_characters, margin=self.margin)

    def __call__(self, page: Page) -> Outcome:
        """The page without those texts."""
        return without_texts(page, self._reason_against, self.exempt)

    def _reason_against(self, text: TextNode) -> str | None:
        if len(text.text) < self.min_characters:
            return None
        guesses = guessed_languages(text.text, self.languages)
        if not guesses or any(
            language in self.languages and rank <= guesses[0][1] + self.margin
            for language, rank in guesses
        ):
            return None
        return f"language {guesses[0][0]}, wanted {', '.join(self.languages)}"


def language_of(page: Page, wanted: tuple[str, ...] = ("en",), margin: int = 40) -> str | None:
    """The language of a page by its two letters, as `Language` finds it; None if that is open."""
    prose = [text.text for text in page.texts if text.kind != "code"]
    said = language_code(page.language)
    admitted = wanted if said is None else (*wanted, said)
    guesses = guessed_languages("\n\n".join(prose) if prose else text_of(page), admitted)
    if not guesses:
        return said
    best, best_rank = guesses[0]
    is_near = any(language == said and rank <= best_rank + margin for language, rank in guesses)
    return said if is_near else best


def _check_languages(step: str, languages: tuple[str, ...]) -> None:
    if not languages:
        raise ConfigError(f"{step}: no language is wanted.\nName one or more, such as en.")
    for language in languages:
        if language not in LANGUAGES:
            raise ConfigError(
                f"{step}: there is no language {language!r}. {nearest(language, LANGUAGES)}"
            )
