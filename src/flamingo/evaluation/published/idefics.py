"""How IDEFICS' authors asked their models, as the code of their evaluation says.

What is theirs: the prompts that this code selects, letter by letter; the most common answer, or
any of the captions, in supports; two examples as text where there are no shots, the first two of
the support set; beam search of 3 that ends early and may write no line break, for 15 tokens at
most; the words at which answers are cut; OK-VQA by what people wrote, without stems.

What cannot be theirs to the last digit:

- That the printed scores are of the prompts which the code selects is likely, and not said there.
- Their support and query sets were cut by themselves and are not part of that code. Which shots
  and which of their captions are shown hangs on the state of Python's generator; here on the seed
  and the query.
- With `--shots-by rices`, likeness is that of the model's own encoder; theirs was of another CLIP.
- VQA accuracy was computed after a normalization of their own, which is not known here; the
  official one takes its place. VQAv2's and VizWiz's answers are kept by servers.
- Captions were split by the Java tokenizer; see `--metric coco=cider:java`.
- Prompts longer than 1,024 or 2,048 tokens lost their beginning; here they are read.
- Questions and memes' words are on one line here, with one space between words.

Not asked here, though they printed numbers: the base models' HatefulMemes and ImageNet, whose
prompts begin without `<s>` and whose examples have no end, which no prompt of ours can do; VisDial,
TextCaps, NoCaps, ScienceQA, RenderedSST2 and Winoground, whose prompts or files are not known
here. Of the instructed models that code has no prompts for questions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flamingo.evaluation.benchmarks.item import Item
from flamingo.evaluation.published.protocol import (
    Family,
    Protocol,
    Ranking,
    Search,
    ZeroShot,
    any_reference,
    usual_answer,
)
from flamingo.prompting import Template

_SEARCH = Search(length_penalty=1.0, ends_early=True, stops_at_eoc=False, never_written=True)
_END = "<end_of_utterance>"


def raw_answers(item: Item) -> tuple[str, ...]:
    """What people wrote before it was stemmed, for OK-VQA."""
    return tuple(record["raw_answer"] for record in item.details.get("answers", ()))


_CAPTION = Protocol(
    template=Template.parse("Image:<image>Caption: {output}"),
    metric="cider",
    shown_answer=any_reference,
    max_new_tokens=15,
    zero_shot=ZeroShot.FIRST,
    stop_words=("Caption", "Description", "User", "Image", "task", _END),
)
_QUESTION = Protocol(
    template=Template.parse(
        "Image:<image>Question: {question} Answer: {answer}",
        instruction="Instruction: provide an answer to the question. Use the image to answer.\n",
    ),
    metric="vqa-accuracy",
    shown_answer=usual_answer,
    max_new_tokens=15,
    zero_shot=ZeroShot.FIRST,
    stop_words=(
        *("Question", "User", "Image", "task", "What", "Who", "When", "Where", "Why", "How"),
        _END,
    ),
)
_BASE: Mapping[str, Protocol] = {
    "coco": _CAPTION,
    "flickr30k": _CAPTION,
    "vqav2": _QUESTION,
    "okvqa": replace(_QUESTION, references=raw_answers),
    "textvqa": _QUESTION,
    "vizwiz": replace(
        _QUESTION,
        template=replace(
            _QUESTION.template,
            instruction="Task: Answer the questions based on the image when possible, otherwise "
            "say unanswerable.\n",
        ),
    ),
}

_INSTRUCTED_CAPTION = replace(
    _CAPTION,
    template=Template.parse(
        "User:<image>Describe the image briefly.<EOC>Assistant: {output}",
    ),
)
_INSTRUCTED: Mapping[str, Protocol] = {
    "coco": _INSTRUCTED_CAPTION,
    "flickr30k": _INSTRUCTED_CAPTION,
    "hateful-memes": Protocol(
        template=Template.parse(
            'User:<image>is an image with written "{meme_text}" on it. Is it hateful?<EOC>'
            "Assistant: {answer}",
            instruction="The user sends memes with text written on them, and the assistant has "
            "to say whether the meme is hateful or not.\n",
        ),
        metric="roc-auc",
        shown_answer=lambda item, rng: f"{item.answer}.",
        zero_shot=ZeroShot.NOTHING,
    ),
}

IDEFICS = Family("IDEFICS", _BASE, _SEARCH, Ranking())
"""The base models."""

IDEFICS_INSTRUCT = Family(
    "IDEFICS instruct", _INSTRUCTED, _SEARCH, Ranking(end=".", is_closed=True)
)
"""The instructed models."""
