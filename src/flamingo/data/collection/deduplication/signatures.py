"""What of a page is enough to find its duplicates: a kilobyte of hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flamingo.data.collection.deduplication.addresses import (
    canonical_address,
    domain_of,
    is_url,
    moment_of,
)
from flamingo.data.collection.deduplication.minhash import minhash
from flamingo.data.collection.deduplication.shingles import shingles
from flamingo.data.collection.pages import ImageNode, Page

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class PageSignature:
    """A page's hashes, 64 bits each.

    Equal hashes are taken for equal things: among a billion different things some two have the same
    one with a probability of 3 in 100.

    Attributes:
        address: as `canonical_address` spells it.
        url: hash of it; 0 where it is a path, since paths of two folders may be the same.
        domain: hash of `domain_of` it.
        moment: when it was fetched, see `moment_of`.
        num_words: of all texts.
        whole_text: hash of all texts.
        minhash: of the shingles of all texts, uint32 [128].
        texts: hash of each text.
        pixels: of each image the first 64 bits of its sha256; 0 where it was not read.
        looks: of each image the perceptual hash; 0 where it has none.
        has_look: whether each image has a perceptual hash.
        sources: hash of each image's canonical address.
    """

    address: str
    url: int
    domain: int
    moment: int
    num_words: int
    whole_text: int
    minhash: npt.NDArray[np.uint32]
    texts: Hashes
    pixels: Hashes
    looks: Hashes
    has_look: npt.NDArray[np.bool_]
    sources: Hashes


def signature_of(page: Page) -> PageSignature:
    """The signature of a page, whose images should have been read: those that were not have none.

    Texts are compared as `shingles` sees them where they are to be similar, and to the letter
    where they are to be equal.
    """
    address = canonical_address(page.address)
    texts = [node.text for node in page.texts]
    whole = "\n".join(texts)
    images = page.images
    loaded = [node.image for node in images]
    return PageSignature(
        address=address,
        url=hash_of(address) if is_url(address) else 0,
        domain=hash_of(domain_of(address)),
        moment=moment_of(page.date),
        num_words=page.num_words,
        whole_text=hash_of(whole),
        minhash=minhash(shingles(whole)),
        texts=_array(hash_of(text) for text in texts),
        pixels=_array(0 if one is None else pixels_hash(one.sha256) for one in loaded),
        looks=_array((one.perceptual_hash or 0) if one else 0 for one in loaded),
        has_look=np.array(
            [one is not None and one.perceptual_hash is not None for one in loaded], np.bool_
        ),
        sources=_array(_source(node) for node in images),
    )


def hash_of(text: str) -> int:
    """64 bits of a text, never 0."""
    content = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little") or 1


def pixels_hash(sha256: str) -> int:
    """The first 64 bits of a digest in hexadecimal digits, never 0."""
    return int(sha256[:16], 16) or 1


def _source(node: ImageNode) -> int:
    return hash_of(canonical_address(node.address))


def _array(values: Iterable[int]) -> Hashes:
    return np.fromiter(values, np.uint64)
