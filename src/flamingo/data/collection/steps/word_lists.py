"""Lists of words: those that are flagged as explicit, and those of files."""

from __future__ import annotations

import codecs
from functools import cache
from pathlib import Path

from flamingo.foundation.errors import ConfigError, reason

_FLAGGED = """
    nany oneronpx oqfz oybjwbo oybjwbof ohxxnxr pnztvey pnztveyf pbpxfhpxvat pernzcvr phzfubg
    phzfubgf phaavyvathf qrrcguebng qvyqb qvyqbf qbttlfglyr qbzvangevk rebgvp rebgvpn sryyngvb
    srzqbz svfgvat sbbgwbo tnatonat tnatonatf unaqwbo uragnv ubeal znfgheongr znfgheongrq
    znfgheongvat znfgheongvba zvys zvysf afsj alzcubznavnp betvrf betl cbea cbeab cbeabtencuvp
    cbeabtencul cbeafgne cbeafgnef fyhg fyhgf fyhggl fgencba guerrfbzr guerrfbzrf gvggvrf hcfxveg
    juber juberf
"""


@cache
def flagged_words() -> frozenset[str]:
    """English words that pages with explicit content use and others hardly do.

    A short list of ours. In the source it stands in ROT13, so that nobody has to read it in
    passing.
    """
    return frozenset(codecs.decode(_FLAGGED, "rot13").split())


@cache
def words_in(path: Path) -> frozenset[str]:
    """The words of a file, one a line, in small letters; empty lines do not count.

    Raises:
        ConfigError: the file cannot be read, is not UTF-8, or has no word.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise ConfigError(f"The list of words {path} cannot be read: {reason(error)}") from error
    words = frozenset(line.strip().lower() for line in lines) - {""}
    if not words:
        raise ConfigError(f"The list of words {path} is empty.\nWrite one word a line.")
    return words
