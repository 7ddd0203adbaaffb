"""Where a run comes from."""

import hashlib

import pytest

from cxrpipe.reporting.page.provenance import checksum, describe_commit, list_seeds


@pytest.mark.parametrize(
    ("revision", "changes", "said"),
    [
        ("0a1b\n", "", "0a1b"),
        ("0a1b\n", " M Snakefile\n", "0a1b, and changes that are not committed"),
        (None, None, "not known from these data"),
        ("", "", "not known from these data"),
    ],
)
def test_the_commit_is_named_with_what_differs_from_it(revision, changes, said):
    assert describe_commit(revision, changes) == said


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
