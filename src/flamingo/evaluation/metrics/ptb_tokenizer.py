"""Captions as words, as the tokenizer of the Penn Treebank in Stanford CoreNLP 3.4.1 makes them.

CIDEr is defined over the words that this Java program makes of captions, in lowercase and with
most punctuation taken away. These are own rules, found by comparison with it. What may surprise:

- The official list of what is taken away has "-LRB-", but words are lowercase: brackets stay, as
  the words "-lrb-" and "-rrb-".
- "?!" and "!!" are words that stay too, as only "?" and "!" are on that list.
- Contractions are two words: "do n't", "dog 's", "can not", "gon na".
- A period inside a word stays there: "end.Start" is one word. Abbreviations and single letters
  keep theirs: "u.s.", "mr.", "plan b.".
- Characters outside the basic plane, such as most emoji, vanish.

The Java program looks beyond the end of a caption into the next one of its file, in rare cases
such as "no." at the end before a number; here every caption is on its own.
"""

from __future__ import annotations

import re
from functools import lru_cache

from flamingo.evaluation.metrics.ptb_abbreviations import (
    ABBREVIATIONS,
    CAPITALIZED_ABBREVIATIONS,
    NUMBER_ABBREVIATIONS,
    SENTENCE_STARTS,
)

_APOSTROPHE = "['’]"
_LETTER = r"[^\W\d_½¼¾²³¹]"
_ALNUM = rf"(?:{_LETTER}|\d)"
_URL_TAIL = r"[^\s\"<>|()]+[^\s\"<>|.!?,;:()\-]"
_ABBREVIATION = "|".join(map(re.escape, ABBREVIATIONS))

_RULES = {
    "tag": r"</?[A-Za-z!?](?!ttps?:)[^<>]*>",
    "url": (
        rf"https?://{_URL_TAIL}"
        rf"|(?<!\w)www\.(?:[^\s\"<>|().]+\.)+[A-Za-z]{{2,4}}(?:/{_URL_TAIL})?"
    ),
    "site": rf"(?:[A-Za-z0-9\-]+\.)+(?:com|net|org|edu)(?:/{_URL_TAIL})?(?!\w)",
    "mail": (
        r"[A-Za-z0-9](?:[^\s\"<>|(){}\[\],;:@]*\w)?"
        r"@(?:[^\s\"<>|(){}\[\].,;:@]+\.)*[A-Za-z0-9\-]+"
    ),
    "smiley": r"[<>]?[:;=][\-o*']?[()DPdpO\\{@|\[\]](?![A-Za-z])",
    "handle": r"[@#][A-Za-z_]\w*",
    "decade": rf"{_APOSTROPHE}(?:[2-9]0s\b|\d\ds?(?!\S))",
    "ampersand": r"&amp;",
    "two_words": r"(?i:can(?=not\b)|(?:gon|wan)(?=na\b)|(?:gim|lem)(?=me\b)|got(?=ta\b))",
    "it_is": rf"(?i:{_APOSTROPHE}t(?=(?:is|was)\b))",
    "clipped": rf"(?i:{_APOSTROPHE}(?:em|cause|til|till|n{_APOSTROPHE}?)\b{_APOSTROPHE}?)",
    "you": rf"(?i:y{_APOSTROPHE}(?=\w))",
    "joined": (
        rf"(?i:[dol]{_APOSTROPHE}{_LETTER}{{2,}}(?:-{_LETTER}+)*)\b"
        rf"|(?i:c{_APOSTROPHE}mon|nat{_APOSTROPHE}l)\b"
        rf"|[A-HJ-XZn]{_APOSTROPHE}{_LETTER}{{2,}}"
        rf"|{_LETTER}*[aeiouyAEIOUY]{_APOSTROPHE}[aeiouA-Z]{_LETTER}*"
    ),
    "elided": rf"(?i:[dlj]{_APOSTROPHE}(?=\w))",
    "slashed": r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2}",
    "before_not": rf"(?i:{_ALNUM}+?(?=n{_APOSTROPHE}t\b))",
    "not": rf"(?i:n{_APOSTROPHE}t\b)",
    "ending": rf"(?i:{_APOSTROPHE}(?:[msd]|re|ve|ll)\b)",
    "hyphenated": (
        rf"[A-Za-z0-9][A-Za-z0-9%.,]*(?:-[A-Za-z0-9]+)+|{_LETTER}{_ALNUM}*(?:-{_ALNUM}+)+"
    ),
    "abbreviation": (
        rf"(?i:\b(?:{_ABBREVIATION})\.)(?!\w)|\b(?:{'|'.join(CAPITALIZED_ABBREVIATIONS)})\.(?!\w)"
        rf"|(?i:\b(?:{'|'.join(NUMBER_ABBREVIATIONS)})\.(?=\s*\d))|(?i:\bdec\.(?=\d))"
    ),
    "initials": (
        rf"(?<!\w){_LETTER}(?:\.{_LETTER})+\.(?!\w)|(?<!\w){_LETTER}\.(?=\d)"
        rf"|(?<!\w){_LETTER}\.(?!\w|\s+(?:{'|'.join(SENTENCE_STARTS)})\b)"
    ),
    "number_and_letters": rf"\d+{_LETTER}{_ALNUM}*(?:\.{_LETTER}{_ALNUM}*)*",
    "number": r"[\-+]?(?:\d+(?:[.:,]\d+)*|(?:[.:,]\d+)+)",
    "identifier": rf"{_ALNUM}+(?:_{_ALNUM}+)+",
    "word": rf"{_LETTER}{_ALNUM}*(?:[.!?]{_LETTER}{_ALNUM}*)*",
    "ellipsis": r"\.(?:\s?\.){2,}|…",
    "dash": r"-{2,4}(?!-)|[–—]",
    "run": r"-{5,}|[?!]+|[#*]+|_+|>>|<<",
    "mark": r"\S",
}
_TOKEN = re.compile("|".join(f"(?P<{name}>{rule})" for name, rule in _RULES.items()))

_NAMES = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
_REWRITTEN = _NAMES | {"½": "1/2", "¼": "1/4", "¾": "3/4", "£": "#", "€": "$", "¢": "cents"}
_QUOTES = frozenset('"“”‘’«»„')
_TAKEN_AWAY = frozenset(["''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"])
_KEEPS_CURLY = frozenset({"joined", "tag", "url"})


@lru_cache(maxsize=2**17)
def ptb_words(caption: str) -> tuple[str, ...]:
    """The words of a caption, lowercase, without punctuation."""
    words = (
        word
        for match in _TOKEN.finditer(caption)
        for word in _written(match.lastgroup or "", match.group()).lower().split()
    )
    return tuple(word for word in words if word not in _TAKEN_AWAY)


def _written(rule: str, text: str) -> str:
    """A token as the Java program writes it."""
    if rule == "mark":
        is_silent = text in _QUOTES or ord(text) > 0xFFFF
        return "" if is_silent else _REWRITTEN.get(text, text)
    if rule == "smiley":
        return text.replace("(", "-lrb-").replace(")", "-rrb-")
    if rule in ("ellipsis", "dash", "ampersand"):
        return {"ellipsis": "...", "dash": "--", "ampersand": "&"}[rule]
    return text if rule in _KEEPS_CURLY else text.replace("’", "'")
