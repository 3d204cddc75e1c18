rule figure:
    """Draw one figure, and write beside it what it shows and where that comes from."""
    input:
        inputs("figure"),
    output:
        **outputs("figure")
        | {
            "svg": report(
                outputs("figure")["svg"],
                caption="caption.rst",
                category="{study}",
                labels={"figure": "{figure}", "scale": "{scale}"},
            )
        },
    log:
        log_pattern("figure"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        recipe=recipe("figure"),
        caption=caption,
    message:
        "figure {wildcards.study}: {wildcards.figure}"
    shell:
        command("figure")
