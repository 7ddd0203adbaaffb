"""Write a model as one file, for use without cxrpipe: ONNX, or .pt2 of torch.export.

The file takes films (n, 1, height, width) in 8 bits and gives logits, calibrated probabilities and
penultimate features. Films of any size are brought to the model's squares inside it, except where
the recipe has blur or CLAHE: then it takes squares that are prepared. Before it gets its name, what
it makes of films is compared with torch.

cxrpipe classify takes an ONNX file as --model; it needs no torch then.
"""

import argparse
import logging
from pathlib import Path

from cxrpipe.cli.choosing import choose_file, choose_places, declare_model
from cxrpipe.inference.classifier import Classifier
from cxrpipe.runtime import UserError

EXAMPLES = """
  cxrpipe export --run results/demo --output demo.onnx
  cxrpipe export --run results/demo --model resnet18 --format pt2 --output resnet18.pt2
"""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    declare_model(parser)
    parser.add_argument("--format", choices=("onnx", "pt2"), default="onnx", help="else onnx")
    parser.add_argument("--output", type=Path, required=True, help="file to write")


def run(arguments: argparse.Namespace) -> int:
    """Write the file, and tell how far it differs from torch."""
    path, suffix = arguments.output, f".{arguments.format}"
    if path.suffix != suffix:
        raise UserError(f"--output: {path}: of --format {arguments.format} it ends in {suffix}")
    [place] = choose_places(arguments)
    if place.suffix == ".onnx":
        raise UserError(f"{place}: is exported already; give the folder of its model")
    choose_file(path, "--output")
    classifier = Classifier.load(place, arguments.fold)
    from cxrpipe.inference.export import export  # torch
    from cxrpipe.inference.squares import say_sizes

    for talkative in ("onnxscript", "onnx_ir"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    difference = export(classifier, path, arguments.format)
    sizes = say_sizes(classifier.network.card.preprocess)
    print(f"{path}: takes films {sizes}; differs from torch by {difference:.1e} at most")
    return 0
