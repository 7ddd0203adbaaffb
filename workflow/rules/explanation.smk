"""From weights to what a person can see of them: heatmaps, features, mistakes, filters."""


rule gradcam:
    """Draw heatmaps of one model for chosen test films, by several methods and at several depths."""
    input:
        code=code("explanation.gradcam"),
        own_code=own_code,
        radiographs=store,
        split="results/{run}/split.csv",
        weights="results/{run}/models/{model}/fold-{fold}/weights.safetensors",
        predictions="results/{run}/predictions/{model}/fold-{fold}.csv",
    output:
        heatmaps="results/{run}/gradcam/{model}/fold-{fold}.h5",
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
            --heatmaps {output.heatmaps:q}
        """


rule localise:
    """Score the heatmaps of one model beside chance: lesions, lungs, altered films, other weights."""
    input:
        code=code("explanation.localise"),
        own_code=own_code,
        radiographs=store,
        split="results/{run}/split.csv",
        weights="results/{run}/models/{model}/fold-{fold}/weights.safetensors",
        predictions="results/{run}/predictions/{model}/fold-{fold}.csv",
    output:
        localisation="results/{run}/gradcam/{model}/fold-{fold}.json",
    log:
        "logs/{run}/localise/{model}/fold-{fold}.txt",
    benchmark:
        "results/{run}/benchmarks/localise/{model}/fold-{fold}.tsv"
    conda:
        "../../environment.yml"
    threads: CORES_OF_A_MODEL
    resources:
        gpu=1,
    params:
        task=model_task,
        settings=section("localise"),
        stride=RECIPE.gradcam.stride,
        layer=RECIPE.gradcam.layer,
        evaluation=judging("replicates", "level"),
        seed=RECIPE.seed,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.explanation.localise \
            --radiographs {input.radiographs:q} \
            --split {input.split:q} \
            --fold {wildcards.fold:q} \
            --task {params.task:q} \
            --weights {input.weights:q} \
            --predictions {input.predictions:q} \
            --settings {params.settings:q} \
            --stride {params.stride} \
            --layer={params.layer:q} \
            --evaluation {params.evaluation:q} \
            --seed {params.seed} \
            --cores {threads} \
            --localisation {output.localisation:q}
        """


rule embed:
    """Write what the head of one model sees of every film, before and after training."""
    input:
        code=code("explanation.embed"),
        own_code=own_code,
        radiographs=store,
        split="results/{run}/split.csv",
        weights="results/{run}/models/{model}/fold-{fold}/weights.safetensors",
        start=start_weights,
    output:
        features="results/{run}/embeddings/{model}/fold-{fold}.h5",
    log:
        "logs/{run}/embed/{model}/fold-{fold}.txt",
    benchmark:
        "results/{run}/benchmarks/embed/{model}/fold-{fold}.tsv"
    conda:
        "../../environment.yml"
    threads: CORES_OF_A_MODEL
    resources:
        gpu=1,
        weights_folder=WEIGHTS_FOLDER,
    params:
        task=model_task,
        model=model_settings,
        start=start_option,
        seed=RECIPE.seed,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.explanation.embed \
            --radiographs {input.radiographs:q} \
            --split {input.split:q} \
            --fold {wildcards.fold:q} \
            --task {params.task:q} \
            --weights {input.weights:q} \
            --model {params.model:q} \
            {params.start:q} \
            --weights-folder={resources.weights_folder:q} \
            --seed {params.seed} \
            --cores {threads} \
            --features {output.features:q}
        """


rule project:
    """Lay the features of all models of a task out: maps, neighbours, and what they tell."""
    input:
        code=code("explanation.project"),
        radiographs=STORE,
        split="results/{run}/split.csv",
        features=features_of,
    output:
        layout="results/{run}/latent/{task}/layout.csv",
        neighbours="results/{run}/latent/{task}/neighbours.csv",
        latent="results/{run}/latent/{task}/latent.json",
    log:
        "logs/{run}/project/{task}.txt",
    benchmark:
        "results/{run}/benchmarks/project/{task}.tsv"
    conda:
        "../../environment.yml"
    threads: workflow.cores
    params:
        task=one_task,
        models=models_of,
        settings=section("latent"),
        evaluation=judging("replicates", "level"),
        seed=RECIPE.seed,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.explanation.project \
            --radiographs {input.radiographs:q} \
            --split {input.split:q} \
            --fold 0 \
            --task {params.task:q} \
            --models {params.models:q} \
            --features {input.features:q} \
            --settings {params.settings:q} \
            --evaluation {params.evaluation:q} \
            --seed {params.seed} \
            --cores {threads} \
            --layout {output.layout:q} \
            --neighbours {output.neighbours:q} \
            --latent {output.latent:q}
        """


