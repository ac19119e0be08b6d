"""Two invented words, taught by a few pictures: the answer follows the prompt, and nothing else.

    python examples/new_words.py
    python examples/new_words.py --shots 2 --seed 7 --words dake,toma

Draws things of two looks that the bundled miniature never saw in training, names them in the
prompt, and asks for new pictures of both. Then the same with the two words exchanged, and without
any pictures in the prompt: what changes is all that the model has learned here, as no weight does.
Its words are two syllables (`flamingo.miniature.names`). Others are spelled for it, letter by
letter, and it may prefer one of them whatever is shown.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from flamingo import Predictor, Visual
from flamingo.miniature.documents import draw
from flamingo.miniature.looks import Pair, choose_pairs, single
from flamingo.miniature.names import HELD_OUT_NAMES

QUERIES = 4


def main(arguments: Sequence[str] | None = None) -> None:
    """Draws, teaches, asks, and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--words", default=f"{HELD_OUT_NAMES[0]},{HELD_OUT_NAMES[-1]}", help="two, with a comma"
    )
    parser.add_argument("--shots", type=int, default=4, help="pictures of each (default 4)")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn (default 0)")
    options = parser.parse_args(arguments)
    words = [word.strip() for word in options.words.split(",")]
    if len(words) != 2 or len({*words, ""}) != 3:
        parser.error(f"--words is {options.words!r}; give two different ones, with a comma.")
    if options.shots < 1 or options.seed < 0:
        parser.error("--shots is at least 1, and --seed at least 0.")
    first, second = words
    rng = np.random.default_rng(options.seed)
    looks = choose_pairs(rng, 2, "held_out")
    print(f"{first}: a {' '.join(looks[0])}. {second}: a {' '.join(looks[1])}.\n")

    predictor = Predictor.from_pretrained("miniature")
    order = rng.permutation([0, 1] * options.shots).tolist()
    shown = [(picture(rng, looks[number]), number) for number in order]
    queries = [
        (picture(rng, look), number) for _ in range(QUERIES) for number, look in enumerate(looks)
    ]
    for title, words in (
        ("as taught", (first, second)),
        ("the words exchanged", (second, first)),
        ("without a prompt", ()),
    ):
        supports = [(one, words[number]) for one, number in shown] if words else []
        # They are read once; every query goes on from there.
        shots = predictor.read(supports) if supports else ()
        right = 0
        print(title)
        for query, number in queries:
            answer = predictor.answer(query, supports=shots, choices=(first, second))
            truth = (words or (first, second))[number]
            right += answer.text == truth
            share = answer.probabilities()[answer.text]
            print(f"  a {' '.join(looks[number])} → {answer.text} ({share:.0%})")
        print(f"  {right} of {len(queries)} right\n")


def picture(rng: np.random.Generator, look: Pair) -> Visual:
    """One thing of that color and shape, anywhere, of any size and texture, on any background."""
    return draw(single(rng, look), rng)


if __name__ == "__main__":
    main()
