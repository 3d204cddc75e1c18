"""Where the rules meet the package: the plans of all studies, and what a rule looks up in them."""

import inspect
import os
import re
import sys
import time
from functools import cache
from pathlib import Path

HERE = Path(workflow.basedir)  # where the Snakefile stands
# In a clone, recipes count the code beside this workflow, so the jobs run that code, whether or not it is installed.
SOURCE = HERE / "src"
CODE = [str(SOURCE)] if (SOURCE / "interpflow/__main__.py").is_file() else []
sys.path[:0] = CODE
os.environ.update(
    # The Python that runs Snakemake runs the jobs, whether or not its environment is activated.
    PATH=os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]),
    PYTHONPATH=os.pathsep.join([*CODE, os.environ.get("PYTHONPATH", "")]).strip(os.pathsep),
)
# For --software-deployment-method conda; in a project without it, jobs run where Snakemake does.
ENVIRONMENT = str(HERE / "environment.yml") if (HERE / "environment.yml").is_file() else None

from interpflow.workflow import cards, run_lock
from interpflow.workflow.cache import held, take
from interpflow.report.differences import conditions, differences
from interpflow.errors import InterpflowError
from interpflow.workflow.layout import STAGES, log_pattern
from interpflow.spec.study import DEFAULT_SCALE
from interpflow.workflow.cost import at_base
from interpflow.workflow.expected import PRIORITY, Run, at_once, expected, foreseen, records_of
from interpflow.workflow.plan import find
from interpflow.workflow.specs_folder import (
    misnamed,
    plan_all,
    plan_checked,
    plan_good,
    require_known,
    spec_of,
    variants,
)
from interpflow.workflow.stale import OTHER_RECIPE, staleness
from interpflow.workflow.time_left import tell


def readable(function, *arguments):
    """Call `function`; where it finds a mistake, end with its message and no traceback."""
    try:
        return function(*arguments)
    except InterpflowError as error:
        sys.exit(f"interpflow: {error}")


readable(require_known, config)
SCALE = str(config.get("scale", DEFAULT_SCALE))
PLANS, BROKEN = readable(plan_good, SCALE)
if workflow.is_main_process:
    for notice in [*BROKEN.values(), *misnamed(), *at_base(PLANS.values())]:
        print(f"interpflow: {notice}", file=sys.stderr)


# A GPU does one job at a time.  A cluster counts its own; elsewhere jobs find theirs among several.
CARDS = int(workflow.global_resources["gpu"].value) if "gpu" in workflow.global_resources else 1
workflow.register_resource("gpu", CARDS)
if CARDS > 1 and workflow.is_main_process and workflow.resource_settings.nodes is None:
    os.environ[cards.NUMBER] = str(CARDS)


wildcard_constraints:
    **{name: "[a-z0-9_]+" for stage in STAGES.values() for name in ("scale", *stage.names)},
    study="[a-z0-9_.]+",  # a point of a variant is called variant.values


@cache
def plans_of(study):
    """The plan of a study; of a variant, whose points are planned when they are asked for, the plan of each."""
    return {study: PLANS[study]} if study in PLANS else readable(plan_all, SCALE, [study])


def job_of(stage, wildcards):
    """The planned job that `wildcards` name."""
    names = [getattr(wildcards, name) for name in STAGES[stage].names]
    plans = plans_of(wildcards.study.partition(".")[0])
    return readable(find, plans, wildcards.scale, wildcards.study, stage, *names)


@cache
def must_run(job):
    """Whether a job is asked for by --force or --forcerun, or is stale, or rests on one that is.

    A job whose files come from the cache need not run.
    """
    stages = [forced.name for forced in workflow.dag.forcerules]
    if job.stage in stages or workflow.dag.forcefiles.intersection(job.outputs.values()):
        return True
    why = staleness(job)
    if why not in ("", OTHER_RECIPE):
        print(f"interpflow: {why}", file=sys.stderr)
    if (why or not all(map(os.path.lexists, job.outputs.values()))) and from_cache(job):
        return False
    if why:
        return True
    return any(must_run(source.job) for source in job.sources.values())


def from_cache(job):
    """Whether the files of a job were taken from the cache; a dry run says that they will be.

    Not beside a run at work, since the files of another recipe would stop its jobs.
    """
    if workflow.executor_plugin is None or workflow.touch or not held(job):
        return False
    if run_lock.holder(run_lock.PATH) or not (workflow.dryrun or take(job)):
        return False
    to_come = "in the cache, so that a run takes it" if workflow.dryrun else "from the cache"
    print(f"interpflow: {to_come}: {job.stage} {job.label}", file=sys.stderr)
    return not workflow.dryrun


