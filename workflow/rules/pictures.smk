"""From files to pictures: of the films, of the scores, of what explains them."""

from cxrpipe.reporting.drawing.names import list_explained, list_figures

MODEL = "results/{run}/models/{model}/fold-0"
EXPLORATION = ["classes", "sources", "sizes", "modes", "age", "sex", "view"]
EXPLORATION += ["quality", "unused", "augmentation", "conflicts"]
EXPLORATION += ["duplicates-lowest", "duplicates-sample", "duplicates-exact"]
EXPLORATION += [f"samples-{finding}" for finding in RECIPE.findings]
USED = [name for name in RECIPE.tasks if name in MODEL_TASKS]
SHOWN = {finding for name in USED for finding in RECIPE.tasks[name].findings}
FIGURES = list_figures(USED, RECIPE.tasks)
EXPLAINED = list_explained(
    USED, RECIPE.tasks, [f for f in RECIPE.findings if f in SHOWN]
)
# The kind of a figure is its name up to a dash; every kind has a caption.
KINDS = sorted({figure.split("-")[0] for figure in EXPLORATION + FIGURES + EXPLAINED})


# Its paths hold no wildcard, so that `snakemake explore` looks at the films of the chosen recipe.
rule explore:
    """Show the films before anything is trained: how many, of whom, how large, how alike."""
    input:
        code=code("reporting.explore"),
        style="cxrpipe/reporting/drawing/cxrpipe.mplstyle",
        checksums=expand("data/{source}/SHA256SUMS", source=SOURCES),
        index=f"results/{RUN}/index.csv",
        excluded=f"results/{RUN}/excluded.csv",
        duplicates=f"results/{RUN}/duplicates.csv",
        split=f"results/{RUN}/split.csv",
        left_out=f"results/{RUN}/left-out.csv",
        radiographs=expand(STORE, run=RUN),
    output:
        sources=f"results/{RUN}/exploration/sources.csv",
        png=[
            report(
                f"results/{RUN}/exploration/{figure}.png",
                caption=f"../report/{figure.split('-')[0]}.rst",
                category="Exploration",
                labels={"figure": figure},
            )
            for figure in EXPLORATION
        ],
        svg=[f"results/{RUN}/exploration/{figure}.svg" for figure in EXPLORATION],
    log:
        f"logs/{RUN}/explore.txt",
    benchmark:
        f"results/{RUN}/benchmarks/explore.tsv"
    conda:
        "../../environment.yml"
    params:
        findings=RECIPE.findings,
        augmentation=lambda wildcards: RECIPE.training.augmentation.model_dump_json(),
        seed=RECIPE.seed,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.reporting.explore \
            --data data \
            --index {input.index:q} \
            --excluded {input.excluded:q} \
            --duplicates {input.duplicates:q} \
            --split {input.split:q} \
            --left-out {input.left_out:q} \
            --radiographs {input.radiographs:q} \
            --findings {params.findings:q} \
            --augmentation {params.augmentation:q} \
            --seed {params.seed} \
            --sources {output.sources:q} \
            --figures "$(dirname {output.sources:q})"
        """


rule figures:
    """Draw what was trained and how well it does, as PNG and SVG."""
    input:
        code=code("reporting.figures"),
        style="cxrpipe/reporting/drawing/cxrpipe.mplstyle",
        metrics="results/{run}/metrics.json",
        curves="results/{run}/curves.csv",
        summaries=each_model(f"{MODEL}/summary.json"),
        histories=each_model(f"{MODEL}/history.csv"),
    output:
        png=[
            report(
                f"results/{{run}}/figures/{figure}.png",
                caption=f"../report/{figure.split('-')[0]}.rst",
                category="Results",
                labels={"figure": figure},
            )
            for figure in FIGURES
        ],
        svg=expand("results/{{run}}/figures/{figure}.svg", figure=FIGURES),
    log:
        "logs/{run}/figures.txt",
    benchmark:
        "results/{run}/benchmarks/figures.tsv"
    conda:
        "../../environment.yml"
    params:
        tasks=tasks,
        models=list(RECIPE.models),
        model_tasks=MODEL_TASKS,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.reporting.figures \
            --metrics {input.metrics:q} \
            --curves {input.curves:q} \
            --tasks {params.tasks:q} \
            --models {params.models:q} \
            --model-tasks {params.model_tasks:q} \
            --summaries {input.summaries:q} \
            --histories {input.histories:q} \
            --figures results/{wildcards.run:q}/figures
        """


