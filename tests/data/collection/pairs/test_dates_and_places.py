from __future__ import annotations

import time

import pytest

from flamingo.data.collection.pairs.dates_and_places import without_dates, without_places


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("A dog runs on March 3, 2019.", "A dog runs."),
        ("A dog runs on Monday, March 3rd, 2019, at noon", "A dog runs, at noon"),
        ("A woman (March 2019) in a red dress", "A woman in a red dress"),
        ("Photo taken on 2019-03-03 of a boat", "Photo of a boat"),
        ("Sat 5 May 2012: the parade", "the parade"),
        ("On 12/05/2014 we saw a bird", "we saw a bird"),
        ("The 2010 Ford Focus in 2014", "The 2010 Ford Focus"),
        ("Cats, May 12, 2020, and dogs", "Cats, and dogs"),
        ("March 3, 2019", ""),
        # None of these is a date.
        ("People may march 20 miles", "People may march 20 miles"),
        ("Version 12.10.11 of the chart", "Version 12.10.11 of the chart"),
        ("The 25 April Bridge at night", "The 25 April Bridge at night"),
        ("A may pole and 3 dogs", "A may pole and 3 dogs"),
        ("Windows 2000 in a box, size 3-4", "Windows 2000 in a box, size 3-4"),
        ("", ""),
    ],
)
def test_dates_go_with_the_words_that_lead_to_them(text: str, left: str) -> None:
    assert without_dates(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("A dog runs in Paris, France.", "A dog runs."),
        ("Sunset near Lake Tahoe, California, with boats", "Sunset, with boats"),
        ("LONDON, ENGLAND - A prince arrives", "A prince arrives"),
        ("NEW YORK: crowds in the street", "crowds in the street"),
        # These may be anything.
        ("A woman in Prada", "A woman in Prada"),
        ("A man in Levi's, wearing a hat", "A man in Levi's, wearing a hat"),
        ("A dog: it runs", "A dog: it runs"),
        ("A lake near St. Louis, Missouri", "A lake"),
        ("in Paris, France", ""),
    ],
)
def test_places_go_where_their_form_tells(text: str, left: str) -> None:
    assert without_places(text) == left


def test_agency_captions_lose_both() -> None:
    text = "LONDON, ENGLAND - MARCH 03: A prince arrives at the gala in London, England."
    assert without_places(without_dates(text)) == "A prince arrives at the gala."


@pytest.mark.parametrize(
    "piece", ["in ", "A ", "1", ", ", "in A", "A.A ", "Mon ", ",;:", "( ", "on 3 May ", "A-A'"]
)
def test_hostile_texts_take_no_time(piece: str) -> None:
    text = (piece * 5000)[:5000]
    start = time.process_time()
    without_places(without_dates(text))
    assert time.process_time() - start < 1
