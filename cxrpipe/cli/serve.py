"""Open a page on this machine: drop films on it, see probabilities, heatmaps and refusals.

Films stay in memory until they are answered to; nothing is stored, logged, or sent elsewhere. Only
this machine reaches the page, unless --host names another of its addresses: there is no password.
"""

import argparse
import logging
import socket
import webbrowser
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from cxrpipe.cli.choosing import choose_places, count
from cxrpipe.inference.runs import list_models
from cxrpipe.runtime import RESEARCH_USE, UserError

EXAMPLES = """
  cxrpipe serve --run results/demo --open
  cxrpipe serve --run results/demo --model resnet18 --model resnet10 --port 8080
  cxrpipe serve --model resnet18.onnx
"""
log = logging.getLogger(__name__)


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--run", type=Path, help="folder of a run; without --model, all its models")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        help="its folder, weights or ONNX file, with --run its name; several times: a choice",
    )
    parser.add_argument("--fold", type=int, default=0, help="which of the models' folds; else 0")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on, else 127.0.0.1")
    parser.add_argument("--port", type=int, default=7860, help="port, else 7860; 0: any free one")
    parser.add_argument("--most-megabytes", type=count, default=50, help="of a film; else 50")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    for package in ("starlette", "uvicorn"):
        if find_spec(package) is None:
            raise UserError(f"{package}: not installed; pip install 'cxrpipe[page]'")
    from cxrpipe.serving.application import build_page
    from cxrpipe.serving.models import Models, best_of
    from cxrpipe.serving.server import build_server, listen

    if arguments.run and not arguments.model:
        arguments.model = list_models(arguments.run)
    places = dict(zip(arguments.model, choose_places(arguments), strict=True))
    models = Models(places, best_of(arguments.run) if arguments.run else "", arguments.fold)
    with listen(arguments.host, arguments.port) as port:
        models.classifier(next(iter(models.places)))  # what is wrong with it is said now
        address = _say_address(arguments.host, port)
        if arguments.open:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):
            build_server(build_page(models, arguments.host, arguments.most_megabytes)).run([port])
    return 0


def _say_address(host: str, taken: socket.socket) -> str:
    """Say where the page is and who reaches it; return the address that this machine opens."""
    from cxrpipe.serving.server import HERE, is_loopback, name_address

    bound, port = taken.getsockname()[:2]
    address = name_address(host, port)
    told = address
    if bound in HERE:
        address = name_address(HERE[bound], port)
        others = address.replace(HERE[bound], "<address>")
        told = f"open it by this machine's numeric address: {others}"
    print(f"{RESEARCH_USE}\n{told}  (Ctrl-C ends it)", flush=True)
    if not is_loopback(host):
        log.warning("anyone who reaches this address can use the page; there is no password")
    return address
