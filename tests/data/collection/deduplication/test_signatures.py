"""A signature says what of a page makes it the same as another."""

from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.deduplication import signature_of
from flamingo.data.collection.pages import ImageNode, Page, TextNode
from tests.data.collection.deduplication.pages_for_tests import image, page, text


def test_it_tells_what_the_page_has() -> None:
    own = page(
        "https://www.Example.org/a?utm_source=b#c",
        "A cat.",
        image("cat", look=5, address="https://images.org/cat.png#1"),
        "A white wall.",
        image("white", look=None),
        ImageNode("gone.png"),
        date="2021-03-04T05:06:07Z",
    )
    signature = signature_of(own)
    assert signature.address == "https://www.example.org/a"
    assert signature.moment == 20210304050607
    assert signature.num_words == 5
    assert signature.looks.tolist() == [5, 0, 0]
    assert signature.has_look.tolist() == [True, False, False]
    assert [bool(one) for one in signature.pixels] == [True, True, False]
    assert len(signature.texts) == 2
    assert len(set(signature.sources.tolist())) == 3


def test_pages_are_the_same_in_what_is_the_same() -> None:
    one = signature_of(page("https://www.e.org/1", text(50, 0), image("a")))
    other = signature_of(page("https://e.org/2", text(50, 0), image("b")))
    assert one.url != other.url
    assert one.domain == other.domain
    assert one.whole_text == other.whole_text
    assert one.texts.tolist() == other.texts.tolist()
    np.testing.assert_array_equal(one.minhash, other.minhash)
    assert one.pixels.tolist() != other.pixels.tolist()


def test_paths_are_not_compared_as_addresses() -> None:
    assert signature_of(page("index.html", "a")).url == 0


def test_it_is_the_same_in_every_process_and_on_every_machine() -> None:
    signature = signature_of(page("https://e.org/1", text(50, 0), image("a", 3)))
    digest = hashlib.sha256(signature.minhash.astype("<u4").tobytes()).hexdigest()
    assert digest[:16] == "3cb2803b93001499"
    assert signature.texts.tolist() == [signature.whole_text] == [14423429186350561674]
    assert signature.pixels.tolist() == [int(hashlib.sha256(b"a").hexdigest()[:16], 16)]


NODES = st.lists(
    st.builds(TextNode, st.text(st.characters(), max_size=30))
    | st.builds(ImageNode, st.text(st.characters(), max_size=30)),
    max_size=5,
)


@given(st.text(st.characters(), max_size=30), NODES, st.none() | st.text(max_size=20))
def test_every_page_has_one(address: str, nodes: list[TextNode | ImageNode], date: str) -> None:
    own = Page(address, "", tuple(nodes), date=date)
    signature = signature_of(own)
    assert len(signature.texts) == len(own.texts)
    assert len(signature.pixels) == len(signature.sources) == len(own.images)
