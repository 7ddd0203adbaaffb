"""From weights to logits, and from logits alone to every number that is reported."""


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


rule calibrate:
    """Fix on validation films what a model's probabilities mean: temperature, thresholds, sets."""
    input:
        code=code("evaluation.calibrate"),
        split="results/{run}/split.csv",
        weights="results/{run}/models/{model}/fold-{fold}/weights.safetensors",
        predictions="results/{run}/predictions/{model}/fold-{fold}.csv",
    output:
        calibration="results/{run}/models/{model}/fold-{fold}/calibration.json",
    log:
        "logs/{run}/calibrate/{model}/fold-{fold}.txt",
    benchmark:
        "results/{run}/benchmarks/calibrate/{model}/fold-{fold}.tsv"
    conda:
        "../../environment.yml"
    params:
        task=model_task,
        trained_on=trained_on,
        settings=judging("sensitivity", "coverage"),
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.evaluation.calibrate \
            --split {input.split:q} \
            --fold {wildcards.fold:q} \
            --task {params.task:q} \
            --trained-on={params.trained_on:q} \
            --predictions {input.predictions:q} \
            --weights {input.weights:q} \
            --settings {params.settings:q} \
            --calibration {output.calibration:q}
        """


rule evaluate:
    """Judge every model on the test films: scores with intervals, and which models differ."""
    input:
        code=code("evaluation.evaluate"),
        index="results/{run}/index.csv",
        split="results/{run}/split.csv",
        predictions=each_fold("results/{run}/predictions/{model}/fold-{fold}.csv"),
        calibrations=each_fold(
            "results/{run}/models/{model}/fold-{fold}/calibration.json"
        ),
    output:
        metrics="results/{run}/metrics.json",
        curves="results/{run}/curves.csv",
    log:
        "logs/{run}/evaluate.txt",
    benchmark:
        "results/{run}/benchmarks/evaluate.tsv"
    conda:
        "../../environment.yml"
    params:
        folds=RECIPE.split.folds,
        tasks=tasks,
        models=models,
        settings=judging("replicates", "level", "ages", "ensembles"),
        seed=RECIPE.seed,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.evaluation.evaluate \
            --index {input.index:q} \
            --split {input.split:q} \
            --folds {params.folds} \
            --tasks {params.tasks:q} \
            --models {params.models:q} \
            --predictions {input.predictions:q} \
            --calibrations {input.calibrations:q} \
            --settings {params.settings:q} \
            --seed {params.seed} \
            --metrics {output.metrics:q} \
            --curves {output.curves:q}
        """
