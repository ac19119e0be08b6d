"""Cuts pages that a parser would spend minutes or gigabytes on.

An HTML parser's work grows with the square of the nesting, of the formatting elements that stay
open, and of the attributes of one tag. Real pages are far below the bounds here; a page above one
is cut where it passes it, and what comes before is read as usual.
"""

from __future__ import annotations

import re
from collections import Counter

MAX_BYTES = 10_000_000
MAX_TAGS = 400_000
MAX_REOPENED = 500_000
"""Elements that a parser makes anew because formatting was not closed before a block."""
MAX_STEPS = 100_000_000
"""Steps up the tree in search of what a tag closes; a quarter of a second of them."""
MAX_ATTRIBUTES = 5_000
"""Of one tag."""
_MAX_EQUALS = 3 * MAX_TAGS
_FEW_TAGS = 3_000
_MANY_TAGS = 25_000
_LONG_PAGE = 128_000
_SAME_OPEN = 3
"""So many equal formatting elements a parser keeps open, as HTML has it."""
_FORMATTING_NAME = re.compile(rb"<(/?)(b|big|code|em|font|i|s|small|strike|strong|tt|u)[\s/>]")
_FORMATTING = re.compile(
    rb"<(/?)(b|big|code|em|font|i|s|small|strike|strong|tt|u)(?=[\s/>])([^>]*)", re.I
)
_TAG = re.compile(rb"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_EMPTY = frozenset(b"area base br col embed hr img input link meta param source track wbr".split())
_FLAT = frozenset(b"dd dt li option p tbody td tfoot th thead tr".split())
"""Hardly ever right inside of themselves, since the next one ends them."""
_WITH_FLAT = 2
"""Depth that an element adds, together with a flat one in it."""
_IN_TAG = re.compile(
    rb"(?P<opens_double>[\s/]*+=\s*+\")|(?P<opens_single>[\s/]*+=\s*+')"
    rb"|(?P<closes>>)|(?P<begins><[a-zA-Z])"
    rb"|(?P<plain>(?:[^<>=\s\"'/]++|(?![\s/]*+=\s*+[\"'])[\s/=]++|[\"']|<(?![a-zA-Z]))++)"
)
"""What matters in a tag. A quote in a name, or in a bare value, is a letter like others."""
_QUOTED_END = re.compile(rb"=\s*+(?:\"[^\">]*+>|'[^'>]*+>)")
_SEPARATORS = re.compile(rb"[\s/=]++")


def within_bounds(html: bytes) -> bytes:
    """The page, or as much of its beginning as can be parsed in about a second."""
    html = html[:MAX_BYTES]
    # Counting takes a tenth as long as parsing, and a short page cannot have too many of anything.
    for mark, most in ((b"<", MAX_TAGS), (b">", MAX_TAGS), (b"=", _MAX_EQUALS)):
        if len(html) > most and html.count(mark) > most:
            html = mark.join(html.split(mark, most + 1)[: most + 1])
    num_tags = html.count(b"<") if len(html) > _FEW_TAGS else 0
    if len(html) > _LONG_PAGE:
        html = html[: _end_by_attributes(html)]
    if num_tags > _FEW_TAGS:
        html = html[: _end_by_formatting(html)]
    if num_tags > _MANY_TAGS:
        html = html[: _end_by_nesting(html)]
    return html


def _may_have_long_tag(html: bytes) -> bool:
    """Whether some tag may have too many attributes; about no page does.

    A `>` ends a tag, unless it stands in quotes. So a tag is not longer than the longest stretch
    without one, times the number of those that may stand in quotes.
    """
    longest = max(html.split(b">"), key=len)
    num_separators = max(
        (
            len(_SEPARATORS.findall(part))
            for part in html.split(b">")
            if 4 * len(part) > len(longest)
        ),
        default=0,
    )
    most = max(num_separators, len(longest) // 8)
    return most * (1 + len(_QUOTED_END.findall(html))) > MAX_ATTRIBUTES


def _end_by_attributes(html: bytes) -> int:
    """Where the first tag begins that may have too many attributes.

    What looks like a tag may be text, part of a script, or of a value of a tag that began before.
    So each place where one may begin is counted, in one pass from the end: how many attributes
    come before the next `>`, read from outside of a value, and from inside of each kind of quotes.
    """
    if not _may_have_long_tag(html):
        return len(html)
    outside = in_double = in_single = 0
    end = len(html)
    for token in reversed(list(_IN_TAG.finditer(html))):
        kind = token.lastgroup
        if kind == "opens_double":
            outside, in_double = in_double + 1, outside
        elif kind == "opens_single":
            outside, in_single = in_single + 1, outside
        elif kind == "closes":
            outside = 0
        elif kind == "plain":
            run = token.group()
            # A value that reaches the first of its quotes here ends there.
            if (place := run.find(b'"')) >= 0:
                in_double = outside + len(_SEPARATORS.findall(run, place))
            if (place := run.find(b"'")) >= 0:
                in_single = outside + len(_SEPARATORS.findall(run, place))
            outside += len(_SEPARATORS.findall(run))
        elif outside > MAX_ATTRIBUTES:
            end = token.start()
    return end


def _end_by_formatting(html: bytes) -> int:
    if _most_open(html) * html.count(b"<") <= MAX_REOPENED:
        return len(html)
    open_tags: dict[bytes, list[bytes]] = {}
    equal: Counter[bytes] = Counter()
    num_open = reopened = position = 0
    for tag in _FORMATTING.finditer(html):
        if num_open:
            reopened += num_open * html.count(b"<", position, tag.start() + 1)
            if reopened > MAX_REOPENED:
                return tag.start()
        position = tag.start() + 1
        name = tag.group(2).lower()
        same_name = open_tags.setdefault(name, [])
        if not tag.group(1):
            key = name + tag.group(3)
            same_name.append(key)
            equal[key] += 1
            num_open += equal[key] <= _SAME_OPEN
        elif same_name:
            key = same_name.pop()
            num_open -= equal[key] <= _SAME_OPEN
            equal[key] -= 1
    left = max(0, MAX_REOPENED - reopened) // num_open if num_open else 0
    if num_open and html.count(b"<", position) > left:
        return position + len(b"<".join(html[position:].split(b"<", left + 1)[: left + 1]))
    return len(html)


def _most_open(html: bytes) -> int:
    """How many formatting elements are open at once, equal ones counted too."""
    num_open: Counter[bytes] = Counter()
    total = most = 0
    for slash, name in _FORMATTING_NAME.findall(html.lower()):
        if not slash:
            num_open[name] += 1
            total += 1
            most = max(most, total)
        elif num_open[name]:
            num_open[name] -= 1
            total -= 1
    return most


def _end_by_nesting(html: bytes) -> int:
    num_open: Counter[bytes] = Counter()
    depth = steps = 0
    for tag in _TAG.finditer(html):
        name = tag.group(2).lower()
        if name in _EMPTY:
            continue
        if name not in _FLAT:
            if not tag.group(1):
                num_open[name] += 1
                depth += _WITH_FLAT
            elif num_open[name]:
                num_open[name] -= 1
                depth -= _WITH_FLAT
        steps += depth
        if steps > MAX_STEPS:
            return tag.start()
    return len(html)
