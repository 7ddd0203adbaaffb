"""From radiographs to the weights of every model."""


rule train:
    """Train one model on one fold and keep the epoch of lowest validation loss."""
    input:
        code=code("training.train"),
        radiographs=STORE,
        split="results/{run}/split.csv",
        start=start_weights,
    output:
        weights="results/{run}/models/{model}/fold-{fold}/weights.safetensors",
        history="results/{run}/models/{model}/fold-{fold}/history.csv",
        summary="results/{run}/models/{model}/fold-{fold}/summary.json",
        timing="results/{run}/models/{model}/fold-{fold}/timing.json",
    log:
        "logs/{run}/train/{model}/fold-{fold}.txt",
    benchmark:
        "results/{run}/benchmarks/train/{model}/fold-{fold}.tsv"
    conda:
        "../../environment.yml"
    threads: workflow.cores
    resources:
        gpu=1,
    params:
        findings=RECIPE.findings,
        model=model_settings,
        settings=section("training"),
        seed=RECIPE.seed,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.training.train \
            --radiographs {input.radiographs:q} \
            --split {input.split:q} \
            --fold {wildcards.fold:q} \
            --findings {params.findings:q} \
            --name {wildcards.model:q} \
            --model {params.model:q} \
            --settings {params.settings:q} \
            --seed {params.seed} \
            --cores {threads} \
            --weights {output.weights:q} \
            --history {output.history:q} \
            --summary {output.summary:q} \
            --timing {output.timing:q}
        """
