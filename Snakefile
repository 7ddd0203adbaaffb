"""cxrpipe: from collections of chest radiographs to trained, tested and explained classifiers.

    download -> index -> dedupe -> split -> certify -> preprocess -> explore
             -> train -> predict -> calibrate -> evaluate
             -> gradcam, localise, embed, project, measure, errors, filters
             -> figures, illustrate, overlays, table, ablation, literature -> report

`snakemake --cores all --resources gpu=1` runs the recipe that config/config.yaml names.
"""

from snakemake.utils import min_version

min_version("9.14")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/preprocessing.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/explanation.smk"
include: "workflow/rules/pictures.smk"
include: "workflow/rules/reporting.smk"


rule all:
    """Make everything that the chosen recipe promises, above all its table and its report."""
    default_target: True
    input:
        expand(rules.table.output + rules.report.output + rules.figures.output, run=RUN),
        expand(rules.ablation.output + rules.literature.output, run=RUN),
        expand(rules.index.output + rules.certify.output, run=RUN),
        expand(rules.preprocess.output, run=RUN, side=SIDES) + rules.explore.output,
        expand(EACH_TRAINING, run=RUN, model=RECIPE.models, fold=FOLDS),
        expand(rules.overlays.output, run=RUN, model=RECIPE.models, fold=0),
