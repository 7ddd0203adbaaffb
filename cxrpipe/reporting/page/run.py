"""What the page is told of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxrpipe.reporting.page.wording import say_list

Named = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Run:
    """One run, as its files hold it.

    Attributes
    ----------
    recipe
        With every default spelled out.
    sources
        Title, licence, citation of each collection, and whether it is synthetic.
    metrics
        As ``metrics.json``.
    certificate
        As ``leakage.json``.
    index, split, excluded
        Tables; of the split the first fold, which has every film once.
    summaries, timings, localisations, causes, guards
        Of the first fold of every model.
    latents
        Of every task that has a model.
    provenance
        As ``provenance.json``.
    """

    name: str
    recipe: Mapping[str, Any]
    sources: Named
    metrics: Mapping[str, Any]
    certificate: Mapping[str, Any]
    index: pd.DataFrame
    split: pd.DataFrame
    excluded: pd.DataFrame
    summaries: Named
    timings: Named
    localisations: Named
    causes: Named
    guards: Named
    latents: Named
    provenance: Mapping[str, Any]

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of Python and of the packages that matter most."""
        installed: Mapping[str, str] = self.provenance["packages"]["installed"]
        return installed

    @property
    def synthetic(self) -> str:
        """Say which collections were drawn by a program; empty if none was."""
        drawn = [name for name, source in self.sources.items() if source["synthetic"]]
        if not drawn:
            return ""
        if self.all_synthetic:
            return "The radiographs are synthetic: drawn by a program; no patient is shown."
        return f"The radiographs of {say_list(drawn)} are synthetic: drawn by a program."

    @property
    def all_synthetic(self) -> bool:
        """Whether every collection was drawn by a program."""
        return all(source["synthetic"] for source in self.sources.values())

    @property
    def used(self) -> Named:
        """Collections with films in the split."""
        inside = set(self.split["source"])
        return {name: source for name, source in self.sources.items() if name in inside}

    @property
    def films(self) -> pd.DataFrame:
        """Films of the split with all that the index knows of them."""
        known = self.index.drop(columns="source")
        return self.split.merge(known, on="radiograph", validate="one_to_one")
