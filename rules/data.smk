rule data:
    """Generate the token sequences of an experiment, with the true states behind them."""
    input:
        inputs("data"),
    output:
        **outputs("data"),
    log:
        log_pattern("data"),
    # Training waits for it.
    priority: PRIORITY["data"]
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        recipe=recipe("data"),
    message:
        "data of {wildcards.study}/{wildcards.experiment}"
    shell:
        command("data")
