"""From a trained model to what it may answer to when it is used."""


rule guard:
    """Fix on validation films which films are too unlike those of training to be answered to."""
    input:
        code=code("inference.guard"),
        own_code=own_code,
        radiographs=store,
        split="results/{run}/split.csv",
        weights="results/{run}/models/{model}/fold-{fold}/weights.safetensors",
    output:
        guard="results/{run}/models/{model}/fold-{fold}/guard.safetensors",
        refused="results/{run}/models/{model}/fold-{fold}/guard.json",
    log:
        "logs/{run}/guard/{model}/fold-{fold}.txt",
    benchmark:
        "results/{run}/benchmarks/guard/{model}/fold-{fold}.tsv"
    conda:
        "../../environment.yml"
    threads: CORES_OF_A_MODEL
    resources:
        gpu=1,
    params:
        task=model_task,
        trained_on=trained_on,
        index=section("index"),
        settings=judging("refused"),
        seed=RECIPE.seed,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.inference.guard \
            --radiographs {input.radiographs:q} \
            --split {input.split:q} \
            --fold {wildcards.fold:q} \
            --task {params.task:q} \
            --trained-on={params.trained_on:q} \
            --weights {input.weights:q} \
            --index {params.index:q} \
            --settings {params.settings:q} \
            --seed {params.seed} \
            --cores {threads} \
            --guard {output.guard:q} \
            --refused {output.refused:q}
        """
