"""The original of the tokenizer, a Java program, for who wants CIDEr to the last digit."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Sequence

from flamingo.foundation.errors import ConfigError


def java_ptb_words(captions: Sequence[str]) -> list[tuple[str, ...]]:
    """The words of captions, lowercase, without punctuation; see `ptb_tokenizer`.

    The package `pycocoevalcap` brings the Java program. It writes a file into its own folder, and
    fails where that is read-only.

    Raises:
        ConfigError: the package or Java is missing.
    """
    try:
        module = importlib.import_module("pycocoevalcap.tokenizer.ptbtokenizer")
    except ImportError as error:
        raise ConfigError(
            "the Java tokenizer needs the package pycocoevalcap, which is not installed.\n"
            "Install it with `pip install pycocoevalcap`, or use 'cider', which needs no Java."
        ) from error
    if shutil.which("java") is None:
        raise ConfigError(
            "the Java tokenizer needs the command `java`, which is not on the path.\n"
            "Install a Java runtime, or use 'cider', which needs none."
        )
    if not captions:
        return []
    # Any other line break than "\n", which the package replaces, would shift all captions after it.
    lines = [" ".join(caption.split()) for caption in captions]
    found = module.PTBTokenizer().tokenize({n: [{"caption": line}] for n, line in enumerate(lines)})
    return [tuple(found[number][0].split()) for number in range(len(lines))]
