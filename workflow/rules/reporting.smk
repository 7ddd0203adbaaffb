"""From numbers to figures, the table and the report."""

from cxrpipe.reporting.drawing.names import list_figures

MODEL = "results/{run}/models/{model}/fold-0"
EXPLORATION = ["classes", "sources", "sizes", "modes", "age", "sex", "view"]
EXPLORATION += ["quality", "unused", "augmentation", "conflicts"]
EXPLORATION += ["duplicates-lowest", "duplicates-sample", "duplicates-exact"]
EXPLORATION += [f"samples-{finding}" for finding in RECIPE.findings]
USED = [name for name in RECIPE.tasks if name in MODEL_TASKS]
SHOWN = {finding for name in USED for finding in RECIPE.tasks[name].findings}
FIGURES = list_figures(USED, RECIPE.tasks, [f for f in RECIPE.findings if f in SHOWN])
# The kind of a figure is its name up to a dash; every kind has a caption.
KINDS = sorted({figure.split("-")[0] for figure in EXPLORATION + FIGURES})
TEMPLATES = sorted(
    glob.glob("cxrpipe/reporting/page/*.html.j2", root_dir=workflow.basedir)
)


report: "../report/workflow.rst"


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
        radiographs=STORE,
        metrics="results/{run}/metrics.json",
        curves="results/{run}/curves.csv",
        summaries=each_model(f"{MODEL}/summary.json"),
        histories=each_model(f"{MODEL}/history.csv"),
        predictions=each_model("results/{run}/predictions/{model}/fold-0.csv"),
        heatmaps=each_model("results/{run}/gradcam/{model}/fold-0.h5"),
    output:
        png=[
            report(
                f"results/{{run}}/figures/{figure}.png",
                caption=f"../report/{figure.split('-')[0]}.rst",
                category="Explanations" if "gradcam" in figure else "Results",
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
            --radiographs {input.radiographs:q} \
            --metrics {input.metrics:q} \
            --curves {input.curves:q} \
            --tasks {params.tasks:q} \
            --models {params.models:q} \
            --model-tasks {params.model_tasks:q} \
            --summaries {input.summaries:q} \
            --histories {input.histories:q} \
            --predictions {input.predictions:q} \
            --heatmaps {input.heatmaps:q} \
            --figures results/{wildcards.run:q}/figures
        """


rule table:
    """Write the results table: models, ensembles, and the majority baseline of every task."""
    input:
        code=code("reporting.table"),
        metrics="results/{run}/metrics.json",
        summaries=each_model(f"{MODEL}/summary.json"),
        timings=each_model(f"{MODEL}/timing.json"),
        localisations=each_model("results/{run}/gradcam/{model}/fold-0.json"),
    output:
        csv=report(
            "results/{run}/table.csv",
            caption="../report/table.rst",
            category="Results",
            labels={"figure": "table"},
        ),
        markdown="results/{run}/table.md",
    log:
        "logs/{run}/table.txt",
    benchmark:
        "results/{run}/benchmarks/table.tsv"
    conda:
        "../../environment.yml"
    params:
        title=RECIPE.title,
        synthetic=int(any(source.synthetic for source in SOURCES.values())),
        models=list(RECIPE.models),
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.reporting.table \
            --title {params.title:q} \
            --synthetic {params.synthetic} \
            --metrics {input.metrics:q} \
            --models {params.models:q} \
            --summaries {input.summaries:q} \
            --timings {input.timings:q} \
            --localisations {input.localisations:q} \
            --csv {output.csv:q} \
            --markdown {output.markdown:q}
        """


rule ablation:
    """Write what each setting of the recipe's grid changes, all else equal."""
    input:
        code=code("reporting.ablation"),
        metrics="results/{run}/metrics.json",
    output:
        csv=report(
            "results/{run}/ablation.csv",
            caption="../report/ablation.rst",
            category="Results",
            labels={"figure": "ablation"},
        ),
        markdown="results/{run}/ablation.md",
    log:
        "logs/{run}/ablation.txt",
    benchmark:
        "results/{run}/benchmarks/ablation.tsv"
    conda:
        "../../environment.yml"
    params:
        models=list(RECIPE.models),
        points=points,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.reporting.ablation \
            --metrics {input.metrics:q} \
            --models {params.models:q} \
            --points {params.points:q} \
            --csv {output.csv:q} \
            --markdown {output.markdown:q}
        """


rule literature:
    """Write published scores beside this run's, marked as those of other data."""
    input:
        code=code("reporting.literature"),
        metrics="results/{run}/metrics.json",
    output:
        csv=report(
            "results/{run}/literature.csv",
            caption="../report/literature.rst",
            category="Results",
            labels={"figure": "literature"},
        ),
        markdown="results/{run}/literature.md",
    log:
        "logs/{run}/literature.txt",
    benchmark:
        "results/{run}/benchmarks/literature.tsv"
    conda:
        "../../environment.yml"
    params:
        models=list(RECIPE.models),
        studies=studies,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.reporting.literature \
            --metrics {input.metrics:q} \
            --models {params.models:q} \
            --studies {params.studies:q} \
            --csv {output.csv:q} \
            --markdown {output.markdown:q}
        """


rule report:
    """Write the report, one page that holds everything."""
    input:
        code=code("reporting.report"),
        templates=TEMPLATES,
        checklist="cxrpipe/reporting/page/claim.yaml",
        captions=expand("workflow/report/{kind}.rst", kind=KINDS),
        checksums=expand("data/{source}/SHA256SUMS", source=SOURCES),
        index="results/{run}/index.csv",
        excluded="results/{run}/excluded.csv",
        split="results/{run}/split.csv",
        leakage="results/{run}/leakage.json",
        metrics="results/{run}/metrics.json",
        curves="results/{run}/curves.csv",
        table="results/{run}/table.csv",
        ablation="results/{run}/ablation.csv",
        literature="results/{run}/literature.csv",
        summaries=each_model(f"{MODEL}/summary.json"),
        timings=each_model(f"{MODEL}/timing.json"),
        localisations=each_model("results/{run}/gradcam/{model}/fold-0.json"),
        exploration=rules.explore.output.png,
        figures=rules.figures.output.png,
    output:
        report="results/{run}/report.html",
    log:
        "logs/{run}/report.txt",
    benchmark:
        "results/{run}/benchmarks/report.tsv"
    conda:
        "../../environment.yml"
    params:
        recipe=whole_recipe,
        sources=provenance,
        models=list(RECIPE.models),
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.reporting.report \
            --run {wildcards.run:q} \
            --recipe {params.recipe:q} \
            --sources {params.sources:q} \
            --checksums {input.checksums:q} \
            --index {input.index:q} \
            --excluded {input.excluded:q} \
            --split {input.split:q} \
            --leakage {input.leakage:q} \
            --metrics {input.metrics:q} \
            --curves {input.curves:q} \
            --table {input.table:q} \
            --ablation {input.ablation:q} \
            --literature {input.literature:q} \
            --models {params.models:q} \
            --summaries {input.summaries:q} \
            --timings {input.timings:q} \
            --localisations {input.localisations:q} \
            --exploration {input.exploration:q} \
            --figures {input.figures:q} \
            --captions {input.captions:q} \
            --report {output.report:q}
        """
