"""interpflow: from specs/*.yaml to figures and a scorecard.  `snakemake --cores all` builds everything."""


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/analyse.smk"
include: "rules/collect.smk"
include: "rules/figures.smk"
include: "rules/report.smk"


# Minutes at most: not worth a place in a cluster's queue.
localrules:
    all,
    collect,
    figure,
    claims,
    manifest,


rule all:
    """Every study, at the scale given by --config scale=…."""
    default_target: True
    input:
        targets(*PLANS, *BROKEN),
    message:
        f"every study, at scale {SCALE}"


# `snakemake --cores all <study>` builds that study alone.
for study in [*PLANS, *filter(str.isidentifier, BROKEN)]:

    rule:
        name:
            study
        input:
            targets(study),
        message:
            f"{study}, at scale {SCALE}"


onstart:
    readable(require_names, studies_to_run())
    readable(run_lock.take, run_lock.PATH)
