"""Runs the app until a signal ends it, then finishes what was accepted."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from flamingo.foundation.errors import ConfigError
from flamingo.serving.api.app import create_app
from flamingo.serving.api.service import Service
from flamingo.serving.connections import Connection

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LAST_WORDS = 2.0
"""Seconds in which what the engine gave up is answered, before connections are cut."""
_EXIT_INTERRUPTED = 130
_MOST_PORT = 65535


class Server(uvicorn.Server):
    """A server that ends by a signal as if that were its aim: the first one lets it finish.

    New connections are refused then, and what was accepted has `grace` seconds. What is not done by
    then is answered with an error. A second signal ends the process at once, with exit code 130.

    Args:
        service: answers; its engine runs.
        listener: a socket that is bound.
        grace: seconds for what was accepted.
        ready: called once the server accepts connections.
        connection: how each of them is watched.
    """

    def __init__(
        self,
        service: Service,
        listener: socket.socket,
        *,
        grace: float = 30.0,
        ready: Callable[[], None] = lambda: None,
        connection: type[Connection] = Connection,
    ) -> None:
        config = uvicorn.Config(
            create_app(service),
            http=connection,
            log_level="warning",
            access_log=False,
            server_header=False,
            # Addresses come from connections: who is behind a proxy is for the proxy to say.
            proxy_headers=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=15,
            timeout_graceful_shutdown=int(grace + _LAST_WORDS + 1),
        )
        super().__init__(config)
        self._service, self._listener = service, listener
        self._grace, self._ready = grace, ready

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until it is told to end."""
        super().run([self._listener] if sockets is None else sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to accept connections, and says so."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuses connections, and waits for what was accepted as long as it may."""
        timer = threading.Timer(self._grace, self._service.engine.stop, [0.0])
        timer.daemon = True
        timer.start()
        try:
            await super().shutdown(sockets)
        finally:
            timer.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begins to end; at once, if that was begun before."""
        if self.should_exit:
            # Threads that read or answer would be waited for on any other way out.
            os._exit(_EXIT_INTERRUPTED)
        self.should_exit = self._service.is_stopping = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:  # type: ignore[override]
        """Listens to signals, which do not end the process besides."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {sig: signal.signal(sig, self.handle_exit) for sig in _SIGNALS}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket at this address; port 0 stands for any that is free.

    Raises:
        ConfigError: there is no such port, or the address cannot be had.
    """
    if not 0 <= port <= _MOST_PORT:
        raise ConfigError(
            f"The port is {port}, but ports are numbers up to {_MOST_PORT}.\n"
            "Take another --port, or 0 for any that is free."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"The server cannot listen at {host}, port {port}: {error}.\n"
            "Something else may listen there; take another --port, or 0 for any that is free."
        ) from error
    return listener
