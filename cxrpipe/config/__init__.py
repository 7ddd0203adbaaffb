"""Typed settings: what a recipe may say, with units, bounds and defaults.

Each stage has one frozen class and receives nothing but its own. ``catalogue.py`` holds the
settings of collections; ``recipes.py`` reads the files that hold both, before the workflow is
planned.
"""

from cxrpipe.config.evaluation import Ensemble, Evaluation
from cxrpipe.config.explanation import Errors, Filters, Gradcam, Latent, Localise
from cxrpipe.config.films import Dedupe, Index, Preprocess, Split
from cxrpipe.config.learning import Augmentation, Model, Task, Training
from cxrpipe.config.recipe import Grid, Recipe
from cxrpipe.config.settings import NAME, Settings, check, merge, nearest

__all__ = [
    "NAME",
    "Augmentation",
    "Dedupe",
    "Ensemble",
    "Errors",
    "Evaluation",
    "Filters",
    "Gradcam",
    "Grid",
    "Index",
    "Latent",
    "Localise",
    "Model",
    "Preprocess",
    "Recipe",
    "Settings",
    "Split",
    "Task",
    "Training",
    "check",
    "merge",
    "nearest",
]