def targets(*studies):
    """What whole runs of `studies` leave to look at; a broken spec among them ends the run."""

    def of(wildcards):
        if wrong := [BROKEN[study] for study in studies if study in BROKEN]:
            sys.exit("interpflow: " + "\n".join(wrong))
        plans = [plan for study in studies for plan in plans_of(study).values()]
        return [path for plan in plans for path in plan.targets()]

    return of


def jobs_to_run():
    """The planned jobs that the run has before it, each after its inputs."""
    needed = {
        job_of(job.rule.name, job.wildcards)
        for job in workflow.dag.needrun_jobs()
        if job.rule.name in STAGES
    }
    return [job for job in planned() if job in needed]


def planned():
    """Every job of the studies in specs/, and of the variants among what the run makes."""
    studies = dict.fromkeys([*PLANS, *(study.partition(".")[0] for study in studies_to_run())])
    return [job for study in studies for plan in plans_of(study).values() for job in plan]


def studies_to_run():
    """The studies that have jobs to run."""
    named = [getattr(job.wildcards, "study", None) for job in workflow.dag.needrun_jobs()]
    return {study for study in named if study}


@cache
def records():
    """What jobs of the present plans took when they last ran."""
    return records_of(planned())


def tell_time_left():
    """Write down what the run has before it, and say now and then how long it still takes."""
    jobs = jobs_to_run()
    settings = workflow.resource_settings
    wide = at_once(settings.cores, settings.nodes, len(jobs))
    run = Run(time.time(), wide, expected(jobs, foreseen(records())))
    run.write()
    tell(run)


def known(function):
    """`function`, whose parameters Snakemake need not work out for each of thousands of jobs."""
    function.__signature__ = inspect.signature(function)
    return function


def inputs(stage):
    """The inputs of a job.

    The recipe in a file decides: a job that must run is forced, and for all others it counts neither when an
    input was written nor whether it is written again, nor, where their own files are there, whether an input is:
    data may lie elsewhere by now.
    """

    @known
    def of(wildcards):
        job = job_of(stage, wildcards)
        paths = list(job.inputs.values())
        if workflow.is_main_process:
            if must_run(job):
                workflow.dag.forcefiles.update(job.outputs.values())
                return paths
            if all(map(os.path.lexists, job.outputs.values())):
                paths = [path for path in paths if os.path.lexists(path)]
        else:
            # What Snakemake starts reads no profile.  In a group too, a failed job keeps no other from its work.
            workflow.execution_settings.keep_going = True
        return [ancient(path) for path in paths]

    return of


def outputs(stage):
    return STAGES[stage].outputs


def recipe(stage):
    """The one tracked parameter: the digest of all that the bytes depend on."""
    return known(lambda wildcards: job_of(stage, wildcards).short_sha)


def threads_of(stage):
    return asked_for(stage, "threads")


def gpus_of(stage):
    return asked_for(stage, "gpus")


def asked_for(stage, attribute):
    """How much of something the jobs of a stage ask for: a number where all ask for the same, else a function.

    Of functions Snakemake asks each for every job, which takes its time with thousands of them.  The jobs of
    variants are not known yet.
    """
    found = {
        getattr(job, attribute) for plan in PLANS.values() for job in plan.jobs[stage].values()
    }
    if len(found) == 1 and not variants():
        return found.pop()
    return lambda wildcards: getattr(job_of(stage, wildcards), attribute)


def caption(wildcards, input):
    """What a figure shows and under which conditions, in reStructuredText for `snakemake --report`.

    It takes `input` because Snakemake does not track such parameters: the recipe tracks what is drawn.
    """
    shown = job_of("figure", wildcards).slice["caption"]
    plan = plans_of(wildcards.study.partition(".")[0])[wildcards.study]
    unlike = differences(plan.base, plan.study, plan.study.figures[wildcards.figure])
    text = f"{shown} {conditions(SCALE, unlike)}"
    return re.sub(r"([\\`*|]|_(?!\w))", r"\\\1", " ".join(text.split()))


def command(stage):
    """The job as one can type it: it is planned anew, and refused if its recipe is another by then."""
    names = " ".join(f"{{wildcards.{name}}}" for name in ("study", *STAGES[stage].names))
    return (
        f"python -m interpflow {stage} {names}"
        " --scale {wildcards.scale} --expect {params.recipe}"
    )
