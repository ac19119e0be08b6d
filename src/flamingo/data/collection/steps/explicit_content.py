"""Pages that a classifier finds explicit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from flamingo.data.collection.pages import ImageNode, Outcome, Page
from flamingo.data.collection.steps.checks import check_share
from flamingo.data.collection.steps.classifiers import check_classifier, loaded_classifier
from flamingo.data.collection.steps.removing import page_out, without_images
from flamingo.data.collection.steps.words import text_of


@dataclass(frozen=True)
class ExplicitImages:
    """Takes pages out on which a classifier finds an explicit picture, or those pictures alone.

    A page on which the classifier fails, or gives no probabilities, is out as well: nothing passes
    that was not looked at.

    Args:
        classifier: import path "package.module:name" of an `ImageClassifier`. None leaves every
            page as it is; what a profile is made of tells so (see `remarks`).
        max_probability: above it a picture counts as explicit.
        takes_out: the "page" as a whole, or the "image".

    Raises:
        ConfigError: the classifier cannot be imported, or the probability is not from 0 to 1.

    Source: the paper drops pages with explicit content by Google's SafeSearch (v1), which is not
    to be had. OBELICS drops the page, above 0.85 and 0.9 by kind; MMC4 the image, above 0.1.
    """

    name: ClassVar[str] = "explicit-images"
    source: ClassVar[str] = "paper, App. A.3"
    needs_pixels: ClassVar[bool] = True

    classifier: str | None = None
    max_probability: float = 0.1
    takes_out: Literal["page", "image"] = "page"

    def __post_init__(self) -> None:
        check_classifier(self.name, self.classifier)
        check_share(self.name, max_probability=self.max_probability)

    def __call__(self, page: Page) -> Outcome:
        """What the classifier leaves."""
        thumbnails = [node.image.thumbnail for node in page.images if node.image is not None]
        if self.classifier is None or not thumbnails:
            return Outcome(page)
        try:
            found = loaded_classifier(self.classifier)(thumbnails)
            probabilities = _probabilities(found, len(thumbnails))
        except Exception as error:
            # A user's code: whatever it raises, the page has not been judged.
            return page_out(page, f"the classifier failed: {type(error).__name__}")
        if self.takes_out == "image":
            return self._without(page, probabilities)
        worst = max(probabilities)
        if worst <= self.max_probability:
            return Outcome(page)
        return page_out(page, self._reason(worst))

    def _without(self, page: Page, probabilities: Sequence[float]) -> Outcome:
        left = iter(probabilities)

        def reason_against(node: ImageNode) -> str | None:
            probability = 0.0 if node.image is None else next(left)
            return self._reason(probability) if probability > self.max_probability else None

        return without_images(page, reason_against)

    def _reason(self, probability: float) -> str:
        return f"probability {probability:.3f} of explicit, at most {self.max_probability:g}"


@dataclass(frozen=True)
class ExplicitText:
    """Takes pages out whose text a classifier finds explicit.

    A page on which the classifier fails, or gives no probability, is out as well.

    Args:
        classifier: import path "package.module:name" of a `TextClassifier`. None leaves every page
            as it is.
        max_probability: above it the text counts as explicit.

    Raises:
        ConfigError: the classifier cannot be imported, or the probability is not from 0 to 1.

    Source: the paper drops pages with explicit content; means and threshold are ours.
    """

    name: ClassVar[str] = "explicit-text"
    source: ClassVar[str] = "paper, App. A.3"
    needs_pixels: ClassVar[bool] = False

    classifier: str | None = None
    max_probability: float = 0.5

    def __post_init__(self) -> None:
        check_classifier(self.name, self.classifier)
        check_share(self.name, max_probability=self.max_probability)

    def __call__(self, page: Page) -> Outcome:
        """The page, or nothing."""
        if self.classifier is None:
            return Outcome(page)
        try:
            found = loaded_classifier(self.classifier)(text_of(page))
            (probability,) = _probabilities([found], 1)
        except Exception as error:
            # A user's code: whatever it raises, the page has not been judged.
            return page_out(page, f"the classifier failed: {type(error).__name__}")
        if probability <= self.max_probability:
            return Outcome(page)
        limit = f"at most {self.max_probability:g}"
        return page_out(page, f"probability {probability:.3f} of explicit, {limit}")


def _probabilities(found: Sequence[float], num: int) -> list[float]:
    probabilities = [float(value) for value in found]
    if len(probabilities) != num or not all(0 <= value <= 1 for value in probabilities):
        raise ValueError(f"{num} probabilities were expected")
    return probabilities
