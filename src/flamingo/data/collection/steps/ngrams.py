"""How much of a text is said again: n-grams of words and of characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise
from math import isqrt

MOST_CHARACTERS = 50_000
"""More of a text is not looked at for n-grams of characters: they take a lot of memory."""

MOST_WORDS = 100_000
"""More of a text is not looked at for n-grams of words."""


@dataclass(frozen=True)
class RepeatedGrams:
    """Where a text says the same `n` words that it says elsewhere too.

    Shares are of the text's characters, white space left out. A character counts once, even where
    several occurrences overlap in it.

    Attributes:
        n: so many words.
        places: of the first word of each, in order.
        grams: the words at those places.
        words: of the whole text.
        num_characters: of the whole text.
    """

    n: int
    places: Sequence[int]
    grams: Sequence[tuple[str, ...]]
    words: tuple[str, ...]
    num_characters: int

    @property
    def top_share(self) -> float:
        """The share of the n-gram that is there most often: of several, of the longest one."""
        counts = Counter(self.grams)
        most = max(counts.values(), default=0)
        longest = max(
            (gram for gram, count in counts.items() if count == most),
            key=lambda gram: len("".join(gram)),
            default=None,
        )
        pairs = zip(self.places, self.grams, strict=True)
        return self._share(place for place, gram in pairs if gram == longest)

    @property
    def later_share(self) -> float:
        """The share of n-grams that were there before."""
        seen: set[tuple[str, ...]] = set()
        later = []
        for place, gram in zip(self.places, self.grams, strict=True):
            if gram in seen:
                later.append(place)
            else:
                seen.add(gram)
        return self._share(later)

    def _share(self, places: Iterable[int]) -> float:
        covered = end = 0
        for place in places:
            covered += len("".join(self.words[max(place, end) : place + self.n]))
            end = place + self.n
        return covered / self.num_characters if covered else 0.0


def repeated_grams(words: Sequence[str], most: int) -> Iterator[RepeatedGrams]:
    """Repeated n-grams of two words, three words, … and `most` words, as long as there are any.

    n + 1 words can be there twice only where both their first and their last n are, so each round
    looks only at what the round before has left. That makes it quick where little is repeated.
    """
    words = tuple(words[:MOST_WORDS])
    num_characters = sum(map(len, words))
    places: Sequence[int] = range(len(words) - 1)
    grams: list[tuple[str, ...]] = list(pairwise(words))
    for n in range(2, most + 1):
        counts = Counter(grams)
        if len(counts) == len(grams):
            return
        repeated = {gram for gram, count in counts.items() if count > 1}
        is_repeated = [gram in repeated for gram in grams]
        places, grams = list(compress(places, is_repeated)), list(compress(grams, is_repeated))
        yield RepeatedGrams(n, places, grams, words, num_characters)
        places = [place for place, following in pairwise(places) if following == place + 1]
        grams = [words[place : place + n + 1] for place in places]


def later_shares(texts: Sequence[str]) -> tuple[float, float]:
    """The share of texts, and of their characters, that were there before; 0 of none."""
    seen: set[str] = set()
    num_later = characters = 0
    for text in texts:
        if text in seen:
            num_later += 1
            characters += len(text)
        seen.add(text)
    if not num_later:
        return 0.0, 0.0
    return num_later / len(texts), characters / max(1, sum(map(len, texts)))


def word_repetition(words: Sequence[str], n: int) -> float:
    """Of all places where n words begin, the share of those whose words stand elsewhere too.

    Source: OBELICS.
    """
    grams = list(zip(*(words[start:] for start in range(n)), strict=False))
    if len(set(grams)) == len(grams):
        return 0.0
    return sum(count for count in Counter(grams).values() if count > 1) / len(grams)


def character_repetition(text: str, n: int) -> float:
    """Of all places where n characters begin, the share of the most frequent n-grams.

    Most frequent are the first √N of N distinct ones, but none that is there only once.
    Only the first `MOST_CHARACTERS` characters count.

    Source: OBELICS.
    """
    text = text[:MOST_CHARACTERS]
    grams = [text[start : start + n] for start in range(len(text) - n + 1)]
    if len(set(grams)) == len(grams):
        return 0.0
    counts = sorted(Counter(grams).values(), reverse=True)
    repeated = [count for count in counts[: isqrt(len(counts))] if count > 1]
    return sum(repeated) / len(grams)
