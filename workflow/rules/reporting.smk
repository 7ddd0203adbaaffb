"""From numbers to the tables and the report."""

TEMPLATES = sorted(
    glob.glob("cxrpipe/reporting/page/*.html.j2", root_dir=workflow.basedir)
)


# What DVC draws, the same names as in dvc.yaml.
PLOTS = ["learning", "roc", "confusion", "reliability"]


report: "../report/workflow.rst"


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


rule plots:
    """Write scores and curves as DVC compares them between versions."""
    input:
        code=code("reporting.plots"),
        metrics="results/{run}/metrics.json",
        curves="results/{run}/curves.csv",
        histories=each_model(f"{MODEL}/history.csv"),
    output:
        scores="results/{run}/scores.json",
        plots=expand("results/{{run}}/plots/{plot}.csv", plot=PLOTS),
    log:
        "logs/{run}/plots.txt",
    benchmark:
        "results/{run}/benchmarks/plots.tsv"
    conda:
        "../../environment.yml"
    params:
        models=list(RECIPE.models),
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.reporting.plots \
            --metrics {input.metrics:q} \
            --curves {input.curves:q} \
            --models {params.models:q} \
            --histories {input.histories:q} \
            --scores {output.scores:q} \
            --plots results/{wildcards.run:q}/plots
        """


# Everything that a run promises, but for what tells of the others: its provenance and its report.
PROMISED = [
    *expand(rules.table.output + rules.plots.output, run=RUN),
    *expand(rules.ablation.output + rules.literature.output, run=RUN),
    *expand(rules.index.output + rules.certify.output, run=RUN),
    *expand(rules.preprocess.output, run=RUN, side=SIDES),
    *rules.explore.output,
    *expand(EACH_TRAINING, run=RUN, model=RECIPE.models, fold=FOLDS),
    *expand(rules.overlays.output, run=RUN, model=RECIPE.models, fold=0),
    *expand(rules.figures.output, run=RUN),
    *rules.illustrate.output,
]


# Its paths hold no wildcard, since it tells of everything that the chosen recipe promises.
rule provenance:
    """Write where the run comes from: code, data, packages, machine, times, and every checksum."""
    input:
        PROMISED,
        code=code("reporting.provenance"),
        checksums=expand("data/{source}/SHA256SUMS", source=SOURCES),
    output:
        provenance=f"results/{RUN}/provenance.json",
    log:
        f"logs/{RUN}/provenance.txt",
    benchmark:
        f"results/{RUN}/benchmarks/provenance.tsv"
    conda:
        "../../environment.yml"
    resources:
        started=STARTED,
        cores_of_run=workflow.cores,
    params:
        run=RUN,
        recipe=whole_recipe,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.reporting.provenance \
            --run {params.run:q} \
            --recipe {params.recipe:q} \
            --started {resources.started:q} \
            --checksums {input.checksums:q} \
            --cores {resources.cores_of_run} \
            --results "$(dirname {output.provenance:q})" \
            --provenance {output.provenance:q}
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
        latents=[f"results/{{run}}/latent/{task}/latent.json" for task in USED],
        causes=each_model("results/{run}/errors/{model}/fold-0.json"),
        guards=each_model(f"{MODEL}/guard.json"),
        provenance="results/{run}/provenance.json",
        exploration=rules.explore.output.png,
        figures=[*rules.figures.output.png, *rules.illustrate.output.png],
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
        sources=collections,
        models=list(RECIPE.models),
        used=USED,
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
            --latent-tasks {params.used:q} \
            --latents {input.latents:q} \
            --causes {input.causes:q} \
            --guards {input.guards:q} \
            --provenance {input.provenance:q} \
            --exploration {input.exploration:q} \
            --figures {input.figures:q} \
            --captions {input.captions:q} \
            --report {output.report:q}
        """
