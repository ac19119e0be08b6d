"""What decides which clips are made of a video."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from flamingo.data.collection.pairs.settings import Columns, PairSettings
from flamingo.foundation.errors import ConfigError

_CHECKS = ("words", "letters", "markup", "address", "language")
_POSITIVE = ("min_seconds", "max_gap", "fps", "max_whole_seconds")


@dataclass(frozen=True)
class ClipSettings:
    """What decides which clips are made of a video.

    Attributes:
        columns: which columns of a table of videos are what; beside them, columns `start` and
            `end` may name a stretch, in seconds.
        captions: where captions are, if not beside the videos: a folder, or a JSON file with the
            captions of many videos by name, as HowTo100M has it.
        videos: the folder that paths of a table start from; the table's own if not given.
        min_seconds: of a clip.
        seconds: that clips should have. The paper's have about 22 on average.
        max_seconds: of a clip.
        max_gap: seconds without a word that end a clip.
        checks: of the texts; see `flamingo.data.collection.pairs.settings.CHECKS`.
        min_words: of a clip's text.
        max_words: of a clip's text.
        min_distinct: share of words that are not there before, in texts of ten words and more:
            what recognizes speech repeats itself where there is none.
        language: that texts must be in, and captions are preferred in where a video has several;
            None takes all.
        remove_dates: whether dates are taken out of texts.
        remove_places: whether places are taken out of texts, where it is plain that they are such.
        fps: frames per second that are kept. The paper trains at 1.
        longest_side: of a frame, in pixels. The paper trains at 320 x 320.
        quality: of the JPEG pictures that a clip consists of, 1 to 95.
        max_whole_seconds: of a video that has one caption for all of it.

    Raises:
        ConfigError: a setting is out of range.

    Paper: Sec. 3.1, App. A.3 (VTP).
    """

    columns: Columns = field(default_factory=Columns)
    captions: str | None = None
    videos: str | None = None
    min_seconds: float = 8.0
    seconds: float = 22.0
    max_seconds: float = 32.0
    max_gap: float = 4.0
    checks: tuple[str, ...] = _CHECKS
    min_words: int = 5
    max_words: int = 256
    min_distinct: float = 0.25
    language: str | None = "en"
    remove_dates: bool = False
    remove_places: bool = False
    fps: float = 1.0
    longest_side: int = 320
    quality: int = 85
    max_whole_seconds: float = 300.0

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"{name}={value} is impossible.\nIt must be above 0.")
        if not self.min_seconds <= self.seconds <= self.max_seconds < math.inf:
            raise ConfigError(
                f"min_seconds={self.min_seconds:g}, seconds={self.seconds:g} and "
                f"max_seconds={self.max_seconds:g} are impossible together.\nEach must be as "
                "large as the one before it at least."
            )
        if not 16 <= self.longest_side <= 1024:
            raise ConfigError(
                f"longest_side={self.longest_side} is impossible.\nGive 16 to 1024 pixels."
            )
        if not 1 <= self.quality <= 95:
            raise ConfigError(f"quality={self.quality} is impossible.\nGive 1 to 95.")
        if not 0 <= self.min_distinct <= 1:
            raise ConfigError(
                f"min_distinct={self.min_distinct} is impossible.\nIt must lie between 0 and 1."
            )
        # Refuses checks that there are not, and impossible numbers of words.
        _ = self.of_texts

    @property
    def of_texts(self) -> PairSettings:
        """The same, as the checks of texts take it."""
        return PairSettings(
            checks=self.checks,
            min_words=self.min_words,
            max_words=self.max_words,
            language=self.language,
            remove_dates=self.remove_dates,
            remove_places=self.remove_places,
        )
