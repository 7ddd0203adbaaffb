"""cxrpipe: from collections of chest radiographs to trained, tested and explained classifiers.

    download -> index -> dedupe -> split -> certify -> preprocess -> explore
             -> train -> predict -> calibrate -> evaluate
             -> guard
             -> gradcam, localise, embed, project, measure, errors, filters
             -> figures, illustrate, overlays, table, ablation, literature, plots
             -> provenance -> report

`snakemake --cores all --resources gpu=1` runs the recipe that params.yaml names.
"""

from snakemake.utils import min_version

min_version("9.14")


configfile: "params.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/preprocessing.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/inference.smk"
include: "workflow/rules/explanation.smk"
include: "workflow/rules/pictures.smk"
include: "workflow/rules/reporting.smk"


rule all:
    """Make everything that the chosen recipe promises, above all its table and its report."""
    default_target: True
    input:
        PROMISED,
        expand(rules.provenance.output + rules.report.output, run=RUN),
