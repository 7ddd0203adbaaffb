"""From weights to heatmaps, and how often they point at what is known."""


rule gradcam:
    """Draw Grad-CAM of one model for chosen test films, and score it where lesions are known."""
    input:
        code=code("explanation.gradcam"),
        own_code=own_code,
        radiographs=store,
        split="results/{run}/split.csv",
        weights="results/{run}/models/{model}/fold-{fold}/weights.safetensors",
        predictions="results/{run}/predictions/{model}/fold-{fold}.csv",
    output:
        heatmaps="results/{run}/gradcam/{model}/fold-{fold}.h5",
        localisation="results/{run}/gradcam/{model}/fold-{fold}.json",
    log:
        "logs/{run}/gradcam/{model}/fold-{fold}.txt",
    benchmark:
        "results/{run}/benchmarks/gradcam/{model}/fold-{fold}.tsv"
    conda:
        "../../environment.yml"
    threads: CORES_OF_A_MODEL
    resources:
        gpu=1,
    params:
        task=model_task,
        settings=section("gradcam"),
        seed=RECIPE.seed,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.explanation.gradcam \
            --radiographs {input.radiographs:q} \
            --split {input.split:q} \
            --fold {wildcards.fold:q} \
            --task {params.task:q} \
            --weights {input.weights:q} \
            --predictions {input.predictions:q} \
            --settings {params.settings:q} \
            --seed {params.seed} \
            --cores {threads} \
            --heatmaps {output.heatmaps:q} \
            --localisation {output.localisation:q}
        """
