"""From weights to logits, and from logits to every number that is reported."""


rule predict:
    """Write the logits of one model for every film of its fold."""
    input:
        code=code("evaluation.predict"),
        own_code=own_code,
        radiographs=store,
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
    threads: CORES_OF_A_MODEL
    resources:
        gpu=1,
    params:
        task=model_task,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.evaluation.predict \
            --radiographs {input.radiographs:q} \
            --split {input.split:q} \
            --fold {wildcards.fold:q} \
            --task {params.task:q} \
            --weights {input.weights:q} \
            --cores {threads} \
            --predictions {output.predictions:q}
        """


rule evaluate:
    """Score every model of every fold on the test films, beside the baseline of its task."""
    input:
        code=code("evaluation.evaluate"),
        split="results/{run}/split.csv",
        predictions=each_fold("results/{run}/predictions/{model}/fold-{fold}.csv"),
    output:
        metrics="results/{run}/metrics.json",
    log:
        "logs/{run}/evaluate.txt",
    benchmark:
        "results/{run}/benchmarks/evaluate.tsv"
    conda:
        "../../environment.yml"
    params:
        folds=RECIPE.split.folds,
        tasks=tasks,
        models=list(RECIPE.models),
        model_tasks=MODEL_TASKS,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.evaluation.evaluate \
            --split {input.split:q} \
            --folds {params.folds} \
            --tasks {params.tasks:q} \
            --models {params.models:q} \
            --model-tasks {params.model_tasks:q} \
            --predictions {input.predictions:q} \
            --metrics {output.metrics:q}
        """
