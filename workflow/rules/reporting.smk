"""From numbers to figures, the table and the report."""

MODEL = "results/{run}/models/{model}/fold-0"
FIGURES = ["classes", "samples", "curves", "confusion"]
FIGURES += [f"gradcam-{finding}" for finding in RECIPE.findings]


rule figures:
    """Draw every figure of the run as PNG and SVG."""
    input:
        code=code("reporting.figures"),
        style="cxrpipe/reporting/cxrpipe.mplstyle",
        index="results/{run}/index.csv",
        split="results/{run}/split.csv",
        radiographs=STORE,
        metrics="results/{run}/metrics.json",
        histories=each_model(f"{MODEL}/history.csv"),
        predictions=each_model("results/{run}/predictions/{model}/fold-0.csv"),
        heatmaps=each_model("results/{run}/gradcam/{model}/fold-0.h5"),
    output:
        png=expand("results/{{run}}/figures/{figure}.png", figure=FIGURES),
        svg=expand("results/{{run}}/figures/{figure}.svg", figure=FIGURES),
    log:
        "logs/{run}/figures.txt",
    benchmark:
        "results/{run}/benchmarks/figures.tsv"
    conda:
        "../../environment.yml"
    params:
        models=list(RECIPE.models),
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.reporting.figures \
            --index {input.index:q} \
            --split {input.split:q} \
            --radiographs {input.radiographs:q} \
            --metrics {input.metrics:q} \
            --models {params.models:q} \
            --histories {input.histories:q} \
            --predictions {input.predictions:q} \
            --heatmaps {input.heatmaps:q} \
            --figures results/{wildcards.run:q}/figures
        """


rule table:
    """Write the results table, the majority baseline below the models."""
    input:
        code=code("reporting.table"),
        metrics="results/{run}/metrics.json",
        summaries=each_model(f"{MODEL}/summary.json"),
        localisations=each_model("results/{run}/gradcam/{model}/fold-0.json"),
    output:
        csv="results/{run}/table.csv",
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
            --localisations {input.localisations:q} \
            --csv {output.csv:q} \
            --markdown {output.markdown:q}
        """


rule report:
    """Write the report, one page that holds everything."""
    input:
        code=code("reporting.report"),
        template="cxrpipe/reporting/report.html.j2",
        index="results/{run}/index.csv",
        excluded="results/{run}/excluded.csv",
        split="results/{run}/split.csv",
        leakage="results/{run}/leakage.json",
        metrics="results/{run}/metrics.json",
        table="results/{run}/table.csv",
        timings=each_model(f"{MODEL}/timing.json"),
        localisations=each_model("results/{run}/gradcam/{model}/fold-0.json"),
        figures=expand("results/{{run}}/figures/{figure}.png", figure=FIGURES),
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
            --index {input.index:q} \
            --excluded {input.excluded:q} \
            --split {input.split:q} \
            --leakage {input.leakage:q} \
            --metrics {input.metrics:q} \
            --table {input.table:q} \
            --models {params.models:q} \
            --timings {input.timings:q} \
            --localisations {input.localisations:q} \
            --figures {input.figures:q} \
            --report {output.report:q}
        """
