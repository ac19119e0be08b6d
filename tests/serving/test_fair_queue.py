"""Clients take turns."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.serving.fair_queue import FairQueue


def taken(queue: FairQueue[str]) -> list[str]:
    found = []
    while (thing := queue.take()) is not None:
        found.append(thing)
    return found


def test_one_request_does_not_wait_behind_many_of_another_client() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(5):
        queue.put(f"a{number}", "a")
    queue.put("b0", "b")
    queue.put("c0", "c")
    assert taken(queue) == ["a0", "b0", "c0", "a1", "a2", "a3", "a4"]


def test_who_comes_new_waits_for_one_turn_of_each() -> None:
    queue: FairQueue[str] = FairQueue()
    for name in ("a0", "a1", "a2"):
        queue.put(name, "a")
    assert queue.take() == "a0"
    queue.put("b0", "b")
    queue.put("b1", "b")
    assert taken(queue) == ["a1", "b0", "a2", "b1"]


def test_things_are_taken_out() -> None:
    queue: FairQueue[str] = FairQueue()
    for name in ("a0", "a1", "b0", "c0"):
        queue.put(name, name[0])
    assert queue.remove(lambda thing: thing in ("a1", "b0")) == ["a1", "b0"]
    assert len(queue) == 2
    assert taken(queue) == ["a0", "c0"]
    assert queue.remove(lambda thing: True) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2)), max_size=40))
def test_all_come_out_once_in_their_clients_order(steps: list[tuple[str, int]]) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue()
    put, got = [], []
    for number, (client, action) in enumerate(steps):
        if action:
            queue.put((client, number), client)
            put.append((client, number))
        elif (thing := queue.take()) is not None:
            got.append(thing)
        assert len(queue) == len(put) - len(got)
    while (thing := queue.take()) is not None:
        got.append(thing)
    assert sorted(got) == sorted(put)
    for client in "abcd":
        own = [number for name, number in got if name == client]
        assert own == sorted(own)
