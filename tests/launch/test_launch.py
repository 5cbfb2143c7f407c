"""The launcher's exit status tells the truth, and failures name job, cause and log."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LAUNCH = [sys.executable, "-m", "s2st_interleave", "launch"]


def launch(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([*LAUNCH, *words], capture_output=True, text=True)


def test_every_job_gets_its_number_and_its_log(tmp_path):
    log = tmp_path / "a dir's" / "x.JOB.log"
    done = launch("JOB=1:3", str(log), "echo", "shard JOB/3; $(false)")
    assert done.returncode == 0
    for number in "123":
        text = Path(str(log).replace("JOB", number)).read_text()
        assert f"\nshard {number}/3; $(false)\n" in text  # no shell in between


def test_one_failure_fails_the_whole_and_is_named_by_its_status(tmp_path):
    """Others pick the failed job by looking for the word "error" in the logs."""
    code = "import sys; print('error: none here'); sys.exit(7 * ('JOB' == 'b'))"
    log = tmp_path / "JOB.log"
    done = launch("JOB=a,b", str(log), sys.executable, "-c", code)
    assert done.returncode == 1
    assert "[b] failed with exit status 7" in done.stderr
    assert "1 of 2 jobs failed" in done.stderr and "[a] failed" not in done.stderr


def test_failures_of_one_cause_are_told_once(tmp_path):
    """With the same last words, that is: an exit status alone tells little."""
    code = (
        "import sys; print('log of', 'JOB'); print('bad', int('JOB') % 2); sys.exit(1)"
    )
    words = ["JOB=1:25", str(tmp_path / "JOB.log"), sys.executable, "-c", code]
    done = launch(*words)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "exit status" in line]
    assert len(lines) == 2
    assert lines[0].startswith(
        "[1] [3] [5] [7] [9] [11] [13] [15] [17] [19] and 3 more"
    )
    assert lines[0].endswith(f"; log of the first: {tmp_path / '1.log'}")
    assert lines[1].startswith("[2] [4] ") and "bad 0" in done.stderr
    assert "25 of 25 jobs failed" in done.stderr
    assert len(done.stderr.splitlines()) < 20


def test_only_this_attempt_is_told_of_and_from_its_error_on(tmp_path):
    words = ["JOB=a,b", str(tmp_path / "JOB.log"), sys.executable, "-c"]
    code = "print('step 1'); print('error: train: {}'); raise SystemExit(1)"
    launch(*words, code.format("the first mistake"))
    done = launch(*words, code.format("another"))
    end = done.stderr[done.stderr.index("[a] [b] failed") :].splitlines()
    assert end[1:] == [
        "  error: train: another",
        "2 of 2 jobs failed; the same command reruns only what is missing",
    ]
    silent = launch(*words, "raise SystemExit(1)")
    assert "mistake" not in silent.stderr and "error" not in silent.stderr


def test_what_the_only_job_has_printed_is_not_repeated(tmp_path):
    done = launch(str(tmp_path / "x.log"), "sh", "-c", "echo 'error: no'; exit 1")
    assert done.stdout == "error: no\n"
    assert done.stderr == f"\nfailed with exit status 1; log: {tmp_path / 'x.log'}\n"


def test_of_many_causes_some_are_told_and_the_rest_counted(tmp_path):
    words = ["JOB=1:15", str(tmp_path / "JOB.log")]
    done = launch(*words, sys.executable, "-c", "import sys; sys.exit(JOB)")
    assert "[10] failed with exit status 10" in done.stderr
    assert "[11] failed" not in done.stderr
    assert "... and 5 jobs more, of other causes" in done.stderr


def test_a_job_whose_file_is_there_is_not_run_again(tmp_path):
    (tmp_path / "out.1").touch()
    words = ["--done", str(tmp_path / "out.JOB"), "JOB=1:2", str(tmp_path / "JOB.log")]
    done = launch(*words, "touch", str(tmp_path / "out.JOB"))
    assert done.returncode == 0 and "1 of 2 jobs are done already" in done.stdout
    assert not (tmp_path / "1.log").exists() and (tmp_path / "out.2").exists()
    assert launch(*words, "false").returncode == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--max-job-run", "2", "x.log", "true"], "did you mean 'max_jobs_run'"),
        (["--max-jobs-run", "two", "x.log", "true"], "wants a number of jobs"),
        (["--gpu", "all", "x.log", "true"], "wants a number of GPUs"),
        (["--backend", "slurm", "--gpu", "1", "x.log", "true"], "is for this machine"),
        (["--backend", "slrum", "x.log", "true"], "did you mean 'slurm'"),
        (["--resources", "cuda", "x.log", "true"], "did you mean 'cuda_cmd'"),
        (["JOB=0:3", "JOB.log", "true"], "N of at least 1"),
        (["JOB=1:3", "x.log", "true"], "3 jobs need JOB in the name"),
        (["x.log"], "expected"),
    ],
)
def test_a_bad_line_is_refused(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = launch(*words)
    assert done.returncode == 1 and message in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_killed_job_says_so(tmp_path):
    code = "import os; os.kill(os.getpid(), 9)"
    done = launch(str(tmp_path / "log"), sys.executable, "-c", code)
    assert done.returncode == 1
    assert "killed by signal 9: probably out of memory" in done.stderr


def test_termination_takes_the_jobs_along(tmp_path):
    started = tmp_path / "pid"
    code = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid()))"
    job_words = [sys.executable, "-c", code + "; time.sleep(60)", str(started)]
    launcher = subprocess.Popen([*LAUNCH, str(tmp_path / "log"), *job_words])
    deadline = time.monotonic() + 20
    while (
        not (started.is_file() and started.read_text()) and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    job = int(started.read_text())
    launcher.send_signal(signal.SIGTERM)
    assert launcher.wait(20) != 0
    while time.monotonic() < deadline and _alive(job):
        time.sleep(0.05)
    assert not _alive(job)


def test_a_killed_recipe_takes_its_jobs_along(tmp_path):
    """`kill <pid of run.sh>` ends bash alone; its training went on beside the next one."""
    started = tmp_path / "pid"
    code = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid()))"
    words = [*LAUNCH, str(tmp_path / "log"), sys.executable, "-c"]
    words += [code + "; time.sleep(60)", str(started)]
    recipe = subprocess.Popen(["bash", "-c", '"$@"; true', "bash", *words])
    deadline = time.monotonic() + 20
    while (
        not (started.is_file() and started.read_text()) and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    recipe.kill()
    recipe.wait(20)
    while time.monotonic() < deadline and _alive(int(started.read_text())):
        time.sleep(0.05)
    assert not _alive(int(started.read_text()))


def _alive(pid: int) -> bool:
    """Not a zombie, either. One read: between two looks a process may go."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
