"""From films in all sizes to one store of grey squares."""

STORE = f"results/{{run}}/radiographs-{RECIPE.preprocess.side}.h5"


rule preprocess:
    """Decode every film of a certified split once into the store."""
    input:
        code=code("preprocessing.preprocess"),
        checksums=expand("data/{source}/SHA256SUMS", source=SOURCES),
        index="results/{run}/index.csv",
        split="results/{run}/split.csv",
        leakage="results/{run}/leakage.json",
    output:
        radiographs=STORE,
    log:
        "logs/{run}/preprocess.txt",
    benchmark:
        "results/{run}/benchmarks/preprocess.tsv"
    conda:
        "../../environment.yml"
    threads: workflow.cores
    params:
        settings=section("preprocess"),
    shell:
        r"""
        exec &> >(tee {log:q})

        python -m cxrpipe.preprocessing.preprocess \
            --data data \
            --index {input.index:q} \
            --split {input.split:q} \
            --settings {params.settings:q} \
            --cores {threads} \
            --radiographs {output.radiographs:q}
        """
