rule analyse:
    """Run one analysis on all seeds of one experiment."""
    input:
        inputs("analyse"),
    output:
        **outputs("analyse"),
    log:
        log_pattern("analyse"),
    conda:
        "../environment.yml"
    threads: each("analyse", "threads")
    resources:
        mem_mb=4000,
        runtime=240,
        gpu=each("analyse", "gpus"),
    params:
        recipe=recipe("analyse"),
    message:
        "analyse {wildcards.study}/{wildcards.experiment}: {wildcards.analysis}"
    shell:
        command("analyse")
