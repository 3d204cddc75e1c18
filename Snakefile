"""interpflow: from specs/*.yaml to figures and a scorecard.  `snakemake --cores all` builds everything."""


include: "rules/workflow.smk"


rule all:
    """Every study, at the scale given by --config scale=…."""
    input:
        targets(*PLANS, *BROKEN),
    message:
        f"every study, at scale {SCALE}"
