rule claims:
    """Hold the paper's numbers against ours."""
    input:
        inputs("claims"),
    output:
        **outputs("claims")
        | {
            "csv": report(
                outputs("claims")["csv"],
                category="{study}",
                labels={"figure": "scorecard", "scale": "{scale}"},
            )
        },
    log:
        log_pattern("claims"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        recipe=recipe("claims"),
    message:
        "claims of {wildcards.study}"
    shell:
        command("claims")


rule manifest:
    """Write down the digest of every file of a study."""
    input:
        inputs("manifest"),
    output:
        **outputs("manifest"),
    log:
        log_pattern("manifest"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        recipe=recipe("manifest"),
    message:
        "manifest of {wildcards.study}"
    shell:
        command("manifest")
