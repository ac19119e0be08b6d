"""What a run found, as numbers and as a table for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.serving.clients import Outcome
from benchmarks.serving.memory import facts
from benchmarks.serving.rounds import Round
from benchmarks.serving.run import Found, gain

_PERCENTILES = (50, 90, 99)


def summary(found: Found) -> dict[str, Any]:
    """All numbers of a run."""
    parts = {"one": 1, "many": max((this.clients for this in found.rounds), default=1)}
    return {
        "clients": parts["many"],
        "requests_per_second": gain(found.rounds),
        "parts": {name: _part(found, clients) for name, clients in parts.items()},
        "sent": found.num_sent,
        "whole_answers": found.num_complete,
        "lost_or_wrong": dict(found.troubles),
        "statuses": dict(found.statuses),
        "refused_for_now": found.refusals,
        "compared": _compared(found),
        "memory": facts(found.samples),
    }


def _part(found: Found, clients: int) -> dict[str, Any]:
    rounds = [this for this in found.rounds if this.clients == clients]
    seconds = sum(this.seconds for this in rounds)
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for this in rounds:
        for one in this.counted():
            by_kind[one.request.kind].append(one)
    everything = [one for own in by_kind.values() for one in own]
    return {
        "seconds": seconds,
        "answers": len(everything),
        "latency": percentiles([_took(one) for one in everything]),
        "first_word": percentiles(_first_words(everything)),
        "kinds": {
            kind: {
                "answers": len(own),
                "latency": percentiles([_took(one) for one in own]),
                "first_word": percentiles(_first_words(own)),
            }
            for kind, own in sorted(by_kind.items())
        },
        "server_cpu": sum(this.server_cpu for this in rounds) / seconds if seconds else 0.0,
        "client_cpu": sum(this.client_cpu for this in rounds) / seconds if seconds else 0.0,
        **_engine(found, rounds),
    }


def percentiles(seconds: Sequence[float]) -> dict[str, float] | None:
    """The 50th, 90th and 99th percentile; None of nothing."""
    if not seconds:
        return None
    found = np.percentile(seconds, _PERCENTILES)
    return {f"p{name}": float(value) for name, value in zip(_PERCENTILES, found, strict=True)}


def _took(one: Outcome) -> float:
    assert one.reply is not None
    return one.reply.done_at - one.sent_at


def _first_words(outcomes: Sequence[Outcome]) -> list[float]:
    replies = [(one.sent_at, one.reply) for one in outcomes if one.reply is not None]
    return [reply.first_at - sent for sent, reply in replies if reply.first_at is not None]


def _engine(found: Found, rounds: Sequence[Round]) -> dict[str, float]:
    """How many answers a pass wrote to, and which share of the prompts was known."""
    grown: dict[str, float] = defaultdict(float)
    for this, (before, after) in zip(found.rounds, found.engine, strict=False):
        if any(this is one for one in rounds):
            for name, value in after.items():
                grown[name] += value - before.get(name, 0.0)
    steps, prompt = grown["engine_num_steps"], grown["prompt_tokens_total"]
    return {
        "answers_per_pass": grown["engine_num_written"] / steps if steps else 0.0,
        "prompt_known": grown["cached_prompt_tokens_total"] / prompt if prompt else 0.0,
    }


def _compared(found: Found) -> dict[str, Any]:
    differing = [
        {"kind": kind, "among_others": crowd.text, "alone": alone.text}
        for kind, crowd, alone in found.pairs
        if crowd.text != alone.text
    ]
    scores = [
        abs(crowd.score - alone.score)
        for _, crowd, alone in found.pairs
        if crowd.text == alone.text and crowd.score is not None and alone.score is not None
    ]
    return {
        "answers": len(found.pairs),
        "differing": differing,
        "largest_difference_of_scores": max(scores, default=0.0),
    }


def report(told: dict[str, Any]) -> str:
    """The numbers, for people."""
    speed, parts = told["requests_per_second"], told["parts"]
    columns = ("one client", f"{told['clients']} clients")
    lines = [f"{'':<42}{columns[0]:>22}{columns[1]:>22}"]

    def row(name: str, one: str, many: str) -> None:
        lines.append(f"{name:<42}{one:>22}{many:>22}")

    def of_parts(name: str, tell: Any) -> None:
        row(name, tell(parts["one"]), tell(parts["many"]))

    row("requests/s (each round)", _rates(speed["one"]), _rates(speed["many"]))
    of_parts("answers / seconds", lambda part: f"{part['answers']} / {part['seconds']:.0f}")
    of_parts("latency, ms: p50 / p90 / p99", lambda part: _ms(part["latency"]))
    of_parts("first word of a stream, ms", lambda part: _ms(part["first_word"]))
    for kind in parts["many"]["kinds"]:
        one, many = (parts[name]["kinds"].get(kind, {}).get("latency") for name in parts)
        row(f"  {kind}, ms", _ms(one), _ms(many))
    of_parts("server's CPU, threads", lambda part: f"{part['server_cpu']:.2f}")
    of_parts("clients' CPU, threads", lambda part: f"{part['client_cpu']:.2f}")
    of_parts("answers that one pass writes to", lambda part: f"{part['answers_per_pass']:.1f}")
    of_parts("prompt tokens that were known", lambda part: f"{part['prompt_known']:.0%}")
    return "\n".join([*lines, "", *_outcome(told)])


def _outcome(told: dict[str, Any]) -> list[str]:
    speed, compared, memory = told["requests_per_second"], told["compared"], told["memory"]
    lines = []
    if speed["ratio"] is not None:
        pairs = ", ".join(f"{one:.2f}" for one in speed["ratios"])
        lines.append(f"many at a time over one at a time: {speed['ratio']:.2f} (rounds: {pairs})")
    statuses = ", ".join(f"{status}: {n}" for status, n in sorted(told["statuses"].items()))
    lines.append(
        f"{told['sent']} requests sent, {told['whole_answers']} whole answers; {statuses}; "
        f"429 and asked again: {told['refused_for_now']}"
    )
    lines += [f"  NOT ANSWERED {n} times: {what}" for what, n in told["lost_or_wrong"].items()]
    lines.append(
        f"{compared['answers']} answers asked for again, alone: {len(compared['differing'])} "
        f"differ; scores of the others by {compared['largest_difference_of_scores']:.1e} at most"
    )
    lines += [
        f"  {one['kind']}: {one['among_others']!r} among others, {one['alone']!r} alone"
        for one in compared["differing"][:5]
    ]
    if memory["samples"]:
        lines.append(_memory(memory))
    return lines


def _memory(memory: dict[str, Any]) -> str:
    first, last = memory["samples"][0], memory["samples"][-1]

    def grown(name: str) -> str:
        return "-" if memory[name] is None else f"{memory[name]:+.0f} KB"

    return (
        f"memory: {_mib(first['rss'])} to {_mib(last['rss'])} (peak {_mib(last['peak'])}) over "
        f"{last['requests']} requests; {grown('kb_per_1000_requests')} per 1,000 requests, in the "
        f"second half {grown('kb_per_1000_requests_in_second_half')}; kept prompts "
        f"{_mib(first['prefix_bytes'])} to {_mib(last['prefix_bytes'])}, visuals "
        f"{first['num_visuals']} to {last['num_visuals']}"
    )


def _mib(num_bytes: int) -> str:
    return f"{num_bytes / 2**20:.1f} MiB"


def _rates(rates: Sequence[float]) -> str:
    if not rates:
        return "-"
    each = f" ({min(rates):.1f}–{max(rates):.1f})" if len(rates) > 1 else ""
    return f"{sum(rates) / len(rates):.1f}{each}"


def _ms(found: dict[str, float] | None) -> str:
    return "-" if found is None else " / ".join(f"{1000 * value:.0f}" for value in found.values())
