"""How OpenFlamingo's authors asked their models.

What is theirs: the prompts letter by letter, with the answer of the first person and the first
caption in supports; shots drawn for each query from 2,048 items of the training part; two
examples as text where there are no shots; beam search of 3 without a penalty of length, for at
most 20, 5 or 10 tokens; what is cut off answers; candidates by the mean log-likelihood of their
tokens, without the end of the chunk; VQA accuracy that always normalizes.

Theirs, and a fault: without shots, HatefulMemes is asked with the pictures of its two examples
in place while the prompt has one tag, which stands for the first of them. So the model answers
about another meme's picture than the one whose words it reads. It is done here as well, since
their numbers are made of it.

What cannot be theirs to the last digit:

- Which items are drawn hangs on the state of the generators of Python, numpy and torch, and on
  the number of processes. Here they hang on the seed and the query. The published numbers are
  means over three seeds; give three, and take the mean.
- VQAv2's and VizWiz's published numbers are of servers that keep the answers: ask the parts
  test-dev and test, and hand in what comes out. Of HatefulMemes their script asks the part
  dev_seen.
- With `--shots-by rices`, likeness is that of the encoder's features before CLIP's projection.
- Captions were split by the Java tokenizer of pycocoevalcap; here by one that is equal on 1,464
  captions, or by that one with `--metric coco=cider:java`.
- With several queries in a batch, their scores of candidates were of prompts whose padding was
  read, and came to hang on the batch. Here padding is left out. Prompts longer than 2,000 tokens
  lost their end, the query; here they are read.
- Questions and memes' words are on one line here, with one space between words.
- They computed in bfloat16 by autocast; here as `--dtype` says.

Of the six orders of the shots that their paper tells of, their script asks ImageNet alone, which
is not in the table of their scores: `--ensemble` is left to you.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flamingo.data.released_styles import OPEN_FLAMINGO as STYLE
from flamingo.evaluation.published.protocol import (
    Family,
    Protocol,
    Ranking,
    Search,
    ZeroShot,
    first_caption,
    first_reference,
    usual_answer,
)
from flamingo.prompting import own_templates

_TEMPLATES = own_templates(STYLE["templates"])
_EXAMPLE = ("Question", "Answer", "Short")
"""Where another example begins. For questions an answer is also cut at a list's second entry."""

_CAPTION = Protocol(
    template=_TEMPLATES["caption"],
    metric="cider",
    shown_answer=first_caption,
    max_new_tokens=20,
    stop_words=("Output",),
    dropped='"',
)
_QUESTION = Protocol(
    template=_TEMPLATES["question-answer"],
    metric="vqa-accuracy:open-flamingo",
    shown_answer=first_reference,
    max_new_tokens=5,
    stop_words=(*_EXAMPLE, ", "),
)
_BENCHMARKS: Mapping[str, Protocol] = {
    "coco": _CAPTION,
    "flickr30k": _CAPTION,
    "vqav2": _QUESTION,
    # The first answer as the file has it for scoring, which is stemmed.
    "okvqa": replace(_QUESTION, metric="okvqa-accuracy:nltk", stop_words=_EXAMPLE),
    # Their file numbers the answers, so leaving out what is equal is leaving out by index.
    "textvqa": replace(_QUESTION, metric="vqa-accuracy", max_new_tokens=10),
    "vizwiz": _QUESTION,
    "hateful-memes": Protocol(
        template=_TEMPLATES["hateful-memes"],
        metric="roc-auc",
        shown_answer=usual_answer,
        zero_shot=ZeroShot.DRAWN_AND_SHOWN,
    ),
}

OPEN_FLAMINGO = Family("OpenFlamingo", _BENCHMARKS, Search(), Ranking(is_mean=True))
"""OpenFlamingo 2."""
