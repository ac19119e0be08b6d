"""How prompts of the released Flamingos are written, and how their pictures are made ready.

Each mapping holds settings of `FlamingoProcessor`, or of `FlamingoImageProcessor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flamingo.data.chat_template import chat_template, dialogue_template

_VIDEO = "<video>"

OPEN_FLAMINGO: Mapping[str, Any] = {
    "image_tag": "<image>",
    "video_tag": _VIDEO,
    "eoc_tag": "<|endofchunk|>",
    "pad_tag": "<PAD>",
    "begins_with_bos": False,
    "after_eoc": "\n",
    "whole_text": True,
    "chat_template": chat_template(
        "<image>", _VIDEO, "<|endofchunk|>", begins_with_bos=False, after_eoc="\n", separator=""
    ),
    "templates": {
        "caption": "Output:{output}",
        "question-answer": "Question:{question} Short answer:{answer}",
        "hateful-memes": {
            "pattern": "is an image with: '{meme_text}' written on it. "
            "Is it hateful? Answer:{answer}",
            "ends_bare": True,
        },
    },
}
"""OpenFlamingo 2: prompts as in its evaluation, where only classification has no line break
between examples. The chat template is ours: turns are the examples of such a prompt."""

OPEN_FLAMINGO_PICTURES: Mapping[str, Any] = {
    "size": 224,
    "image_mean": (0.48145466, 0.4578275, 0.40821073),
    "image_std": (0.26862954, 0.26130258, 0.27577711),
    "fit": "crop",
    "reading": "open_clip",
}
"""What open_clip does for OpenAI's ViT-L/14, the vision encoder of all released OpenFlamingos."""

OPEN_FLAMINGO_ADDED = ("<|endofchunk|>", "<image>", "<PAD>")
"""The tokens that OpenFlamingo adds to its language model's tokenizer, in the order of their ids;
the last one only where the tokenizer has no token that fills up rows."""

OPEN_FLAMINGO_TOKENIZERS: Mapping[str, str] = {
    "OpenFlamingo-3B-vitl-mpt1b": "anas-awadalla/mpt-1b-redpajama-200b",
    "OpenFlamingo-3B-vitl-mpt1b-langinstruct": "anas-awadalla/mpt-1b-redpajama-200b-dolly",
    "OpenFlamingo-4B-vitl-rpj3b": "togethercomputer/RedPajama-INCITE-Base-3B-v1",
    "OpenFlamingo-4B-vitl-rpj3b-langinstruct": "togethercomputer/RedPajama-INCITE-Instruct-3B-v1",
    "OpenFlamingo-9B-vitl-mpt7b": "anas-awadalla/mpt-7b",
}
"""By the last part of a released checkpoint's name: where its tokenizer is."""

_AROUND = "<fake_token_around_image>"
END_OF_UTTERANCE = "<end_of_utterance>"
"""Ends a turn; only the instructed IDEFICS know it."""

IDEFICS: Mapping[str, Any] = {
    "image_tag": "<image>",
    "video_tag": _VIDEO,
    "eoc_tag": "\n",
    "eoc_as_text": True,
    "around_image": _AROUND,
    "closes_before_visuals": False,
    "whole_text": True,
    "chat_template": dialogue_template("<image>", _VIDEO, "\n"),
    "templates": {
        "caption": {
            "pattern": "Image:<image>Caption: {output}",
        },
        "question-answer": {
            "instruction": "Instruction: provide an answer to the question. "
            "Use the image to answer.\n",
            "pattern": "Image:<image>Question: {question} Answer: {answer}",
        },
    },
}
"""The base IDEFICS: markup as `IdeficsProcessor` of transformers writes it, templates of the
evaluation that its authors published. It has no token for the end of a chunk: an example ends
with its line. Dialogues are written as in that processor's documentation."""

IDEFICS_INSTRUCT: Mapping[str, Any] = {
    **IDEFICS,
    "eoc_tag": END_OF_UTTERANCE,
    "eoc_as_text": False,
    "after_eoc": "\n",
    "chat_template": dialogue_template("<image>", _VIDEO, END_OF_UTTERANCE, after_eoc="\n"),
    "templates": {
        "caption": "User:<image>Describe this image in one short sentence.<EOC>Assistant: {output}",
        "question-answer": "User:<image>{question}<EOC>Assistant: {answer}",
    },
}
"""The instructed IDEFICS: turns as in its model card (from memory, not checked against the file).
What the user says in the caption template is ours."""

IDEFICS_PICTURES: Mapping[str, Any] = {"fit": "squash", "reading": "idefics"}
"""Size, mean and standard deviation are the checkpoint's own."""
