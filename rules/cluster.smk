"""What jobs ask of a cluster, and which of them go there as one."""

from interpflow.workflow import slurm
from interpflow.workflow.cache import AGAIN
from interpflow.workflow.demands import Demands
from interpflow.workflow.groups import AWAY, groups

GROUP = "short"
# A run that is told how many jobs it may have at a time sends them away; a dry run of it says what would go.
ON_CLUSTER = workflow.resource_settings.nodes is not None


@cache
def demands():
    return Demands(records())


@cache
def group_numbers():
    """The number of the group of each short job that the run has before it."""
    jobs = jobs_to_run()
    return groups(jobs, {job: demands().of(job).seconds for job in jobs})


@cache
def followers():
    """The jobs that start where the first of their group has started."""
    first = {}
    for job, number in group_numbers().items():
        first.setdefault(number, job)
    return group_numbers().keys() - first.values()


def group_of(stage):
    """The group of a job, where a cluster's jobs are grouped; what was submitted as a group is one there."""

    def of(wildcards):
        # All jobs of one number are one group, whatever they have to do with each other.  Snakemake has the
        # settings of groups only after it has read the rules.
        workflow.group_settings.group_components = {GROUP: sys.maxsize}
        if not workflow.is_main_process:
            return GROUP if len(workflow.dag_settings.target_jobs) > 1 else None
        number = group_numbers().get(job_of(stage, wildcards))
        if number is None:
            return None
        name = f"{GROUP}{number}"
        workflow.parent_groupids[name] = GROUP
        return name

    return of


def minutes_of(stage):
    """The time limit of an attempt; a job that exceeds it goes on in the next, from its state."""

    def of(wildcards, attempt):
        if not workflow.is_main_process:  # which has asked for it
            return 1
        job = job_of(stage, wildcards)
        return demands().of(job).minutes(attempt, starts=job not in followers())

    return of


def megabytes_of(stage):
    """The memory of an attempt."""

    def of(wildcards, attempt):
        if not workflow.is_main_process:
            return 1
        return demands().of(job_of(stage, wildcards)).megabytes(attempt)

    return of


def turn(wildcards, attempt):
    """The one turn in a group.  A second attempt hears of it here, and takes from the cache what the first made."""
    if attempt > 1 and not workflow.is_main_process:
        os.environ[AGAIN] = "yes"
    return 1


def gres_of(stage):
    """A GPU as clusters name it that do not count --gpus."""
    return lambda wildcards: "gpu:1" if job_of(stage, wildcards).gpus else None


def send_away():
    """Let jobs go to the cluster in groups, and ask there for what they are expected to take.

    Elsewhere nobody looks at it, and a dry run of thousands of jobs would work it out for each.
    """
    workflow.localrules(*(stage for stage in STAGES if stage not in AWAY))
    # In a group they run one after the other: each takes the one turn that there is.
    workflow.resource_scopes["turn"] = "local"
    workflow.register_resource("turn", 1)
    for stage in AWAY:
        sent = workflow.get_rule(stage)
        sent.group = group_of(stage)
        sent.resources["turn"] = turn
        asked = {"mem_mb": megabytes_of, "runtime": minutes_of, "gres": gres_of}
        told = workflow.resource_settings.overwrite_resources.get(stage, {})  # --set-resources
        for name in asked.keys() - told.keys():
            sent.resources[name] = asked[name](stage)


def look_at_slurm(alone):
    """Ask where SLURM answers for the states of jobs, and end what a killed run left in its queue.

    Where it is not sure that this run is `alone`, jobs that are there may be those of another one.
    """
    accounts = readable(slurm.keeps_accounts)
    command, notice = readable(slurm.teller, accounts)
    workflow.executor_settings.status_command = command
    kept = "accounts" if accounts else "no accounts"
    print(f"interpflow: SLURM keeps {kept}: {command} tells the states of jobs", file=sys.stderr)
    if notice:
        print(f"interpflow: {notice}", file=sys.stderr)
    if jobs := alone and readable(slurm.left, Path.cwd()):
        readable(slurm.cancel, jobs)
        number = f"{len(jobs)} job" + ("" if len(jobs) == 1 else "s")
        print(f"interpflow: {number} of a killed run taken out of the queue", file=sys.stderr)
