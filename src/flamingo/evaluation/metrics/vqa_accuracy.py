"""Accuracy on visual questions that ten people have answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flamingo.evaluation.metrics.mean_of_each import MeanOfEach, answers_of
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.metrics.vqa_normalization import normalized, normalized_as_mmf, one_line
from flamingo.foundation.errors import DataError

Mode = Literal["by-index", "official", "open-flamingo", "mmf"]
Record = Mapping[str, Any]
"""One answer of the official file: `answer`, `answer_confidence`, and `answer_id` if it has any."""


def leave_one_out(prediction: str, answers: Sequence[str]) -> float:
    """The mean over people of min(n / 3, 1), where n of the *other* people gave the prediction.

    All is compared as it is written. With three answers or fewer even the best is below 1.
    """
    same = sum(answer == prediction for answer in answers)
    others = len(answers) - same
    # Those who gave the prediction are left out of their own count.
    return (same * min((same - 1) / 3, 1) + others * min(same / 3, 1)) / len(answers)


def leave_equals_out(prediction: str, records: Sequence[Record]) -> float:
    """Like `leave_one_out`, but all records that equal a person's own are left out with it.

    So if records hold nothing that tells people apart, those who answered alike and were alike
    confident all vanish together, and an answer that everyone gave is worth nothing.
    """
    shares = []
    for own in records:
        others = [record for record in records if record != own]
        shares.append(min(sum(record["answer"] == prediction for record in others) / 3, 1))
    return sum(shares) / len(shares)


@dataclass(frozen=True)
class VqaAccuracy(MeanOfEach):
    """VQA accuracy, in one of the ways in which it is computed.

    - "by-index", the default: everything is normalized, and each person's answer is left out by
      its place. It is what the metric's paper means, and what all agree on where people's answers
      differ and every record has an `answer_id`, as in VQAv2 and OK-VQA.
    - "official": the newest code of the VQA challenge. It leaves out all equal records at once,
      which matters where they have no `answer_id`, as those of VizWiz: the same predictions get
      55.3 there that get 74.5 by index. And it normalizes only if people's answers differ, so
      where all agree, "Red." is wrong if they wrote "red".
    - "open-flamingo": leaves out equal records too, but always normalizes. OpenFlamingo's
      published numbers are of this kind. (Its evaluation also cuts a prediction at the first
      ", ", which is not the metric's part.)
    - "mmf": TextVQA's evaluator, by place, with a normalization that differs in details.

    "official" and "open-flamingo" need the official records, as a list in the detail `answers`,
    in the order of the references.

    Two answers at least are needed: with one, nobody is left to compare with.

    Paper: App. B.1 (VQAv2, OK-VQA, TextVQA, VizWiz).
    """

    mode: Mode = "by-index"

    @property
    def name(self) -> str:
        """What the number is called in tables."""
        return "VQA accuracy" + ("" if self.mode == "by-index" else f" ({self.mode})")

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        """0 to 1 by answer.

        Raises:
            DataError: an outcome has fewer than two references, or the mode needs records.
        """
        return [self._worth(outcome) for outcome in outcomes]

    def _worth(self, outcome: Outcome) -> float:
        answers = several_answers_of(outcome)
        if self.mode == "by-index":
            return leave_one_out(normalized(outcome.prediction), [*map(normalized, answers)])
        if self.mode == "mmf":
            mmf = normalized_as_mmf
            return leave_one_out(mmf(outcome.prediction), [*map(mmf, answers)])
        is_plain = self.mode == "official" and len({*map(one_line, answers)}) == 1
        alike: Callable[[str], str] = one_line if is_plain else normalized
        records = [
            {**record, "answer": alike(answer)}
            for record, answer in zip(_records_of(outcome), answers, strict=True)
        ]
        return leave_equals_out(alike(outcome.prediction), records)


def several_answers_of(outcome: Outcome) -> tuple[str, ...]:
    """What people answered.

    Raises:
        DataError: there are fewer than two answers.
    """
    answers = answers_of(outcome)
    if len(answers) == 1:
        raise DataError(
            f"a question has one reference, {answers[0]!r}; VQA accuracy compares people's "
            "answers with those of others.\nUse the metric 'accuracy' for single answers."
        )
    return answers


def _records_of(outcome: Outcome) -> Sequence[Record]:
    records = outcome.details.get("answers", ())
    if len(records) != len(outcome.references):
        raise DataError(
            f"an outcome has {len(outcome.references)} references, and its detail 'answers' holds "
            f"{len(records)} records.\nThis way of computing VQA accuracy needs the official "
            "file's record of every answer; 'vqa-accuracy' does without."
        )
    return list(records)
