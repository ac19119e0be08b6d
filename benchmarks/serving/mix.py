"""What clients ask: all kinds of requests in fixed shares, each with a picture that is new."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.serving.prepared import CHAT, FEW_SHOT, Prepared, data_url, prepared, shown
from flamingo.foundation.randomness import generator
from flamingo.miniature.few_shot_episodes import FewShotEpisode
from flamingo.miniature.tasks import task_named

SHOTS = (0, 1, 2, 4, 8, 16)
SETS = (
    ("caption", 1),
    ("caption", 2),
    ("caption", 8),
    ("caption", 16),
    ("question-color", 2),
    ("question-color", 4),
    ("question-shape", 8),
    ("question-count", 16),
)
"""Task and number of supports of each named support set."""

_NUM_CONVERSATIONS, _MOST_TURNS = 8, 12
_NAMES = tuple(f"load-{task}-{shots}" for task, shots in SETS)


class Mix:
    """Draws requests, always the same ones of a seed.

    Of forty requests in a row, in mixed order:

    - 6 with supports of their own, which nobody saw before, one for each of `SHOTS`;
    - 5 with supports that come again and again, sent anew each time, of 1 to 16 shots;
    - 8 with a named support set, open- or close-ended as the set is, one for each of `SETS`;
    - 3 of those that are open-ended once more as streams, and 2 with three beams;
    - 8 close-ended ones with supports of their own or none, of 0 to 8 shots;
    - 8 turns of conversations, every second one a stream. One conversation of two grows by a turn,
      the other has another picture behind the same history.

    Args:
        model: as the server calls it.
        seed: of all pictures and their order.
    """

    def __init__(self, model: str = "miniature", seed: int = 0) -> None:
        self._model, self._seed = model, seed
        self._index = itertools.count()
        self._rng = generator("serving load", seed)
        self._repeated = [self._episode("caption", shots) for shots in SHOTS if shots]
        self._sent_again = [[shown(s) for s in one.supports] for one in self._repeated]
        self._histories: list[list[dict[str, Any]]] = []

    def support_sets(self) -> list[dict[str, Any]]:
        """The bodies that make the named support sets."""
        return [
            {
                "name": name,
                "replace": True,
                "supports": [shown(s) for s in self._episode(task, shots).supports],
            }
            for name, (task, shots) in zip(_NAMES, SETS, strict=True)
        ]

    def __iter__(self) -> Iterator[Prepared]:
        """Requests without end."""
        while True:
            deck = self._deck()
            for place in self._rng.permutation(len(deck)):
                yield deck[place]()

    def _deck(self) -> list[Callable[[], Prepared]]:
        open_sets = [number for number, (task, _) in enumerate(SETS) if _is_open(task)]
        return [
            *(self._later(self._own, shots) for shots in SHOTS),
            *(self._later(self._again, number) for number in range(len(self._repeated))),
            *(self._later(self._of_set, number) for number in range(len(SETS))),
            *(self._later(self._of_set, number, stream=True) for number in open_sets[1:]),
            *(self._later(self._of_set, number, num_beams=3) for number in open_sets[1:3]),
            *(self._later(self._close_ended, shots) for shots in (0, 1, 2, 4, 8, 0, 2, 4)),
            *(self._later(self._chat, bool(number % 2)) for number in range(8)),
        ]

    def _later(self, make: Callable[..., Prepared], *given: Any, **more: Any) -> Any:
        return lambda: make(*given, **more)

    def _episode(self, task: str, shots: int) -> FewShotEpisode:
        return task_named(task).build(self._seed, next(self._index), shots)

    def _own(self, shots: int) -> Prepared:
        episode = self._episode("caption", shots)
        supports = [shown(support) for support in episode.supports]
        return self._few_shot("supports of its own", episode, supports=supports, num_beams=1)

    def _again(self, number: int) -> Prepared:
        episode = self._episode("caption", 0)
        supports = self._sent_again[number]
        return self._few_shot("supports sent again", episode, supports=supports, num_beams=1)

    def _of_set(self, number: int, **more: Any) -> Prepared:
        task = SETS[number][0]
        kind, episode = "support set", self._episode(task, 0)
        if not _is_open(task):
            return self._few_shot(
                f"{kind}, choices", episode, support_set=_NAMES[number], choices=episode.candidates
            )
        given = {"num_beams": 1, **more}
        kind += ", stream" if "stream" in more else ", 3 beams" if "num_beams" in more else ""
        return self._few_shot(kind, episode, support_set=_NAMES[number], **given)

    def _close_ended(self, shots: int) -> Prepared:
        episode = self._episode("question-color", shots)
        supports = [shown(support) for support in episode.supports]
        return self._few_shot(
            "supports of its own, choices", episode, supports=supports, choices=episode.candidates
        )

    def _few_shot(self, kind: str, episode: FewShotEpisode, **more: Any) -> Prepared:
        query = {"query": shown(episode.query)}
        return prepared(f"few-shot: {kind}", FEW_SHOT, {"model": self._model, **query, **more})

    def _chat(self, is_stream: bool) -> Prepared:
        history = self._history()
        episode = self._episode("caption", 0)
        turn = _turn(data_url(episode.query))
        body = {"model": self._model, "messages": [*history, turn], "max_tokens": 20}
        if self._rng.random() < 0.5:
            history += [turn, {"role": "assistant", "content": episode.answer}]
        kind = "chat, stream" if is_stream else "chat"
        return prepared(kind, CHAT, {**body, "stream": True} if is_stream else body)

    def _history(self) -> list[dict[str, Any]]:
        """One of some conversations that go on; a long one is replaced by another."""
        self._histories = [one for one in self._histories if len(one) < 2 * _MOST_TURNS]
        while len(self._histories) < _NUM_CONVERSATIONS:
            self._histories.append([])
        return self._histories[int(self._rng.integers(_NUM_CONVERSATIONS))]


def some(mix: Iterator[Prepared], number: int) -> Sequence[Prepared]:
    """The next requests of a mix."""
    return list(itertools.islice(mix, number))


def names_of_sets() -> tuple[str, ...]:
    """The names of the support sets that the mix asks with."""
    return _NAMES


def _is_open(task: str) -> bool:
    return task_named(task).is_open_ended


def _turn(url: str) -> dict[str, Any]:
    image = {"type": "image_url", "image_url": {"url": url}}
    return {"role": "user", "content": [image, {"type": "text", "text": "Output:"}]}
