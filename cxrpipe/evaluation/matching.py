"""Films of the split and what a model predicts of them."""

import pandas as pd

from cxrpipe.runtime import UserError


def match(films: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Give films their logits, by name and not by row.

    Raises
    ------
    UserError
        If predictions and split do not hold the same films in the same subsets.
    """
    both = films.merge(predictions, on=["radiograph", "subset"], validate="one_to_one")
    if len(both) != len(films) or len(both) != len(predictions):
        raise UserError("predictions and split.csv hold different films; predict anew")
    return both
