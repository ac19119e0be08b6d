"""The dialogs of VisDial 1.0: questions and answers by their numbers in lists of texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flamingo.evaluation.benchmarks.readers.annotation_file import (
    field_of,
    list_of,
    place,
    read_json,
)
from flamingo.evaluation.benchmarks.readers.texts import one_line
from flamingo.foundation.errors import DataError


@dataclass(frozen=True)
class Dialog:
    """A picture with its caption, and what was asked about it one after another.

    Args:
        image_id: the picture's number.
        caption: what is said of the picture before anything is asked.
        rounds: the records of the file, in order.
        where: how errors call this dialog.
        texts: all questions and all answers of the file.
    """

    image_id: int
    caption: str
    rounds: tuple[Any, ...]
    where: str
    texts: DialogTexts

    def question(self, round_id: int) -> str:
        """What is asked in a round, counted from 1."""
        return one_line(self._text("questions", round_id, "question"))

    def answer(self, round_id: int) -> str:
        """What a person answered in a round."""
        return self._text("answers", round_id, "answer")

    def options(self, round_id: int) -> tuple[str, ...]:
        """The answers to choose from in a round, in the order of the file."""
        numbers = field_of(self._round(round_id), "answer_options", self._at(round_id), list)
        return tuple(self.texts.text("answers", one, self._at(round_id)) for one in numbers)

    def history(self, round_id: int) -> str:
        """All that was said before a round: the caption, then each question with its answer."""
        said = [
            f"Question: {self.question(earlier)} Answer: {one_line(self.answer(earlier))}"
            for earlier in range(1, round_id)
        ]
        return " ".join([self.caption, *said])

    def _text(self, part: str, round_id: int, name: str) -> str:
        where = self._at(round_id)
        return self.texts.text(part, field_of(self._round(round_id), name, where, int), where)

    def _round(self, round_id: int) -> Any:
        if not 1 <= round_id <= len(self.rounds):
            raise DataError(
                f"{self.where} has {len(self.rounds)} rounds, so none with the number {round_id}.\n"
                "Get the files of the dialogs and of the relevance from the same release."
            )
        return self.rounds[round_id - 1]

    def _at(self, round_id: int) -> str:
        return f"round {round_id} of {self.where}"


@dataclass(frozen=True)
class DialogTexts:
    """All questions and all answers of a file, which dialogs name by their places."""

    path: Path
    questions: tuple[str, ...]
    answers: tuple[str, ...]

    def text(self, part: str, number: object, where: str) -> str:
        """A question or an answer.

        Args:
            part: "questions" or "answers".
            number: its place, counted from 0.
            where: how errors call the record that names it.

        Raises:
            DataError: there is no such place.
        """
        texts = self.questions if part == "questions" else self.answers
        if type(number) is not int or not 0 <= number < len(texts):
            raise DataError(
                f"{where} names number {number!r} of `{part}`, of which there are {len(texts)}.\n"
                "Get the file again from the benchmark's official place, and do not change it."
            )
        return texts[number]


def read_dialogs(path: Path, *, with_options: bool = True) -> Iterator[Dialog]:
    """The dialogs of a file, in its order.

    Args:
        path: of `visdial_1.0_train.json` and its like.
        with_options: whether the answers to choose from are kept. Those of the training file are
            more than a hundred million numbers.

    Raises:
        DataError: the file is missing or damaged.
    """
    whole = read_json(path, dict, without=None if with_options else "answer_options")
    data = field_of(whole, "data", str(path), dict)
    at = f"`data` in {path}"
    texts = DialogTexts(
        path, list_of(data, "questions", at, str), list_of(data, "answers", at, str)
    )
    for number, record in enumerate(field_of(data, "dialogs", at, list), start=1):
        where = place(path, number, "dialogs")
        yield Dialog(
            image_id=field_of(record, "image_id", where, int),
            caption=one_line(field_of(record, "caption", where, str)),
            rounds=tuple(field_of(record, "dialog", where, list)),
            where=where,
            texts=texts,
        )
