"""How a training ends that is stopped by a signal, and how its ranks end."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from small_runs import STEPS, lines, two_ranks

from s2st_interleave import parallel
from s2st_interleave.__main__ import main
from s2st_interleave.errors import UserError
from s2st_interleave.preemption import EXIT_REQUEUE
from s2st_interleave.train import checkpoint


def test_a_run_that_a_signal_stopped_is_carried_on_to_the_same_bits(corpus, command):
    assert main(command("llm", "llm whole")) == 0
    words = command("llm", "llm stopped")
    ended = threading.Event()

    def disturb() -> None:
        while not ended.wait(0.002):
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        with pytest.raises(SystemExit, match=str(EXIT_REQUEUE)):
            main(words)
    finally:
        ended.set()
        thread.join()
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, before)
    assert max(checkpoint.by_step(corpus / "llm stopped")) < STEPS
    assert main(words) == 0
    whole, stopped = (
        (checkpoint.path(corpus / name, STEPS) / "model.safetensors").read_bytes()
        for name in ("llm whole", "llm stopped")
    )
    assert whole == stopped
    assert lines(corpus / "llm whole") == lines(corpus / "llm stopped")


@pytest.mark.slow  # interpreters of its own, as all below
def test_torchrun_hands_a_signal_to_its_ranks_and_their_exit_status_up(corpus, command):
    """As a cluster sends it: to the one process that it knows."""
    start = ["s2st_interleave.train.torchrun", "--standalone", "--nproc_per_node", "2"]
    endless = dict.fromkeys(("max_steps", "save_every", "eval_every"), 10**6)
    words = command("llm", "llm endless", **endless, log_every=1)
    process = subprocess.Popen(
        [sys.executable, "-m", *start, "-m", "s2st_interleave", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        text=True,
    )
    with process:
        for line in process.stdout:
            if "step  " in line:  # a line of the loop: a step has been taken
                process.send_signal(signal.SIGUSR1)
                break
        printed = process.stdout.read()
    assert process.returncode == EXIT_REQUEUE, printed
    assert "stopped by a signal after step" in printed and "Traceback" not in printed
    (done,) = checkpoint.by_step(corpus / "llm endless")
    assert len(lines(corpus / "llm endless")) == done


# Says so when the interpreter it lives in is taken apart.
WITNESS = """
class Witness:
    def __del__(self):
        print('taken apart')
witness = Witness()
"""


@pytest.mark.slow
def test_a_rank_leaves_the_group_before_it_exits(tmp_path):
    """One that did not died of SIGABRT now and then, its work done."""
    done = two_ranks(
        tmp_path / "rank.py",
        "import atexit\n"
        "from torch import distributed\n"
        "from s2st_interleave.parallel import exit_with, on_first\n"
        "atexit.register(lambda: print('left', not distributed.is_initialized()))\n"
        "exit_with(lambda: on_first(lambda: None))\n",
    )
    # The ranks' lines may run into each other.
    assert done.returncode == 0 and done.stdout.count("True") == 2, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "end, status", [("pass", 0), ("raise SystemExit(85)", 85), ("raise KeyError(7)", 1)]
)
def test_a_rank_whose_gloo_threads_outlive_the_group_ends_with_its_status(
    tmp_path, end, status
):
    """It died of SIGABRT when one of them ran while the interpreter was taken apart.

    After DDP they do live on; the interpreter must not go before they do.
    """
    done = two_ranks(
        tmp_path / "rank.py",
        "from torch import nn\n"
        "from s2st_interleave import parallel\n"
        "from s2st_interleave.train import engine\n"
        f"{WITNESS}"
        "def main():\n"
        "    engine.wrap(nn.Linear(2, 2), 'ddp')\n"
        "    print('work done')\n"
        f"    {end}\n"
        "parallel.exit_with(main)\n",
    )
    assert done.returncode == status, done.stdout
    assert done.stdout.count("work done") == 2
    assert "taken apart" not in done.stdout
    assert ("KeyError: 7" in done.stdout) == (status == 1)


@pytest.mark.slow
def test_the_console_script_ends_its_ranks_as_python_m_does(tmp_path):
    done = two_ranks(
        tmp_path / "rank.py",
        "import sys\n"
        "from importlib.metadata import entry_points\n"
        f"{WITNESS}"
        "sys.argv = ['s2st-interleave', '--help']\n"
        "(script,) = entry_points(group='console_scripts', name='s2st-interleave')\n"
        "script.load()()\n",
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("commands (stage)") == 2
    assert "taken apart" not in done.stdout


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "inf"])
def test_a_time_out_of_ranks_that_is_no_time_is_told(monkeypatch, text):
    monkeypatch.setenv(parallel.TIMEOUT, text)
    with pytest.raises(
        UserError, match=f"S2ST_RANK_TIMEOUT_SEC is '{text}', wants sec"
    ):
        parallel._timeout()


@pytest.mark.slow
@pytest.mark.parametrize("status", [0, 1, EXIT_REQUEUE])
def test_a_rank_that_failed_does_not_wait_for_the_others(status):
    """NCCL destroys a group when all ranks do; the others wait for the failed one's sum."""
    code = (
        "import atexit, torch.distributed as d\n"
        "d.destroy_process_group = lambda: print('destroyed')\n"
        "atexit.register(d.destroy_process_group)\n"
        "from s2st_interleave.parallel import exit_with\n"
        f"exit_with(lambda: {status})\n"
    )
    ranks = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | ranks,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == status
    assert ended.stdout == ("" if status == 1 else "destroyed\n")
