"""From films in all sizes to stores of grey squares, one for each side."""

# What looks at the films without a model reads them at the recipe's own side.
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
        radiographs="results/{run}/radiographs-{side}.h5",
    log:
        "logs/{run}/preprocess-{side}.txt",
    benchmark:
        "results/{run}/benchmarks/preprocess-{side}.tsv"
    conda:
        "../../environment.yml"
    threads: workflow.cores
    params:
        settings=preprocess_settings,
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
