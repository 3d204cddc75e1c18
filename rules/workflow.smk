"""All rules but one: `all`, the default target, which Snakemake takes from the Snakefile itself."""


include: "common.smk"
include: "cluster.smk"
include: "data.smk"
include: "train.smk"
include: "analyse.smk"
include: "collect.smk"
include: "figures.smk"
include: "explorer.smk"
include: "report.smk"


if ON_CLUSTER:
    send_away()


# `snakemake --cores all <study>` builds that study alone; so it is with a variant.
for study in dict.fromkeys([*PLANS, *filter(str.isidentifier, [*BROKEN, *variants()])]):

    rule:
        name:
            study
        input:
            targets(study),
        message:
            f"{study}, at scale {SCALE}"


onstart:
    readable(plan_checked, SCALE, sorted({spec_of(study) for study in studies_to_run()}))
    alone = readable(run_lock.take, run_lock.PATH) is not None
    if workflow.executor_plugin.name == "slurm":
        look_at_slurm(alone)
    # To start no more than so many jobs a second, Snakemake looks at all of them once more a second after each job
    # that ends, and again a second after that, for ever: with a few hundred jobs it keeps a core busy.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None
    tell_time_left()
