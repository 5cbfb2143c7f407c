"""Jobs through a real Slurm: `tools/slurm_test.sh` starts one and runs these."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from real_slurm import NEEDS_SLURM

from s2st_interleave.config import RunOptions
from s2st_interleave.interleave import dump
from s2st_interleave.launch import job, slurm, states
from s2st_interleave.launch.batch import Batch
from s2st_interleave.stage_dir import open_stage

pytestmark = NEEDS_SLURM
LAUNCH = [sys.executable, "-m", "s2st_interleave", "launch", "--backend", "slurm"]
CONF = """
poll_sec: 0.5
decode_cmd: {gpus_per_node: 1}
cuda_cmd: {minutes: 1, warning_sec: 45, max_requeue: 20}
"""
# A training as far as the launcher can tell: the warning makes it save and end with 85.
TRAINING = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from safetensors.numpy import load_file, save_file
from s2st_interleave.preemption import EXIT_REQUEUE

folder, num_steps, step_sec = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
asked = []
for number in (signal.SIGUSR1, signal.SIGTERM):
    signal.signal(number, lambda *_: asked.append(1))
path = folder / f"rank{os.environ.get('RANK', 0)}.safetensors"
state = {"weights": np.eye(4), "step": np.array(0)}
if path.is_file():
    state = load_file(path)
    step_sec = 0  # one turn to be stopped in is enough
print(f"from step {state['step']} of {os.environ.get('WORLD_SIZE', 1)}", flush=True)
while state["step"] < num_steps:
    x = np.random.default_rng(int(state["step"])).standard_normal((8, 4))
    gradient = x.T @ (x @ state["weights"] - x[:, ::-1]) / len(x)
    state["weights"] = state["weights"] - 0.1 * gradient
    state["step"] = np.array(state["step"] + 1)
    time.sleep(step_sec)
    if asked or state["step"] == num_steps:
        save_file(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)
    if asked and state["step"] < num_steps:
        print(f"saved at step {state['step']}", flush=True)
        sys.exit(EXIT_REQUEUE)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Where a recipe would be, with a name that breaks what does not quote."""
    folder = tmp_path / 'it\'s 50% of "a path"'
    folder.mkdir()
    write_conf(folder, CONF)
    (folder / "training.py").write_text(TRAINING)
    monkeypatch.chdir(folder)
    return folder


def write_conf(folder: Path, text: str) -> None:
    (folder / "slurm.yaml").write_text(text)


