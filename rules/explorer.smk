rule explorer:
    """Write the page to look through a study: its findings, and what goes on inside its models."""
    input:
        inputs("explorer"),
    output:
        **outputs("explorer"),
    log:
        log_pattern("explorer"),
    conda:
        ENVIRONMENT
    threads: threads_of("explorer")
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        recipe=recipe("explorer"),
    message:
        "explorer of {wildcards.study}"
    shell:
        command("explorer")
