"""What sbatch gets: scripts that quote, options of slurm.yaml; no Slurm is needed."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.launch import job, resources, states, torchrun
from s2st_interleave.launch.batch import Batch, sbatch_words, script_text
from s2st_interleave.launch.resources import Resources

ROOT = Path(__file__).resolve().parents[2]
NASTY = 'a\'b "c" $(touch broken) `touch broken` \\ ; * \n # é'


def batch(*words: str) -> Batch:
    line = job.read(words)
    return Batch(line.log, line.jobs, line.limit)


@pytest.mark.parametrize("task", ["1", "2"])
def test_a_script_runs_the_words_of_its_task_and_keeps_its_status(task, tmp_path):
    """Run by bash as slurmd would run it, outside of any Slurm."""
    log = tmp_path / f"{NASTY.splitlines()[0]} JOB.log"
    code = "import sys; print(ascii(sys.argv[1:])); sys.exit(int(sys.argv[1]))"
    submitted = batch("JOB=1:2", str(log), sys.executable, "-c", code, "JOB", NASTY)
    script = tmp_path / "x.sh"
    script.write_text(script_text(submitted, Resources()))
    submitted.jobs[0].log.parent.joinpath("slurm").mkdir()
    variables = {"SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": task}
    done = subprocess.run(
        ["bash", str(script)],
        env=os.environ | variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == int(task), done.stderr
    assert ascii([task, NASTY]) in done.stdout
    assert not (tmp_path / "broken").exists()
    job = submitted.jobs[int(task) - 1]
    assert submitted.exit_status(job, f"12_{task}") == int(task)
    assert submitted.exit_status(job, f"13_{task}") is None  # of another submission


def test_a_training_gets_one_torchrun_on_each_node():
    submitted = batch("train.log", "python", "-m", "s2st_interleave", "train")
    text = script_text(
        submitted, Resources(num_nodes=2, gpus_per_node=8, cpus_per_node=64)
    )
    assert " srun --nodes 2 --ntasks 2 --ntasks-per-node 1 --cpus-per-task 64 " in text
    assert ".torchrun --nproc_per_node 8 -- python -m s2st_interleave train\n" in text
    alone = script_text(submitted, Resources(gpus_per_node=8))
    assert "srun" not in alone and "torchrun --nproc_per_node 8" in alone
    assert "torchrun" not in script_text(submitted, Resources(gpus_per_node=1))


def test_nodes_meet_where_srun_was_started():
    variables = {"SLURM_JOB_ID": "123456", "SLURM_STEP_NUM_NODES": "2"}
    variables["SLURM_LAUNCH_NODE_IPADDR"] = "10.0.0.7"
    hosts = []
    for node in "01":
        words = torchrun.rendezvous(variables | {"SLURM_NODEID": node})
        assert words[words.index("--nnodes") + 1] == "2"
        assert words[words.index("--rdzv_endpoint") + 1] == "10.0.0.7:23456"
        hosts.append(words[-1])
    assert hosts == ["is_host=1", "is_host=0"]


def test_sbatch_gets_what_slurm_yaml_says(tmp_path):
    submitted = batch("--max-jobs-run", "3", "JOB=2:9", "50% done/x.JOB.log", "true")
    asked = Resources(
        account="speech", minutes=90, warning_sec=60, sbatch_args=("--qos=long",)
    )
    words = sbatch_words(submitted, asked)
    options = dict(itertools.pairwise(words))
    assert options["--array"] == "2,3,4,5,6,7,8,9%3"
    assert options["--output"].endswith("/50%% done/x.%a.log")
    assert options["--signal"] == "B:USR1@60" and options["--time"] == "90"
    assert options["--account"] == "speech" and "--partition" not in words
    assert words[-2:] == ["--qos=long", "50% done/slurm/x.JOB.log.sh"]


def test_only_the_logs_name_has_the_tasks_number(tmp_path, monkeypatch):
    """A folder called JOBS became one called %aS, and no log could be opened."""
    (tmp_path / "JOBS").mkdir()
    monkeypatch.chdir(tmp_path / "JOBS")
    words = sbatch_words(batch("JOB=1:2", "x.JOB.log", "true"), Resources())
    output = words[words.index("--output") + 1]
    assert output == str(tmp_path / "JOBS" / "x.%a.log")


def test_the_recipes_slurm_yaml_names_no_account_and_no_partition():
    path = ROOT / "egs/cvss/conf/slurm.yaml"
    for name in resources.CLASSES:
        asked = resources.read(path, name)
        assert (asked.account, asked.partition) == ("", "")
    assert asked.warning_sec and asked.max_requeue  # cuda_cmd
    assert resources.read(path, "decode_cmd").num_ranks == 1  # JOB cuts its work


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cuda_cmd: {gpus_per_nod: 2}", "'gpus_per_nod'; did you mean 'gpus_per_node'"),
        ("cuda_cmds: {}", "did you mean 'cuda_cmd'"),
        ("cuda_cmd: {minutes: 5, warning_sec: 300}", "not within minutes"),
        ("cuda_cmd: {num_nodes: 0}", "at least 1"),
        ("cuda_cmd: 3", "cuda_cmd: expected 'option: value' lines"),
    ],
)
def test_a_bad_slurm_yaml_is_refused(text, message, tmp_path):
    path = tmp_path / "slurm.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"slurm.yaml.*{message}"):
        resources.read(path, "cuda_cmd")


def test_an_array_has_no_ranks(tmp_path):
    (tmp_path / "slurm.yaml").write_text("decode_cmd: {gpus_per_node: 2}")
    words = ["--backend", "slurm", "--resources", "decode_cmd", "JOB=1:2", "JOB.log"]
    done = subprocess.run(
        [sys.executable, "-m", "s2st_interleave", "launch", *words, "true"],
        env=os.environ | {"S2ST_SLURM": str(tmp_path / "slurm.yaml")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "one node and one GPU" in done.stderr


ACCOUNT = """\
12_1|COMPLETED|0:0|n1
12_2|CANCELLED by 1000|0:15|n1
12_3|OUT_OF_MEMORY|0:125|n2
12_4|RUNNING|0:0|n2
12_[5-7]|PENDING|0:0|None assigned
"""


def test_what_accounting_says_of_tasks_that_ended(tmp_path, monkeypatch):
    """A program that answers as sacct does: the Slurm of our tests keeps no account."""
    (tmp_path / "sacct").write_text(f"#!/bin/sh\ncat <<'END'\n{ACCOUNT}END\n")
    (tmp_path / "sacct").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    ended = states.of_account("12")
    assert {index: state.name for index, state in ended.items()} == {
        1: "COMPLETED",
        2: "CANCELLED",
        3: "OUT_OF_MEMORY",
    }
    assert ended[1].is_well and ended[2].signal == 15 and ended[3].node == "n2"
    (tmp_path / "sacct").write_text("#!/bin/sh\necho disabled >&2; exit 1\n")
    assert states.of_account("12") == {}


SBATCH = """#!/bin/bash
for word; do [[ $word == --array=* || $last == --array ]] && tasks=$word; last=$word; done
if [[ $tasks == *451* ]]; then
  echo "sbatch: error: Batch job submission failed: Invalid job array specification" >&2
