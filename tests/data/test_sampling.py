from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.sampling import Sampling
from flamingo.foundation.errors import ConfigError, MediaError


def regular(num_frames: int, fps: float) -> tuple[list[float], float]:
    return [i / fps for i in range(num_frames)], num_frames / fps


def test_one_frame_per_second_from_the_beginning() -> None:
    assert Sampling().choose(*regular(24, 8)) == [0, 8, 16]
    assert Sampling(fps=2).choose(*regular(24, 8)) == [0, 4, 8, 12, 16, 20]


def test_a_part_of_a_second_counts_and_a_rounding_error_does_not() -> None:
    assert Sampling().choose(*regular(20, 8)) == [0, 8, 16]
    assert Sampling().choose([0.0, 1.0, 2.0], 3.01) == [0, 1, 2]


def test_a_slow_video_repeats_no_time_but_may_repeat_a_frame() -> None:
    assert Sampling().choose([0.0, 2.5], 5.0) == [0, 0, 0, 1, 1]


def test_variable_rates_are_followed_by_time() -> None:
    assert Sampling().choose([0.0, 0.1, 0.2, 1.9, 2.0, 2.1], 3.0) == [0, 2, 4]


def test_long_videos_are_thinned_evenly() -> None:
    chosen = Sampling(max_frames=4).choose(*regular(100, 1))
    assert chosen == [12, 37, 62, 87]


@pytest.mark.parametrize(("share", "first"), [(0.0, 0), (0.5, 46), (1.0, 92)])
def test_or_a_stretch_of_them_is_taken_at_the_same_rate(share: float, first: int) -> None:
    chosen = Sampling(max_frames=8, start_share=share).choose(*regular(100, 1))
    assert chosen == list(range(first, first + 8))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_is_short_is_taken_whole(share: float) -> None:
    video = regular(24, 8)
    assert Sampling(start_share=share).choose(*video) == Sampling().choose(*video)
    thinned = Sampling(num_frames=2, start_share=share)
    assert thinned.choose(*video) == Sampling(num_frames=2).choose(*video)


@given(st.integers(1, 300), st.integers(1, 9), st.sampled_from([1.0, 2.5]), st.floats(0.0, 1.0))
def test_a_stretch_stays_inside(frames: int, wanted: int, fps: float, share: float) -> None:
    chosen = Sampling(fps=fps, max_frames=wanted, start_share=share).choose(*regular(frames, 8.0))
    assert len(chosen) <= wanted
    assert chosen == sorted(chosen)
    assert 0 <= chosen[0] <= chosen[-1] < frames


def test_a_time_line_may_begin_anywhere() -> None:
    assert Sampling().choose([7.0, 7.5, 8.0, 8.5], 9.0) == [0, 2]


def test_one_frame_without_duration() -> None:
    assert Sampling().choose([0.0], 0.0) == [0]
    assert Sampling(num_frames=3).choose([0.0], 0.0) == [0, 0, 0]


@given(st.integers(1, 40), st.integers(1, 12), st.sampled_from([1.0, 8.0, 29.97]))
def test_an_exact_number_is_even_and_in_order(frames: int, wanted: int, fps: float) -> None:
    chosen = Sampling(num_frames=wanted).choose(*regular(frames, fps))
    assert len(chosen) == wanted
    assert chosen == sorted(chosen)
    assert chosen[0] >= 0
    assert chosen[-1] < frames
    if wanted == frames:
        assert chosen == list(range(frames))


@pytest.mark.parametrize(
    "settings", [{"fps": 0.0}, {"fps": float("nan")}, {"num_frames": 0}, {"max_frames": -1}]
)
def test_impossible_settings_are_refused(settings: dict) -> None:
    with pytest.raises(ConfigError, match="is impossible"):
        Sampling(**settings)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_start_outside_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match=f"start_share={share} is not a share"):
        Sampling(start_share=share)


def test_a_stretch_of_a_video() -> None:
    assert Sampling(start=1.0, end=3.0).choose(*regular(40, 8)) == [8, 16]
    assert Sampling(start=1.5).choose(*regular(24, 8)) == [12, 20]
    assert Sampling(end=1.5, fps=4).choose(*regular(24, 8)) == [0, 2, 4, 6, 8, 10]
    assert Sampling(start=1.0, end=3.0, num_frames=2).choose(*regular(40, 8)) == [12, 20]
    assert Sampling(start=2.0, end=8.0, max_frames=2, start_share=1.0).choose(*regular(80, 8)) == [
        48,
        56,
    ]


def test_a_stretch_is_counted_from_the_first_frame() -> None:
    assert Sampling(start=0.5, end=1.5).choose([7.0, 7.5, 8.0, 8.5], 9.0) == [1]


def test_a_stretch_begins_with_the_frame_that_is_shown_then() -> None:
    assert Sampling(start=1.0, end=3.0).choose([0.0, 2.5], 5.0) == [0, 0]


@given(
    st.integers(1, 300),
    st.floats(0.0, 30.0),
    st.floats(0.01, 30.0),
    st.sampled_from([{}, {"fps": 2.5}, {"num_frames": 5}, {"max_frames": 3}]),
)
def test_all_frames_of_a_stretch_are_shown_in_it(
    frames: int, start: float, length: float, settings: dict
) -> None:
    starts, duration = regular(frames, 8.0)
    sampling = Sampling(start=start, end=start + length, **settings)
    if start and start >= duration:
        with pytest.raises(MediaError, match="the stretch begins"):
            sampling.choose(starts, duration)
        return
    for position in sampling.choose(starts, duration):
        assert starts[position] < start + length + 0.001
        assert starts[position] + 1 / 8 > start


def test_what_ends_before_the_stretch_does_is_taken_to_its_end() -> None:
    assert Sampling(start=1.0, end=99.0).choose(*regular(24, 8)) == [8, 16]


def test_a_stretch_after_the_end_is_told_with_the_times() -> None:
    with pytest.raises(MediaError, match=r"begins 70.5 s after .* the video has only 3 s"):
        Sampling(start=70.5, end=80.0).choose(*regular(24, 8))


@pytest.mark.parametrize(
    ("start", "end"),
    [(2.0, 2.0), (3.0, 2.0), (-1.0, None), (None, 0.0), (float("nan"), None), (0.0, float("inf"))],
)
def test_an_impossible_stretch_is_refused(start: float | None, end: float | None) -> None:
    with pytest.raises(ConfigError, match=f"from start={start} to end={end} is impossible"):
        Sampling(start=start, end=end)
