rule collect:
    """Join the findings of one analysis on its experiments into one dataset."""
    input:
        inputs("collect"),
    output:
        **outputs("collect"),
    log:
        log_pattern("collect"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        recipe=recipe("collect"),
    message:
        "collect {wildcards.study}: {wildcards.analysis}"
    shell:
        command("collect")