rule measure:
    """Measure on every test film what may mislead: tint, exposure, crop, text, devices."""
    input:
        code=code("explanation.measure"),
        checksums=expand("data/{source}/SHA256SUMS", source=SOURCES),
        index="results/{run}/index.csv",
        split="results/{run}/split.csv",
    output:
        measures="results/{run}/measures.csv",
    log:
        "logs/{run}/measure.txt",
    benchmark:
        "results/{run}/benchmarks/measure.tsv"
    conda:
        "../../environment.yml"
    threads: workflow.cores
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.explanation.measure \
            --data data \
            --index {input.index:q} \
            --split {input.split:q} \
            --cores {threads} \
            --measures {output.measures:q}
        """


rule errors:
    """List the mistakes of one model, and what is more frequent among them."""
    input:
        code=code("explanation.errors"),
        measures="results/{run}/measures.csv",
        split="results/{run}/split.csv",
        index="results/{run}/index.csv",
        duplicates="results/{run}/duplicates.csv",
        left_out="results/{run}/left-out.csv",
        predictions="results/{run}/predictions/{model}/fold-{fold}.csv",
        calibration="results/{run}/models/{model}/fold-{fold}/calibration.json",
    output:
        errors="results/{run}/errors/{model}/fold-{fold}.csv",
        causes="results/{run}/errors/{model}/fold-{fold}.json",
    log:
        "logs/{run}/errors/{model}/fold-{fold}.txt",
    benchmark:
        "results/{run}/benchmarks/errors/{model}/fold-{fold}.tsv"
    conda:
        "../../environment.yml"
    params:
        task=model_task,
        settings=section("errors"),
        evaluation=judging("level"),
        seed=RECIPE.seed,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.explanation.errors \
            --measures {input.measures:q} \
            --split {input.split:q} \
            --fold {wildcards.fold:q} \
            --duplicates {input.duplicates:q} \
            --left-out {input.left_out:q} \
            --index {input.index:q} \
            --task {params.task:q} \
            --predictions {input.predictions:q} \
            --calibration {input.calibration:q} \
            --settings {params.settings:q} \
            --evaluation {params.evaluation:q} \
            --seed {params.seed} \
            --errors {output.errors:q} \
            --causes {output.causes:q}
        """


rule filters:
    """Draw the pictures that move chosen filters of one model most, before and after training."""
    input:
        code=code("explanation.filters"),
        own_code=own_code,
        weights="results/{run}/models/{model}/fold-{fold}/weights.safetensors",
        start=start_weights,
    output:
        filters="results/{run}/filters/{model}/fold-{fold}.h5",
    log:
        "logs/{run}/filters/{model}/fold-{fold}.txt",
    benchmark:
        "results/{run}/benchmarks/filters/{model}/fold-{fold}.tsv"
    conda:
        "../../environment.yml"
    threads: CORES_OF_A_MODEL
    resources:
        gpu=1,
        weights_folder=WEIGHTS_FOLDER,
    params:
        model=model_settings,
        start=start_option,
        settings=section("filters"),
        seed=RECIPE.seed,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.explanation.filters \
            --weights {input.weights:q} \
            --model {params.model:q} \
            {params.start:q} \
            --weights-folder={resources.weights_folder:q} \
            --settings {params.settings:q} \
            --seed {params.seed} \
            --fold {wildcards.fold:q} \
            --cores {threads} \
            --filters {output.filters:q}
        """


# What every fold of every model leaves; the first fold has its features, mistakes and filters too.
EACH_TRAINING = rules.train.output + rules.predict.output + rules.guard.output
EACH_TRAINING += rules.gradcam.output + rules.localise.output