def start(*words: str) -> subprocess.Popen:
    """The launcher, as a recipe calls it."""
    return subprocess.Popen(
        [*LAUNCH, *words],
        env=os.environ | {"S2ST_SLURM": str(Path.cwd() / "slurm.yaml")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def launch(*words: str) -> subprocess.CompletedProcess:
    process = start(*words)
    out, err = process.communicate()
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def wait_for(path: Path, text: str, seconds: float = 180) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if path.is_file() and text in path.read_text():
            return path.read_text()
        time.sleep(0.1)
    content = path.read_text() if path.is_file() else "no file"
    raise AssertionError(f"{path} never held '{text}': {content}")


def job_number(log: str) -> str:
    return re.search(r"Slurm job ([\d_]+) on", log)[1]


def training(*words: str) -> list[str]:
    return [sys.executable, "training.py", *words]


def test_only_the_failed_task_of_an_array_runs_again(folder):
    """Its state and the end of its log are told; the others' work is kept."""
    code = (
        "import pathlib, sys; print('task', sys.argv[1:], 'error: none');\n"
        "if sys.argv[1] == '2' and not pathlib.Path('mended').exists(): sys.exit(7)\n"
        "pathlib.Path(f'out.{sys.argv[1]}').write_text('made')"
    )
    words = ["--resources", "decode_cmd", "--done", "out.JOB", "JOB=1:3"]
    words += ["log dir/x.JOB.log", sys.executable, "-c", code, "JOB", "$(false) 'q\""]
    done = launch(*words)
    assert done.returncode == 1
    assert "1 of 3 jobs failed" in done.stderr
    assert "[2] FAILED with exit status 7 (Slurm job " in done.stderr
    assert "task ['2', '$(false) \\'q\"'] error: none" in done.stderr
    assert "[1] task ['1'," in done.stdout and "[1] FAILED" not in done.stderr
    before = {k: Path(f"log dir/x.{k}.log").read_text() for k in "123"}

    Path("mended").touch()
    done = launch(*words)
    assert done.returncode == 0
    assert "2 of 3 jobs are done already" in done.stdout
    assert Path("out.2").read_text() == "made"
    for k in "13":
        assert Path(f"log dir/x.{k}.log").read_text() == before[k]
    assert not list(Path("log dir/slurm").glob("*.job"))


def test_a_job_that_slurm_forgot_is_known_by_what_it_left_behind(folder):
    done = launch("x.log", "bash", "-c", "exit 7")
    number = job_number(Path("x.log").read_text())
    assert "FAILED with exit status 7" in done.stderr
    batch = Batch(Path("x.log"), job.read(["x.log", "true"]).jobs)
    end = slurm._final(batch, number, {0: states.State("RUNNING")})[0]
    assert (end.name, end.exit_status) == ("FAILED", 7)
    assert slurm._final(batch, f"{number}0", {})[0].name == "UNKNOWN"
    assert states.of_tasks("999999") is None


def test_a_time_limit_is_answered_by_checkpoint_and_requeue(folder):
    """The same weights, bit for bit, as those of a training nobody stopped."""
    for name in ("whole", "cut"):
        Path(name).mkdir()
    subprocess.run(training("whole", "340", "0"), check=True)
    words = training("cut", "340", "0.2")  # the warning comes within 30 seconds
    done = launch("--resources", "cuda_cmd", "t.log", *words)
    assert done.returncode == 0, done.stderr
    log = Path("t.log").read_text()
    assert "queued again" in log and "turn 2" in log
    weights = "rank0.safetensors"
    assert Path("cut", weights).read_bytes() == Path("whole", weights).read_bytes()


def test_a_warned_training_of_the_llm_goes_on_to_the_same_weights(
    folder, text_llm, small_dump
):
    directory = folder / "dump"
    stage = open_stage(directory, stage="dump", options=RunOptions(), inputs={})
    utterances = [small_dump[i] for i in range(len(small_dump))]
    dump.write(directory, utterances, small_dump.vocabulary)
    stage.finish(num_in=1, num_out=1)
    train = [sys.executable, "-m", "s2st_interleave", "train", "--llm", str(text_llm)]
    train += ["--train_dir", "dump", "--dev_dir", "dump", "--device", "cpu"]
    train += ["--max_steps", "250", "--batch_size", "8", "--text_ratio_every", "20"]
    train += ["--num_threads", "1", "--eval_every", "250", "--save_every", "250"]
    subprocess.run([*train, "--out_dir", "whole"], check=True)

    write_conf(folder, "poll_sec: 0.5\ncuda_cmd: {max_requeue: 1}")  # no other warning
    process = start("--resources", "cuda_cmd", "t.log", *train, "--out_dir", "cut")
    # Its log tells of steps while they are made, metrics.jsonl when a checkpoint is saved.
    number = job_number(wait_for(Path("t.log"), "train cut: step "))
    subprocess.run(["scancel", "--batch", "--signal=USR1", number], check=True)
    _, err = process.communicate()
    assert process.returncode == 0, err
    log = Path("t.log").read_text()
    assert "queued again" in log and "train cut: resuming from step " in log
    for name in ("metrics.jsonl", "stage.json"):
        assert Path("cut", name).is_file()
    whole, cut = (
        next(Path(out).glob("*250*/model.safetensors")).read_bytes()
        for out in ("whole", "cut")
    )
    assert whole == cut


def test_turns_are_limited(folder):
    write_conf(folder, "poll_sec: 0.5\ncuda_cmd: {max_requeue: 1}")
    done = launch("--resources", "cuda_cmd", "t.log", "bash", "-c", "exit 85")
    assert done.returncode == 1
    assert "stopped with a checkpoint and not queued again" in done.stderr
    assert Path("t.log").read_text().count("ended with 85") == 2


def test_one_torchrun_on_each_of_two_nodes(folder):
    """Four ranks; a warning reaches them all, and all go on in the next turn."""
    write_conf(
        folder,
        "poll_sec: 0.5\ncuda_cmd: {num_nodes: 2, gpus_per_node: 2, max_requeue: 1}",
    )
    Path("out").mkdir()
    process = start(
        *("--resources", "cuda_cmd", "t.log"), *training("out", "600", "0.1")
    )
    log = wait_for(Path("t.log"), "from step 0")
    while log.count("from step 0") < 4 and process.poll() is None:
        time.sleep(0.1)
        log = Path("t.log").read_text()
    subprocess.run(["scancel", "--batch", "--signal=USR1", job_number(log)], check=True)
    _, err = process.communicate()
    assert process.returncode == 0, err
    log = Path("t.log").read_text()
    # Without line ends: those of ranks that write at once run into each other.
    assert log.count("from step 0 of 4") == 4 and log.count("saved at step") == 4
    assert log.count("from step ") == 8 and "queued again" in log
    ranks = [path.read_bytes() for path in sorted(Path("out").glob("rank*"))]
    assert len(ranks) == 4 and len(set(ranks)) == 1


def test_a_preempted_training_goes_on(folder):
    write_conf(folder, "poll_sec: 0.5\ncuda_cmd: {max_requeue: 5, cpus_per_node: 4}")
    Path("out").mkdir()
    words = training("out", "600", "0.1")
    process = start("--resources", "cuda_cmd", "t.log", *words)
    wait_for(Path("t.log"), "from step 0")
    node = re.search(r" on (n\d)", Path("t.log").read_text())[1]
    urgent = ["--partition=urgent", f"--nodelist={node}", "--cpus-per-task=4"]
    subprocess.run(["sbatch", *urgent, "--wrap=sleep 1", "-o/dev/null"], check=True)
    _, err = process.communicate()
    assert process.returncode == 0, err
    log = Path("t.log").read_text()
    assert "PREEMPTION" in log and "saved at step" in log
    assert len(re.findall("from step [1-9]", log)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_end_of_the_launcher_cancels_its_jobs(folder, number):
    """Also those that save when they are told to stop: none comes back."""
    Path("out").mkdir()
    words = training("out", "9999", "0.1")
    write_conf(folder, "poll_sec: 0.5\ncuda_cmd: {max_requeue: 5}")
    process = start("--resources", "cuda_cmd", "t.log", *words)
    log = wait_for(Path("t.log"), "from step 0")
    process.send_signal(number)
    assert process.wait(90) == 128 + number
    assert states.of_job(job_number(log)).name == "CANCELLED"
    assert "not queued again" in Path("t.log").read_text()


def test_an_array_beyond_the_clusters_limit_says_what_nj_may_be(folder):
    """1001 is what Slurm has where nobody says otherwise."""
    done = launch("JOB=1:1001", "JOB.log", "true")
    assert done.returncode == 1
    assert "to 1000 (MaxArraySize 1001): cut the work into fewer parts" in done.stderr
    assert len(done.stderr.splitlines()) < 5


def test_a_second_run_does_not_share_the_folder_of_the_first(folder):
    process = start("t.log", "sleep", "600")
    number = job_number(wait_for(Path("t.log"), "sleep"))
    process.kill()  # no time to cancel anything
    process.wait()
    done = launch("t.log", "sleep", "600")
    assert done.returncode == 1
    assert f"Slurm job {number} of an earlier run is still RUNNING" in done.stderr
    subprocess.run(["scancel", number], check=True)
    deadline = time.monotonic() + 30
    while states.of_job(number).name != "CANCELLED" and time.monotonic() < deadline:
        time.sleep(0.2)
    assert launch("t.log", "true").returncode == 0


def test_named_jobs_are_jobs_of_their_own_and_keep_to_the_limit(folder):
    code = "import time; s = time.time(); time.sleep(1); print('ran', s, time.time())"
    words = ["--max-jobs-run", "1", "JOB=a,b", "JOB/x.log", sys.executable, "-c", code]
    done = launch(*words)
    assert done.returncode == 0, done.stderr
    times = {}
    for name in "ab":
        log = Path(name, "x.log").read_text()
        assert "_" not in job_number(log)
        times[name] = [float(t) for t in re.search("ran (.*) (.*)", log).groups()]
    assert times["a"][1] <= times["b"][0]


def test_what_sbatch_refuses_is_told(folder):
    write_conf(folder, "partition: nowhere")
    done = launch("t.log", "true")
    assert done.returncode == 1
    assert "invalid partition specified: nowhere" in done.stderr
