"""How fast cxrpipe trains, beside what is possible and beside the common way.

    python benchmarks/training.py loop common strict growth precision

Each part prints medians over turns and ratios within each turn, since machines are noisy.

loop       (a) an epoch, sampling, augmentation and all, over the same steps on one batch in memory
common     (b) over the common way: torchvision's ImageFolder, a DataLoader with workers, transforms
           film by film, three channels, fp32, channels first; same network, batch and augmentation
precision  (c) bf16 over fp32, and channels last over first, of each architecture
strict     (d) what bit for bit repeatable results cost
growth     (e) time of an epoch of 1, 2, 4 and 8 times the films
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from cxrpipe.config import Augmentation, Model, Training
from cxrpipe.models.device import describe, has_bf16
from cxrpipe.models.entries import ZOO
from cxrpipe.models.zoo import Classifier, build
from cxrpipe.training.course import Course, begin
from cxrpipe.training.films import Films
from cxrpipe.training.loop import train_epoch
from cxrpipe.training.losses import make_criterion
from cxrpipe.training.stepping import Stepper
from cxrpipe.training.train import prepare_torch

AUGMENTATION = Augmentation(rotation=5, translation=0.03, zoom=0.05, contrast=0.1, brightness=0.05)
N_FINDINGS = 4
Timed = Callable[[], object]


def draw_films(n: int, side: int) -> torch.Tensor:
    """Draw smooth noise: (n, 1, side, side) uint8. Speed does not depend on what films show."""
    noise = np.random.default_rng(0).normal(size=(n, side, side)).astype(np.float32)
    smooth = ndimage.gaussian_filter(noise, (0, side / 32, side / 32))
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return torch.from_numpy((smooth * 255).astype(np.uint8)).unsqueeze(1)


def wait(device: torch.device) -> None:
    """Wait until a GPU has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def take_turns(
    ways: Mapping[str, Timed], turns: int, device: torch.device
) -> dict[str, list[float]]:
    """Run every way once to warm up, then in turns; return the seconds of each turn."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, work in ways.items():
            start = time.perf_counter()
            work()
            wait(device)
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def tell(seconds: Mapping[str, list[float]], n_films: int, over: str) -> None:
    """Print films per second of each way, and its ratio to another within each turn."""
    for name, taken in seconds.items():
        ratios = [theirs / ours for ours, theirs in zip(taken, seconds[over], strict=True)]
        print(
            f"  {name:24} {n_films / statistics.median(taken):8.1f} films/s, "
            f"{statistics.median(ratios):.3f} of {over} ({min(ratios):.3f} to {max(ratios):.3f})"
        )


class Bench:
    """One network on films in memory, ready to train."""

    def __init__(
        self, films: Films, device: torch.device, architecture: str, **said: str | int | bool
    ) -> None:
        self.device = device
        self.settings = Training(augmentation=AUGMENTATION, **said)
        side = films.grey.shape[-1]
        model = Model(architecture=architecture, side=side)
        classifier = Classifier(build(model, N_FINDINGS, seed=0), 0.5, 0.25).to(device)
        if self.settings.channels_last:
            classifier = classifier.to(memory_format=torch.channels_last)
        self.films = films.to(device)
        self.course: Course = begin(classifier, self.settings)
        criterion = make_criterion(self.settings, films.labels)
        self.step = Stepper(classifier, self.course.optimiser, criterion, self.settings)
        self.n_batches = len(films.labels) // self.settings.batch

    def epoch(self) -> None:
        """Train an epoch as ``train`` does."""
        train_epoch(self.course, self.step, self.films, self.settings, 0, "all")

    def constant(self) -> None:
        """Take as many steps on one batch that lies ready, each read out only at the end."""
        self.course.classifier.train()
        places = torch.arange(self.settings.batch)
        batch = self.films.take(places, self.device)
        grey = batch.grey.float()
        losses = [self.step(grey, batch.labels)[0] for _ in range(self.n_batches)]
        float(torch.stack(losses).mean())


def common_way(folder: Path, side: int, batch: int, workers: int, device: torch.device) -> Timed:
    """Return an epoch of the common way on a folder of PNG files."""
    augment = transforms.Compose(
        [
            transforms.Resize((side, side)),
            transforms.RandomHorizontalFlip(),
            transforms.RandomAffine(5, translate=(0.03, 0.03), scale=(0.95, 1.05)),
            transforms.ColorJitter(brightness=0.05, contrast=0.1),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    films = datasets.ImageFolder(str(folder), augment)
    loader = DataLoader(
        films, batch, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=True
    )
    network = build(Model(architecture="resnet18", side=side), N_FINDINGS, seed=0, in_chans=3)
    network = network.to(device)
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    loss_of = torch.nn.CrossEntropyLoss()

    def epoch() -> None:
        """Train an epoch."""
        network.train()
        for films, labels in loader:
            optimiser.zero_grad()
            loss = loss_of(network(films.to(device)), labels.to(device))
            loss.backward()
            optimiser.step()
            loss.item()

    return epoch


def save_films(films: Films, folder: Path, side: int) -> None:
    """Save films as PNG files of a side, one folder a finding."""
    for place, (film, label) in enumerate(zip(films.grey[:, 0], films.labels, strict=True)):
        path = folder / str(int(label)) / f"{place:06}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(film.numpy()).resize((side, side)).save(path)


def measure_loop(films: Films, device: torch.device, options: argparse.Namespace) -> None:
    """Print (a)."""
    bench = Bench(films, device, "resnet18", batch=options.batch)
    ways = {"constant batch": bench.constant, "training": bench.epoch}
    seconds = take_turns(ways, options.turns, device)
    tell(seconds, bench.n_batches * options.batch, "constant batch")


def measure_common(films: Films, device: torch.device, options: argparse.Namespace) -> None:
    """Print (b), for files of the side that is trained and of 299 pixels."""
    bench = Bench(films, device, "resnet18", batch=options.batch)
    for side in (films.grey.shape[-1], 299):
        with TemporaryDirectory() as folder:
            save_films(films, Path(folder), side)
            common = common_way(
                Path(folder), films.grey.shape[-1], options.batch, options.workers, device
            )
            ways = {f"common way, {side} px": common, "training": bench.epoch}
            seconds = take_turns(ways, options.turns, device)
        tell(seconds, bench.n_batches * options.batch, f"common way, {side} px")


def measure_precision(films: Films, device: torch.device, options: argparse.Namespace) -> None:
    """Print (c), on as many films as two batches."""
    if not has_bf16(device):
        print("  this device does not compute bf16 natively")
    few = Films(films.grey[: 2 * options.batch], films.labels[: 2 * options.batch])
    for architecture in options.architectures or ZOO:
        ways = {
            name: Bench(few, device, architecture, batch=options.batch, **said).epoch
            for name, said in {
                "fp32 channels first": {"precision": "fp32", "channels_last": False},
                "fp32 channels last": {"precision": "fp32"},
                "bf16 channels first": {"precision": "bf16", "channels_last": False},
                "bf16 channels last": {"precision": "bf16"},
            }.items()
        }
        print(f" {architecture}")
        seconds = take_turns(ways, max(1, options.turns // 3), device)
        tell(seconds, 2 * options.batch, "fp32 channels first")


def measure_strict(films: Films, device: torch.device, options: argparse.Namespace) -> None:
    """Print (d)."""
    bench = Bench(films, device, "resnet18", batch=options.batch)

    def epoch(strict: bool) -> Timed:
        """Return an epoch, bit for bit repeatable or not."""

        def work() -> None:
            prepare_torch(Training(deterministic=strict), options.cores)
            bench.epoch()
            prepare_torch(Training(), options.cores)

        return work

    seconds = take_turns({"free": epoch(False), "strict": epoch(True)}, options.turns, device)
    tell(seconds, bench.n_batches * options.batch, "free")


def measure_growth(films: Films, device: torch.device, options: argparse.Namespace) -> None:
    """Print (e)."""
    ways = {}
    for times in (1, 2, 4, 8):
        n = len(films.labels) * times // 8
        part = Films(films.grey[:n], films.labels[:n])
        bench = Bench(part, device, "resnet18", batch=options.batch)
        ways[f"{n} films"] = bench.epoch
    seconds = take_turns(ways, options.turns, device)
    first = statistics.median(next(iter(seconds.values())))
    for name, taken in seconds.items():
        print(
            f"  {name:24} {statistics.median(taken):8.2f} s, {statistics.median(taken) / first:.2f}"
        )


PARTS = {
    "loop": measure_loop,
    "common": measure_common,
    "precision": measure_precision,
    "strict": measure_strict,
    "growth": measure_growth,
}


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--films", type=int, default=640)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--workers", type=int, default=2, help="of the common way")
    parser.add_argument("--architectures", nargs="*", default=[], help="of precision; none: all")
    options = parser.parse_args()
    prepare_torch(Training(), options.cores)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    films = Films(draw_films(options.films, options.side), torch.arange(options.films) % N_FINDINGS)
    print(f"{describe(device)}, torch {torch.__version__}, ResNet-18 unless said otherwise")
    print(f"{options.films} films, {options.side} px, batch {options.batch}")
    for part in options.parts:
        print(part)
        PARTS[part](films, device, options)


if __name__ == "__main__":
    main()
