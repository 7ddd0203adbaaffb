"""The server under the page: a port of this machine, and who can reach it."""

import errno
import socket
from contextlib import suppress
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from cxrpipe.runtime import UserError

MOST_PORT = 65535
HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  what reaches all addresses from here


def listen(host: str, port: int) -> socket.socket:
    """Take a port; 0 takes any that is free.

    Raises
    ------
    UserError
        If it is taken, or the host is empty or not of this machine.
    """
    if not host:
        raise UserError("--host: is empty; give an address of this machine, as 127.0.0.1")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not 0 <= port <= MOST_PORT:
        raise UserError(f"--port {port}: is none; give one from 1024 to {MOST_PORT}, or 0")
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"--port {port}: taken; give another, or 0 for any free one") from error
        raise UserError(
            f"--host {host} --port {port}: cannot be listened on ({error.strerror}); give an "
            "address of this machine, as 127.0.0.1, and a port from 1024 on"
        ) from error


def name_address(host: str, port: int) -> str:
    """Return the address that a browser opens."""
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches a host."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def build_server(page: ASGIApp) -> uvicorn.Server:
    """Build a server that logs no request: what one holds may name a person."""
    return uvicorn.Server(
        uvicorn.Config(
            page,
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
        )
    )
