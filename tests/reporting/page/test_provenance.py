"""Where a run comes from."""

import hashlib

import pytest
import told

from cxrpipe.reporting.page.provenance import (
    checksum,
    describe_code,
    describe_machine,
    list_seeds,
    tell_provenance,
)


@pytest.mark.parametrize(
    ("commit", "changed", "said"),
    [
        ("0a1b", [], "0a1b"),
        ("0a1b", ["Snakefile"], "0a1b, and 1 changed file not committed"),
        ("0a1b", ["Snakefile", "dvc.yaml"], "0a1b, and 2 changed files not committed"),
        ("0a1b", None, "0a1b"),
        (None, None, "not known from these data"),
    ],
)
def test_the_commit_is_named_with_what_differs_from_it(commit, changed, said):
    assert describe_code({"commit": commit, "changed": changed}) == said


@pytest.mark.parametrize(("gpus", "said"), [([], "no GPU"), (["One", "Two"], "One and Two")])
def test_the_machine_is_named_with_its_gpus(gpus, said):
    machine = told.tell_provenance()["machine"] | {"gpus": gpus}
    assert describe_machine(machine) == (
        f"Imaginary CPU, 2 cores used, 23.5 GiB of memory, {said}; Linux 6.1 x86_64"
    )


def test_the_chapter_tells_what_provenance_json_says():
    facts = dict(tell_provenance(told.tell_run(), {}, {}).blocks[0].pairs)
    assert facts["code"] == "cxrpipe 1.2.3, commit 0a1b"
    assert facts["data, pinned by DVC as"] == "5a6b.dir"
    assert facts["lock of all packages"] == 16 * "9"
    assert "2026-11-21T10:05:00+00:00" in facts["begun and ended"]
    assert facts["checksums of all files"] == "1 in provenance.json"


def test_what_is_not_known_is_said():
    unpinned = told.tell_provenance(
        data={"pin": None, "collections": {}},
        packages={"lock": None, "installed": {"cxrpipe": "1.2.3"}},
    )
    facts = dict(tell_provenance(told.tell_run(provenance=unpinned), {}, {}).blocks[0].pairs)
    assert facts["data, pinned by DVC as"] == "not pinned"
    assert facts["lock of all packages"] == "not known from these data"


def test_a_checksum_is_the_beginning_of_sha_256():
    content = b"film,finding\n"
    assert hashlib.sha256(content).hexdigest().startswith(checksum(content))
    assert len(checksum(content)) == 16


def test_seeds_of_models_are_named_where_they_have_their_own():
    models = {"a": {"seed": 0}, "b": {"seed": 3}, "c": {"seed": 5}}
    said = list_seeds({"seed": 7, "models": models})
    assert said.startswith("7 (split, ")
    assert said.endswith("; added for b 3 and c 5")
    assert "added" not in list_seeds({"seed": 7, "models": {"a": {"seed": 0}}})
