"""Processes that answer: what Ctrl-C does while they begin."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from flamingo.evaluation.workers import without_interrupts


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """A shell has what it starts in the background ignore Ctrl-C; here it counts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_until_a_process_was_started() -> None:
    was_started = False
    with pytest.raises(KeyboardInterrupt), without_interrupts():  # noqa: PT012
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        # What is started here has it held back for good.
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set())
        was_started = True
    assert was_started
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())
