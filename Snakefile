"""cxrpipe: from collections of chest radiographs to trained, tested and explained classifiers.

    download -> index -> dedupe -> split -> certify -> preprocess
             -> train -> predict -> evaluate, gradcam -> figures, table -> report

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
include: "workflow/rules/reporting.smk"


rule all:
    """Make the results table and the report of the chosen recipe."""
    default_target: True
    input:
        expand("results/{run}/{result}", run=RUN, result=["table.md", "report.html"]),
