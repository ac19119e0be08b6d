"""What a page says of itself: title, language, license, base address."""

from __future__ import annotations

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode, create_tag

from flamingo.data.collection.html.texts import single_spaced

MAX_TITLE = 1_000
MAX_LICENSE = 500
_TITLES = ("og:title", "twitter:title", "dc.title", "dcterms.title")
_LANGUAGES = ("content-language", "dc.language", "og:locale", "language")
_LICENSES = ("license", "dc.rights", "dcterms.license", "dcterms.rights", "dc.rights.license")
_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,3})(?=$|[-_,;\s])")
_META, _TITLE, _BASE, _LINK = (
    create_tag(name).tag_id for name in ("meta", "title", "base", "link")
)
_COMMONS = "creativecommons.org/"


@dataclass(frozen=True)
class Head:
    """What a page says of itself.

    Attributes:
        titles: that it gives, the best first: made for sharing, then for the browser.
        language: the first part of its code: "en".
        license: a URL, or words.
        base: what relative addresses start from.
    """

    titles: tuple[str, ...]
    language: str | None
    license: str | None
    base: str | None


def read_head(tree: LexborHTMLParser, *, has_license: bool = True) -> Head:
    """Reads `<html lang>`, `<title>`, `<meta>`, `<link>` and `<base>`, and links to a license.

    Args:
        tree: of the page.
        has_license: False where the page is known to name no license, which saves a search.
    """
    title, base, license_ = "", None, None
    said: dict[str, str] = {}
    for node in tree.head.iter() if tree.head is not None else ():
        number = node.tag_id
        if number == _META:
            attributes = node.attributes
            key = attributes.get("property") or attributes.get("name")
            key = key or attributes.get("http-equiv")
            if key and (content := attributes.get("content")):
                said.setdefault(key.lower(), content)
        elif number == _TITLE:
            title = title or single_spaced(node.text()[:MAX_TITLE])
        elif number == _BASE:
            base = base or node.attributes.get("href")
        elif number == _LINK and has_license and license_ is None:
            license_ = node.attributes.get("href") if _is_license_link(node) else None
    named = [single_spaced(said[key][:MAX_TITLE]) for key in _TITLES if key in said]
    titles = tuple(one for one in (*named, title) if one)
    license_ = license_ or next((said[key] for key in _LICENSES if key in said), None)
    if license_ is None and has_license:
        license_ = _linked_license(tree)
    return Head(titles, _language(tree, said), _short(license_), base)


def _language(tree: LexborHTMLParser, said: dict[str, str]) -> str | None:
    root = tree.root
    attributes = {} if root is None else root.attributes
    codes = [attributes.get("lang"), attributes.get("xml:lang"), *map(said.get, _LANGUAGES)]
    for code in codes:
        found = _LANGUAGE.match(code) if code else None
        if found:
            return found.group(1).lower()
    return None


def _linked_license(tree: LexborHTMLParser) -> str | None:
    """The target of a link that is marked as the license's, else of one to Creative Commons."""
    commons = None
    for link in tree.css(f'a[rel~="license"],a[href*="{_COMMONS}"]'):
        target = link.attributes.get("href")
        if target and _is_license_link(link):
            return target
        if target and re.search(_COMMONS + "(licenses|publicdomain)/", target):
            commons = commons or target
    return commons


def _is_license_link(link: LexborNode) -> bool:
    return "license" in (link.attributes.get("rel") or "").lower().split()


def _short(text: str | None) -> str | None:
    return single_spaced(text[:MAX_LICENSE]) or None if text else None
