"""How a guest behaves: bounds of what is fetched, and how often a host is asked."""

from __future__ import annotations

from dataclasses import dataclass

from flamingo.foundation.errors import ConfigError


@dataclass(frozen=True)
class Politeness:
    """How to behave.

    Args:
        user_agent: name, version and a way to reach whoever runs this, an address of the web or
            of mail: "flamingo-vlm/0.1 (+https://example.org/crawl)".
        delay: seconds between the beginnings of two requests to one host; longer where its
            robots.txt asks for it.
        max_delay: a host that wants more is left alone.
        per_host: requests to one host at a time.
        max_bytes: of one file.
        seconds: for one request, but for looking its host up.
        max_redirects: in a row.
        retries: after an answer that says to come later.
        backoff: seconds before the first retry, doubled before each further one; longer where the
            server says so, but not longer than `max_delay`.
        max_requests: of one process, robots.txt not counted.
        max_total_bytes: of one process.
        allow_private: whether addresses may lead to this machine or into its network: for tests.

    Raises:
        ConfigError: a setting is impossible, or the user agent names no contact.
    """

    user_agent: str
    delay: float = 1.0
    max_delay: float = 60.0
    per_host: int = 1
    max_bytes: int = 20_000_000
    seconds: float = 30.0
    max_redirects: int = 5
    retries: int = 2
    backoff: float = 5.0
    max_requests: int = 1_000_000
    max_total_bytes: int = 100_000_000_000
    allow_private: bool = False

    def __post_init__(self) -> None:
        if not ("://" in self.user_agent or "@" in self.user_agent):
            raise ConfigError(
                f"The user agent {self.user_agent!r} names no contact.\nOwners of sites must be "
                "able to write to you: my-crawl/1.0 (+https://example.org/crawl; me@example.org)."
            )
        if not self.user_agent.isascii() or not self.user_agent.isprintable():
            raise ConfigError(f"The user agent {self.user_agent!r} is more than ASCII in a line.")
        for name in ("per_host", "max_bytes", "max_requests", "max_total_bytes", "seconds"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name}={getattr(self, name)} is impossible. Give more than 0.")
        for name in ("delay", "max_delay", "max_redirects", "retries", "backoff"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name}={getattr(self, name)} is impossible. Give 0 or more.")