# Its paths hold no wildcard, so that `snakemake illustrate` explains the models of the chosen recipe.
rule illustrate:
    """Draw what explains the models: heatmaps and their scores, features, mistakes, filters."""
    input:
        code=code("reporting.illustrate"),
        style="cxrpipe/reporting/drawing/cxrpipe.mplstyle",
        radiographs=expand(STORE, run=RUN),
        metrics=f"results/{RUN}/metrics.json",
        split=f"results/{RUN}/split.csv",
        predictions=of_run("predictions/{model}/fold-0.csv"),
        heatmaps=of_run("gradcam/{model}/fold-0.h5"),
        localisations=of_run("gradcam/{model}/fold-0.json"),
        layouts=[f"results/{RUN}/latent/{task}/layout.csv" for task in USED],
        neighbours=[f"results/{RUN}/latent/{task}/neighbours.csv" for task in USED],
        latents=[f"results/{RUN}/latent/{task}/latent.json" for task in USED],
        errors=of_run("errors/{model}/fold-0.csv"),
        causes=of_run("errors/{model}/fold-0.json"),
        filters=of_run("filters/{model}/fold-0.h5"),
    output:
        png=[
            report(
                f"results/{RUN}/figures/{figure}.png",
                caption=f"../report/{figure.split('-')[0]}.rst",
                category="Explanations",
                labels={"figure": figure},
            )
            for figure in EXPLAINED
        ],
        svg=[f"results/{RUN}/figures/{figure}.svg" for figure in EXPLAINED],
    log:
        f"logs/{RUN}/illustrate.txt",
    benchmark:
        f"results/{RUN}/benchmarks/illustrate.tsv"
    conda:
        "../../environment.yml"
    params:
        tasks=tasks,
        models=list(RECIPE.models),
        model_tasks=MODEL_TASKS,
        used=USED,
        level=RECIPE.evaluation.level,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.reporting.illustrate \
            --radiographs {input.radiographs:q} \
            --metrics {input.metrics:q} \
            --split {input.split:q} \
            --tasks {params.tasks:q} \
            --models {params.models:q} \
            --model-tasks {params.model_tasks:q} \
            --predictions {input.predictions:q} \
            --heatmaps {input.heatmaps:q} \
            --localisations {input.localisations:q} \
            --latent-tasks {params.used:q} \
            --layouts {input.layouts:q} \
            --neighbours {input.neighbours:q} \
            --latents {input.latents:q} \
            --errors {input.errors:q} \
            --causes {input.causes:q} \
            --filters {input.filters:q} \
            --level {params.level} \
            --figures "$(dirname {output.png[0]:q})"
        """


rule overlays:
    """Lay the heatmaps of the surest right films over them, at the films' own resolution."""
    input:
        code=code("reporting.overlays"),
        style="cxrpipe/reporting/drawing/cxrpipe.mplstyle",
        checksums=expand("data/{source}/SHA256SUMS", source=SOURCES),
        index="results/{run}/index.csv",
        predictions="results/{run}/predictions/{model}/fold-{fold}.csv",
        heatmaps="results/{run}/gradcam/{model}/fold-{fold}.h5",
    output:
        overlays=directory("results/{run}/explanations/{model}/fold-{fold}"),
    log:
        "logs/{run}/overlays/{model}/fold-{fold}.txt",
    benchmark:
        "results/{run}/benchmarks/overlays/{model}/fold-{fold}.tsv"
    conda:
        "../../environment.yml"
    params:
        preprocess=section("preprocess"),
        task=model_task,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.reporting.overlays \
            --data data \
            --index {input.index:q} \
            --preprocess {params.preprocess:q} \
            --task {params.task:q} \
            --predictions {input.predictions:q} \
            --heatmaps {input.heatmaps:q} \
            --overlays {output.overlays:q}
        """
