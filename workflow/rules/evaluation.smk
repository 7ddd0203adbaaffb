"""From weights to logits, and from logits to every number that is reported."""


rule predict:
    """Write the logits of one model for every film of its fold."""
    input:
        code=code("evaluation.predict"),
        radiographs=STORE,
        split="results/{run}/split.csv",
        weights="results/{run}/models/{model}/fold-{fold}/weights.safetensors",
    output:
        predictions="results/{run}/predictions/{model}/fold-{fold}.csv",
    log:
        "logs/{run}/predict/{model}/fold-{fold}.txt",
    benchmark:
        "results/{run}/benchmarks/predict/{model}/fold-{fold}.tsv"
    conda:
        "../../environment.yml"
    threads: workflow.cores
    resources:
        gpu=1,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.evaluation.predict \
            --radiographs {input.radiographs:q} \
            --split {input.split:q} \
            --fold {wildcards.fold:q} \
            --weights {input.weights:q} \
            --cores {threads} \
            --predictions {output.predictions:q}
        """


rule evaluate:
    """Score every model on the test films, beside the majority baseline."""
    input:
        code=code("evaluation.evaluate"),
        split="results/{run}/split.csv",
        predictions=each_model("results/{run}/predictions/{model}/fold-0.csv"),
    output:
        metrics="results/{run}/metrics.json",
    log:
        "logs/{run}/evaluate.txt",
    benchmark:
        "results/{run}/benchmarks/evaluate.tsv"
    conda:
        "../../environment.yml"
    params:
        findings=RECIPE.findings,
        models=list(RECIPE.models),
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.evaluation.evaluate \
            --split {input.split:q} \
            --fold 0 \
            --findings {params.findings:q} \
            --models {params.models:q} \
            --predictions {input.predictions:q} \
            --metrics {output.metrics:q}
        """
