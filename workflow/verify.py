"""Does a run come out the same? Make it in two clean folders, and list every file that differs.

    python workflow/verify.py --config recipe=demo

Both folders hold what Git tracks here, with changes that are not committed. Files that hold what
was measured, or when, are told apart: nobody can repeat a time.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).parents[1]
# Seconds, dates, and what shows them: folders and files of a run.
MEASURED = ("benchmarks", "timing.json", "table.md", "report.html")
MEASURED += ("provenance.json", "records.json")


def copy_project(folder: Path) -> None:
    """Copy what Git tracks, or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target, follow_symlinks=False)


def run(folder: Path, cores: str, config: list[str]) -> None:
    """Run the workflow in a folder of its own; it must end well."""
    copy_project(folder)
    options = ["--quiet", "all", "--cores", cores, "--resources", "gpu=1"]
    settings = ["--config", *config] if config else []
    done = subprocess.run([sys.executable, "-m", "snakemake", *options, *settings], cwd=folder)
    if done.returncode:
        sys.exit(f"verify: a run failed in {folder}; its own lines above say why")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sum_up(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of the results, by its path."""
    files = sorted(path for path in (folder / "results").rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): digest(path) for path in files}


def resolve(setting: str) -> str:
    """Make a relative folder of a setting absolute: the runs are elsewhere."""
    key, _, value = setting.partition("=")
    is_folder = key in ("mirror", "weights_folder") and value and Path(value).is_dir()
    return f"{key}={Path(value).resolve()}" if is_folder else setting


def is_measured(name: str) -> bool:
    """Tell whether a file of a run holds what was measured, or when."""
    return bool(set(Path(name).parts) & set(MEASURED))


def compare(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """List the files that differ, or that one run lacks, and that could be the same."""
    names = sorted(first.keys() | second.keys())
    return [name for name in names if first.get(name) != second.get(name) and not is_measured(name)]


def main() -> None:
    """Verify that a run repeats to the byte."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", default="all")
    parser.add_argument("--config", nargs="*", default=[], help="as snakemake takes it")
    options = parser.parse_args()
    sums = []
    place = mkdtemp(prefix="verify-")
    for number in ("first", "second"):
        start = time.monotonic()
        run(Path(place, number), options.cores, [resolve(key) for key in options.config])
        sums.append(sum_up(Path(place, number)))
        took = time.monotonic() - start
        print(f"verify: {number} run done in {took:.0f} s", flush=True)
    differing = compare(*sums)
    measured = sum(map(is_measured, sums[0]))
    for name in differing:
        print(f"verify: differs: {name}")
    print(
        f"verify: {len(sums[0]) - measured} files compared, {len(differing)} differ; "
        f"{measured} that hold measured times were not compared"
    )
    if differing or not sums[0]:
        sys.exit(f"verify: both runs are kept in {place}")
    shutil.rmtree(place)


if __name__ == "__main__":
    main()
