"""From radiographs to the weights of every model."""


rule train:
    """Train one model on one fold and keep the epoch that is best on validation."""
    input:
        code=code("training.train"),
        own_code=own_code,
        radiographs=store,
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
    threads: CORES_OF_A_MODEL
    resources:
        gpu=1,
        weights_folder=WEIGHTS_FOLDER,
        save_every=save_every,
        tensorboard=tensorboard,
    params:
        task=model_task,
        model=model_settings,
        start=start_option,
        seed=RECIPE.seed,
    # Snakemake knows nothing of the checkpoints, so that they outlive a killed job.
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.training.train \
            --radiographs {input.radiographs:q} \
            --split {input.split:q} \
            --fold {wildcards.fold:q} \
            --task {params.task:q} \
            --name {wildcards.model:q} \
            --model {params.model:q} \
            {params.start:q} \
            --weights-folder={resources.weights_folder:q} \
            --seed {params.seed} \
            --cores {threads} \
            --checkpoints results/{wildcards.run}/checkpoints/{wildcards.model}/fold-{wildcards.fold} \
            --save-every {resources.save_every} \
            --tensorboard={resources.tensorboard:q} \
            --weights {output.weights:q} \
            --history {output.history:q} \
            --summary {output.summary:q} \
            --timing {output.timing:q}
        """
