rule train:
    """Train one chunk of an experiment's seeds together."""
    input:
        inputs("train"),
    output:
        **outputs("train"),
    log:
        log_pattern("train"),
    # The longest jobs, with the most that waits for them: started first, they leave no core idle at the end.
    priority: PRIORITY["train"]
    conda:
        ENVIRONMENT
    threads: threads_of("train")
    resources:
        mem_mb=4000,
        runtime=720,
        gpu=gpus_of("train"),
    params:
        recipe=recipe("train"),
    message:
        "train {wildcards.study}/{wildcards.experiment}, seeds from {wildcards.chunk}"
    shell:
        command("train")
