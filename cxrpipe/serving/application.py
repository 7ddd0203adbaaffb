"""The page and what it asks for: films in request bodies, kept in memory until they are answered.

It keeps nothing between two questions and logs none: what a request holds may name a person.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cxrpipe.config import nearest
from cxrpipe.data.films.film import UnusableFilmError
from cxrpipe.reporting.drawing.heatmaps import METHODS as NAMES
from cxrpipe.runtime import UserError
from cxrpipe.serving.answering import classify, explain, show
from cxrpipe.serving.gate import Gate
from cxrpipe.serving.models import Models

METHODS = {name: NAMES[name] for name in ("gradcam", "hirescam", "gradcam++")}  # the fast ones
STATIC = Path(__file__).with_name("static")
# Types are told here, since that which a system has for .js may be none that a browser runs.
FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
MEGABYTE = 10**6
SECONDS_TO_UPLOAD = 60


class TooLargeError(Exception):
    """A film of more bytes than are taken."""


# What the page is told where a film has no answer.
STATUS: Mapping[type[Exception], int] = {
    UserError: 400,
    ClientDisconnect: 400,
    TimeoutError: 408,
    TooLargeError: 413,
    UnusableFilmError: 422,
}


def build_page(models: Models, host: str, most_megabytes: int) -> Gate:
    """Build the page.

    Parameters
    ----------
    host
        That it is bound to; see ``Gate``.
    most_megabytes
        Of a film.
    """
    page = Page(models, most_megabytes)
    routes = [
        Route("/models", page.list_models),
        Route("/film", page.show, methods=["POST"]),
        Route("/classify", page.classify, methods=["POST"]),
        Route("/explain", page.explain, methods=["POST"]),
        *(Route(path, give_file(*file)) for path, file in FILES.items()),
    ]
    return Gate(Starlette(routes=routes, exception_handlers=dict.fromkeys(STATUS, tell)), host)


async def tell(_: Request, error: Exception) -> Response:
    """Say in a sentence why there is no answer."""
    return PlainTextResponse(str(error), STATUS[type(error)])


def give_file(name: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers with a file of the page."""

    async def give(_: Request) -> Response:
        """Answer."""
        return FileResponse(STATIC / name, media_type=media_type)

    return give


class Page:
    """Answers to films, one after the other: only one film is in memory, and torch entered once."""

    def __init__(self, models: Models, most_megabytes: int) -> None:
        self.models = models
        self.most = most_megabytes * MEGABYTE
        self.turn = anyio.Lock()

    async def list_models(self, _: Request) -> Response:
        """Tell what can be chosen, and how large a film may be."""
        return JSONResponse(
            {
                "models": list(self.models.places),
                "best": self.models.best,
                "methods": METHODS,
                "most": self.most,
            }
        )

    async def show(self, request: Request) -> Response:
        """Return a film as a picture."""
        return await self._work(request, lambda film: as_png(show(film)))

    async def classify(self, request: Request) -> Response:
        """Answer to a film: ?model=&force=."""
        model, force = _ask(request, "model"), _ask(request, "force") == "true"

        def answer(film: bytes) -> Response:
            """Answer."""
            return JSONResponse(classify(self.models.classifier(model), film, force))

        return await self._work(request, answer)

    async def explain(self, request: Request) -> Response:
        """Return the heatmap of a finding: ?model=&finding=&method=; 204 where it is empty."""
        model, finding, method = (_ask(request, key) for key in ("model", "finding", "method"))
        if method not in METHODS:
            raise UserError(f"no method '{method}' here; {nearest(method, METHODS)}")

        def answer(film: bytes) -> Response:
            """Draw."""
            heatmap = explain(self.models.explainer(model, method), film, finding)
            return as_png(heatmap) if heatmap else Response(status_code=204)

        return await self._work(request, answer)

    async def _work(self, request: Request, answer: Callable[[bytes], Response]) -> Response:
        """Read a film when its turn has come, and answer to it in a thread."""
        self._bound(int(request.headers.get("content-length", 0)))
        async with self.turn:
            return await run_in_threadpool(answer, await self._read(request))

    async def _read(self, request: Request) -> bytes:
        film = bytearray()
        try:
            with anyio.fail_after(SECONDS_TO_UPLOAD):
                async for part in request.stream():
                    film += part
                    self._bound(len(film))
        except TimeoutError as error:
            said = f"The film did not arrive within {SECONDS_TO_UPLOAD} seconds."
            raise TimeoutError(said) from error
        return bytes(film)

    def _bound(self, n_bytes: int) -> None:
        if n_bytes > self.most:
            most = f"at most {self.most / MEGABYTE:g} MB are taken (--most-megabytes)"
            raise TooLargeError(f"The film has over {n_bytes // MEGABYTE:,} MB; {most}.")


def _ask(request: Request, key: str) -> str:
    return request.query_params.get(key, "")


def as_png(content: bytes) -> Response:
    """Send a PNG."""
    return Response(content, media_type="image/png")
