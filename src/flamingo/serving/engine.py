"""One thread that owns the model, and works on many requests at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flamingo.inference.predictor import Predictor
from flamingo.inference.room import READ_AT_ONCE
from flamingo.serving.accepted import Accepted
from flamingo.serving.errors import Busy, JobTimeout, Stopping
from flamingo.serving.events import Event, Failed
from flamingo.serving.fair_queue import FairQueue
from flamingo.serving.jobs import Job
from flamingo.serving.limits import Limits
from flamingo.serving.running import Running
from flamingo.serving.work import Work

_log = logging.getLogger("flamingo.serving")

_LONGEST_WAIT = 0.05
"""Seconds after which waiting jobs are looked through for those that nobody wants any more."""


@dataclass(frozen=True)
class EngineStats:
    """What the engine does at this moment, and did so far.

    Attributes:
        num_waiting: jobs that were accepted and not begun.
        num_running: answers that are written.
        num_batches: sets of answers that take turns.
        num_prefixes: beginnings of prompts that are kept.
        prefix_bytes: of their keys and values.
        num_visuals: images and clips whose visual tokens are kept.
        pixel_bytes: of all accepted jobs together.
        num_accepted: jobs so far.
        num_refused: jobs for which there was no room.
        num_failed: jobs that came to nothing by a fault of the server.
        num_steps: passes through the model that each wrote one token of some answers.
        num_written: tokens that these wrote.
    """

    num_waiting: int
    num_running: int
    num_batches: int
    num_prefixes: int
    prefix_bytes: int
    num_visuals: int
    pixel_bytes: int
    num_accepted: int
    num_refused: int
    num_failed: int
    num_steps: int
    num_written: int


class Ticket:
    """A job that was accepted.

    Args:
        cancel: called when nobody wants the answer any more.
    """

    def __init__(self, cancel: Callable[[], None]) -> None:
        self.cancel = cancel


class Engine:
    """Answers jobs of many clients with one model.

    What waits is taken in turns of clients, as many jobs as there is room for, and is read together
    whatever supports, shots and lengths they have. Their answers are written side by side. Sets of
    answers that began at different times take turns, one token each: a short answer does not wait
    for a long one. What prompts begin with is kept, and so are visual tokens.

    Args:
        predictor: the model; nobody else may use it while the engine runs.
        limits: how much is taken on.
    """

    def __init__(self, predictor: Predictor, limits: Limits) -> None:
        self.predictor, self.limits = predictor, limits
        self._work = Work(predictor, limits)
        self._queue: FairQueue[Accepted] = FairQueue()
        self._running: list[Running] = []
        self._open: set[Accepted] = set()
        self._changed = threading.Condition()
        self._is_stopping = False
        self._stop_at: float | None = None
        self._num_accepted = self._num_refused = self._num_failed = 0
        self._seconds_per_job = 0.1
        self._told = self._progress()
        self._thread = threading.Thread(target=self._run, name="flamingo-engine", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    def stop(self, seconds: int | float) -> None:
        """Takes nothing new, finishes what was accepted, and returns when all is said.

        Args:
            seconds: after which the rest fails with `Stopping`.
        """
        with self._changed:
            self._is_stopping = True
            self._stop_at = time.monotonic() + seconds
            self._changed.notify()
        if self._thread.is_alive():
            # A pass through the model is never cut off in the middle.
            self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether it works."""
        return self._thread.is_alive()

    @property
    def is_stopping(self) -> bool:
        """Whether it takes nothing new."""
        return self._is_stopping

    def submit(
        self,
        job: Job,
        deliver: Callable[[Event], None],
        *,
        client: str = "",
        since: float | None = None,
    ) -> Ticket:
        """Accepts a job.

        Args:
            job: what is wanted.
            deliver: is given each event, on the engine's thread; must not wait.
            client: who asks. Each client has its turn.
            since: when the request came of which this is a part, on the clock of
                `time.monotonic`; now if not given. What it may take counts from there.

        Raises:
            Busy: there is no room for it now.
            Stopping: nothing new is taken.
        """
        num_bytes = job.prompt.num_bytes
        with self._changed:
            if self._is_stopping or not self._thread.is_alive():
                raise Stopping("The server is stopping and takes no new requests.")
            self._check_room(num_bytes)
            deadline = (time.monotonic() if since is None else since) + self.limits.seconds
            accepted = Accepted(job, deliver, client, deadline, num_bytes)
            self._open.add(accepted)
            self._queue.put(accepted, client)
            self._num_accepted += 1
            self._changed.notify()
        return Ticket(lambda: self._cancel(accepted))

    def stats(self) -> EngineStats:
        """What it does at this moment."""
        with self._changed:
            return EngineStats(
                num_waiting=len(self._queue),
                pixel_bytes=sum(one.num_bytes for one in self._open),
                num_accepted=self._num_accepted,
                num_refused=self._num_refused,
                num_failed=self._num_failed,
                **self._told,
            )

    def _check_room(self, num_bytes: int) -> None:
        pixels = sum(one.num_bytes for one in self._open)
        is_full = len(self._queue) >= self.limits.queued
        if is_full or (pixels and pixels + num_bytes > self.limits.pixel_bytes):
            self._num_refused += 1
            what = (
                f"{len(self._queue)} requests wait already"
                if is_full
                else f"the pictures of waiting requests fill {pixels:,} bytes already"
            )
            wait = len(self._queue) * self._seconds_per_job
            raise Busy(f"The server is busy: {what}. Try again later.", min(60.0, max(1.0, wait)))

    def _cancel(self, accepted: Accepted) -> None:
        with self._changed:
            accepted.is_cancelled = True
            self._changed.notify()

    # --- on the engine's own thread -----------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except BaseException:
            # Nothing that a job raises comes here; without the thread nobody would be answered.
            _log.critical("The engine has stopped working.", exc_info=True)
            raise
        finally:
            with self._changed:
                self._is_stopping = True
                left, self._open = self._open, set()
            for accepted in left:
                accepted.say(Failed(Stopping("The server stopped before this was answered.")))

    def _turn(self) -> bool:
        """Takes what there is room for, and one step of each set; False when all is done."""
        with self._changed:
            if not self._queue and not self._running:
                if self._is_stopping:
                    return False
                self._changed.wait(_LONGEST_WAIT if self._open else None)
            if self._stop_at is not None and time.monotonic() >= self._stop_at:
                return False
            self._queue.remove(lambda one: one.is_unwanted)
            for accepted in self._open:
                self._tell_if_late(accepted)
        taken = self._take()
        begun = time.monotonic()
        self._begin([one for one in taken if not one.is_unwanted])
        for work in list(self._running):
            self._guarded(work.accepted(), partial(self._work.step, work))
        self._running = [work for work in self._running if work.num_rows]
        with self._changed:
            self._open = {one for one in self._open if not (one.is_over or one.is_cancelled)}
            self._told = self._progress()
            if taken:
                each = (time.monotonic() - begun) / len(taken)
                self._seconds_per_job += 0.1 * (each - self._seconds_per_job)
        return True

    def _progress(self) -> dict[str, int]:
        """What only this thread can count."""
        return {
            "num_running": sum(work.num_rows for work in self._running),
            "num_batches": len(self._running),
            "num_prefixes": len(self._work.prefixes),
            "prefix_bytes": self._work.prefixes.num_bytes,
            "num_visuals": len(self._work.memory),
            "num_steps": self._work.num_steps,
            "num_written": self._work.num_written,
        }

    def _take(self) -> list[Accepted]:
        """The next jobs, as many as there is room for, and as can be read in a short time."""
        taken: list[Accepted] = []
        if len(self._running) >= self.limits.batches:
            return taken
        room, tokens = self.limits.rows - sum(work.num_rows for work in self._running), READ_AT_ONCE
        while room > 0 and tokens > 0:
            with self._changed:
                accepted = self._queue.take()
            if accepted is None:
                break
            try:
                tokens -= self._work.measure(accepted)
            except Exception as error:
                self._fail(accepted, error)
                continue
            taken.append(accepted)
            room -= self._work.num_rows(accepted.job)
        return taken

    def _tell_if_late(self, accepted: Accepted) -> None:
        if not accepted.is_over and time.monotonic() >= accepted.deadline:
            took = f"The answer took longer than {self.limits.seconds:g} seconds"
            accepted.say(Failed(JobTimeout(f"{took}. Ask for less, or try again later.")))

    def _begin(self, taken: list[Accepted]) -> None:
        """Begins jobs, those of one kind as a batch; where that fails, each alone."""
        for group in self._work.grouped(taken) if taken else []:
            try:
                self._work.begin(group, self._running)
            except Exception as error:
                self._work.survive(error)
                self._begin_alone(group, error)

    def _begin_alone(self, group: list[Accepted], error: Exception) -> None:
        """Begins each of a batch that failed, so that one of them harms no other."""
        running = {one for work in self._running for one in work.accepted()}
        for one in group:
            if one in running or one.is_over:
                continue
            if one.has_said:
                # What was said cannot be taken back, and would be said again.
                self._fail(one, error)
            else:
                self._guarded([one], partial(self._work.begin, [one], self._running))

    def _guarded(self, accepted: list[Accepted], act: Callable[[], None]) -> None:
        """Acts; if that fails, so do these jobs and nothing else."""
        try:
            act()
        except Exception as error:
            for one in accepted:
                self._fail(one, error)

    def _fail(self, accepted: Accepted, error: Exception) -> None:
        if self._work.is_our_fault(error):
            self._num_failed += 1
            _log.error("A job failed.", exc_info=error)
        accepted.say(Failed(error))
