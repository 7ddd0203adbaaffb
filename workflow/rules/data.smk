"""From collections as they come to an index, its duplicates, and a certified split."""


rule download:
    """Bring one collection to data/, every file checked."""
    input:
        code=drawing_code,
    output:
        checksums="data/{source}/SHA256SUMS",
    log:
        "logs/download/{source}.txt",
    benchmark:
        "logs/download/{source}.tsv"
    conda:
        "../../environment.yml"
    threads: workflow.cores
    resources:
        mirror=MIRROR,
    params:
        origin=origin,
        contents=contents,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.data.download \
            --source {wildcards.source:q} \
            --origin {params.origin:q} \
            --mirror={resources.mirror:q} \
            --placed placed/{wildcards.source:q} \
            --cores {threads} \
            --checksums {output.checksums:q}
        """


rule index:
    """List every usable radiograph, and everything seen and not used with its reason."""
    input:
        code=code("data.index"),
        checksums=expand("data/{source}/SHA256SUMS", source=SOURCES),
    output:
        index="results/{run}/index.csv",
        excluded="results/{run}/excluded.csv",
        signatures="results/{run}/signatures.h5",
    log:
        "logs/{run}/index.txt",
    benchmark:
        "results/{run}/benchmarks/index.tsv"
    conda:
        "../../environment.yml"
    threads: workflow.cores
    params:
        settings=index_settings,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.data.index \
            --data data \
            --settings {params.settings:q} \
            --cores {threads} \
            --index {output.index:q} \
            --excluded {output.excluded:q} \
            --signatures {output.signatures:q}
        """


rule dedupe:
    """Find films that are in the collections more than once."""
    input:
        code=code("data.dedupe"),
        index="results/{run}/index.csv",
        signatures="results/{run}/signatures.h5",
    output:
        duplicates="results/{run}/duplicates.csv",
    log:
        "logs/{run}/dedupe.txt",
    benchmark:
        "results/{run}/benchmarks/dedupe.tsv"
    conda:
        "../../environment.yml"
    threads: workflow.cores
    params:
        settings=section("dedupe"),
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.data.dedupe \
            --index {input.index:q} \
            --signatures {input.signatures:q} \
            --settings {params.settings:q} \
            --cores {threads} \
            --duplicates {output.duplicates:q}
        """


rule split:
    """Divide patients into train, validation and test, copies kept together."""
    input:
        code=code("data.split"),
        index="results/{run}/index.csv",
        duplicates="results/{run}/duplicates.csv",
    output:
        split="results/{run}/split.csv",
        left_out="results/{run}/left-out.csv",
    log:
        "logs/{run}/split.txt",
    benchmark:
        "results/{run}/benchmarks/split.tsv"
    conda:
        "../../environment.yml"
    params:
        sources=RECIPE.sources,
        settings=section("split"),
        seed=RECIPE.seed,
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.data.split \
            --index {input.index:q} \
            --duplicates {input.duplicates:q} \
            --sources {params.sources:q} \
            --settings {params.settings:q} \
            --seed {params.seed} \
            --split {output.split:q} \
            --left-out {output.left_out:q}
        """


rule certify:
    """Stop the run unless no patient and no film is in two subsets."""
    input:
        code=code("data.certify"),
        index="results/{run}/index.csv",
        duplicates="results/{run}/duplicates.csv",
        split="results/{run}/split.csv",
        left_out="results/{run}/left-out.csv",
    output:
        leakage="results/{run}/leakage.json",
    log:
        "logs/{run}/certify.txt",
    benchmark:
        "results/{run}/benchmarks/certify.tsv"
    conda:
        "../../environment.yml"
    params:
        settings=section("split"),
        dedupe=section("dedupe"),
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.data.certify \
            --index {input.index:q} \
            --duplicates {input.duplicates:q} \
            --split {input.split:q} \
            --left-out {input.left_out:q} \
            --settings {params.settings:q} \
            --dedupe {params.dedupe:q} \
            --leakage {output.leakage:q}
        """