else
  echo "sbatch: error: Batch job submission failed: Invalid account" >&2
fi
exit 1
"""
SCONTROL = """#!/bin/bash
printf 'MaxArraySize            = 450\\nMaxJobCount             = 10000\\n'
"""


def refused(folder: Path, jobs: str) -> list[str]:
    """What the launcher says where programs that answer as Slurm's refuse every job."""
    for name, text in {"sbatch": SBATCH, "scontrol": SCONTROL}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "slurm.yaml").write_text("{}")
    (folder / "old.1.log").write_text("words of another run")
    launch = [sys.executable, "-m", "s2st_interleave", "launch", "--backend", "slurm"]
    done = subprocess.run(
        [*launch, f"JOB={jobs}", "old.JOB.log", "true"],
        env=os.environ
        | {"S2ST_SLURM": "slurm.yaml", "PATH": f"{folder}:{os.environ['PATH']}"},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "another run" not in done.stderr
    return [line for line in done.stderr.splitlines() if line]


def test_an_array_that_is_too_large_says_in_a_line_what_nj_may_be(tmp_path):
    """There were 451 lines of refusals."""
    cause, total = refused(tmp_path, "1:451")
    assert "and 441 more: JOB goes to 451, and arrays of this cluster to 449" in cause
    assert "--nj 449 at most" in cause and total.startswith("451 of 451 jobs failed")


@pytest.mark.parametrize("jobs", ["1:300", "a,b,c"])
def test_jobs_that_are_refused_for_one_cause_are_one_line(jobs, tmp_path):
    cause, total = refused(tmp_path, jobs)
    assert cause.endswith("Batch job submission failed: Invalid account")
    assert "jobs failed" in total


@pytest.mark.parametrize(
    ("text", "indices"),
    [("", [0]), ("7", [7]), ("1,4-6%2", [1, 4, 5, 6]), ("1-7:3,...", [1, 4, 7])],
)
def test_tasks_that_wait_together_are_told_apart(text, indices):
    assert states._indices(text) == indices


def test_memory_and_cores_of_a_node_grow_with_its_gpus(tmp_path):
    path = tmp_path / "slurm.yaml"
    path.write_text(
        "memory: 3G\ncuda_cmd: {gpus_per_node: 8, memory_per_gpu: 48G, cpus_per_gpu: 8}\n"
        "vocoder_cmd: {gpus_per_node: 1}\nllm_cmd: {memory: 900G}\n"
    )
    asked = {name: resources.read(path, name) for name in resources.CLASSES}
    nodes = {name: (each.node_memory, each.node_cpus) for name, each in asked.items()}
    assert nodes["train_cmd"] == ("3G", 1)
    assert nodes["cuda_cmd"] == nodes["encoder_cmd"] == ("384G", 64)
    assert nodes["llm_cmd"] == ("900G", 64)  # what a class says itself wins
    assert nodes["vocoder_cmd"] == ("48G", 8)
    path.write_text("cuda_cmd: {memory: 3G, memory_per_gpu: 48G}")
    with pytest.raises(UserError, match="memory and memory_per_gpu are both set"):
        resources.read(path, "llm_cmd")
