"""Which parts of a page its own markup tells to be no content: menus, banners, hidden things."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache

from flamingo.data.collection.html.texts import word_set


class Verdict(Enum):
    """What to do with an element."""

    KEEP = "keep"
    DROP = "drop"
    HEADER = "header"
    """Only headings are kept of it: it is the head of a page, with its title maybe."""
    MAIN = "main"
    """It is the main part of the page."""
    ASIDE = "aside"
    """It stays only if it is prose: pages call boxes in a text and columns of links "sidebar"."""
    CAPTION = "caption"
    """Its texts say what an image shows."""


Attributes = Mapping[str, str | None]
Judge = Callable[[str | None], Verdict]
"""Judges an element by the value of one attribute; None is an attribute without value."""

PARTS = word_set(
    "nav navbar navbox navigation navheader navfooter sidenav topnav menu menubar submenu "
    "breadcrumb breadcrumbs footer sidebar cookie cookies consent gdpr newsletter subscribe "
    "subscription signup login advert adverts advertisement advertising ad ads adsense adsbygoogle "
    "sponsor sponsored promo promotion related recommended recommendations share sharing social "
    "comments commentlist disqus respond pagination pager paging toc popup modal skiplink "
    "searchbox searchform toolbar topbar catlinks printfooter editsection noprint tagcloud "
    "taglist avatar gravatar headerlink permalink linenos lineno copybtn"
)
"""An element is boilerplate where a class or id has one of these as a word: "site-footer"."""
TOKENS = word_set(
    "comment search search-form skip-link skip-to-content sr-only visually-hidden "
    "screen-reader-text d-none invisible hidden print-only widget tags tag-list tag-links "
    "post-tags post-meta entry-meta article-meta byline author-box author-bio about-author "
    "more-link read-more back-to-top copyright logo spinner mw-jump-link siteNotice "
    "sphx-glr-signature sphx-glr-timing sphx-glr-download-link-note"
)
"""Or where a class or id is one of these as a whole."""
IDS = word_set("search copyright logo siteNotice mw-jump-link back-to-top")
"""And these ids."""
HEADERS = word_set("header masthead site-header siteheader global-header top-header")
CAPTIONS = frozenset(("caption", "figcaption"))
HOLDERS_FIRST = word_set("has with no without layout category tag type status format")
HOLDERS_LAST = word_set("wrap wrapper container content main body layout root app holder")
"""A name that begins or ends so is that of something around it all, or of its topic:
"has-sidebar", "category-sharing"."""
BESIDE_PARTS = word_set(
    "area bar block bottom box site page main left right top primary secondary global local header "
    "list panel banner notice section wrapper wp mw p js the post entry article id"
)
"""Ids are often made of a heading's words, as in "several-people-sharing-one-file"; those of
boilerplate have no other words than these beside its name."""
ROLES = {
    **dict.fromkeys(
        word_set(
            "navigation contentinfo search complementary dialog alertdialog menu menubar toolbar "
            "tablist"
        ),
        Verdict.DROP,
    ),
    "banner": Verdict.HEADER,
    "main": Verdict.MAIN,
}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_MAX_NAMES = 2_000


def words_of(name: str) -> list[str]:
    """The words in a name, lower case, without numbers: "siteHeader-2" has two."""
    return [word.lower() for word in _WORD.findall(name)]


@lru_cache(maxsize=65_536)
def judge_classes(classes: str | None) -> Verdict:
    """What the classes of an element tell."""
    verdict = Verdict.KEEP
    for token in (classes or "")[:_MAX_NAMES].split():
        if token in TOKENS and not (token == "hidden" and ":" in (classes or "")):
            return Verdict.DROP  # but "hidden md:block" is seen on wide screens
        words = words_of(token)
        if token == "sidebar":
            verdict = Verdict.ASIDE
            continue
        if token.lower() in HEADERS:
            verdict = Verdict.HEADER
        elif not CAPTIONS.isdisjoint(words):
            verdict = Verdict.CAPTION
        if PARTS.isdisjoint(words) or words[0] in HOLDERS_FIRST or words[-1] in HOLDERS_LAST:
            continue
        return Verdict.DROP
    return verdict


@lru_cache(maxsize=65_536)
def judge_id(name: str | None) -> Verdict:
    """What the id of an element tells."""
    name = (name or "")[:_MAX_NAMES].strip()
    if name.lower() in HEADERS:
        return Verdict.HEADER
    words = words_of(name)
    is_part = not PARTS.isdisjoint(words) and (PARTS | BESIDE_PARTS).issuperset(words)
    is_around = is_part and words[-1] in HOLDERS_LAST
    return Verdict.DROP if (is_part and not is_around) or name in IDS else Verdict.KEEP


@lru_cache(maxsize=65_536)
def _judge_style(style: str | None) -> Verdict:
    return Verdict.DROP if _UNSEEN.search((style or "")[:_MAX_NAMES]) else Verdict.KEEP


def _judge_item_type(item: str | None) -> Verdict:
    is_trail = (item or "").rstrip("/").endswith("BreadcrumbList")
    return Verdict.DROP if is_trail else Verdict.KEEP


def _judge_aria_hidden(value: str | None) -> Verdict:
    return Verdict.DROP if value == "true" else Verdict.KEEP


def _judge_role(value: str | None) -> Verdict:
    return ROLES.get((value or "").strip().lower(), Verdict.KEEP)


def _judge_hidden(value: str | None) -> Verdict:
    return Verdict.DROP


BY_ROLE: Mapping[str, Judge] = {
    "aria-hidden": _judge_aria_hidden,
    "hidden": _judge_hidden,
    "itemtype": _judge_item_type,
    "role": _judge_role,
    "style": _judge_style,
}
"""Judges by attributes that say what an element does; these are hardly ever wrong."""
BY_CLASS: Mapping[str, Judge] = {**BY_ROLE, "class": judge_classes}
BY_NAME: Mapping[str, Judge] = {**BY_CLASS, "id": judge_id}


def judge(attributes: Attributes, judges: Mapping[str, Judge]) -> Verdict:
    """The first verdict that is not to keep the element, one to drop it before all others."""
    verdict = Verdict.KEEP
    for name, value in attributes.items():
        judged = judges.get(name)
        if judged is not None and (found := judged(value)) is not Verdict.KEEP:
            if found is Verdict.DROP:
                return found
            verdict = found
    return verdict
