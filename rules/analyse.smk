rule analyse:
    """Run one analysis on all seeds of one experiment."""
    input:
        inputs("analyse"),
    output:
        **outputs("analyse"),
    log:
        log_pattern("analyse"),
    # Some take a minute and no figure does: left to the end, they would leave cores idle.
    priority: PRIORITY["analyse"]
    conda:
        ENVIRONMENT
    threads: threads_of("analyse")
    resources:
        mem_mb=4000,
        runtime=240,
        gpu=gpus_of("analyse"),
    params:
        recipe=recipe("analyse"),
    message:
        "analyse {wildcards.study}/{wildcards.experiment}: {wildcards.analysis}"
    shell:
        command("analyse")
