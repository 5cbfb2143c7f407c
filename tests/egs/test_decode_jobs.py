"""Stage 7 cuts a split over jobs where each has a GPU; it and 8 make nothing twice."""

import os
import signal
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest

CVSS = Path(__file__).parents[2] / "egs" / "cvss"
# What s2st.sh sets; jobs print their words in brackets.
DRIVER = r"""
set -euo pipefail
. "$1/utils/training.sh"
s2st=(say) train_cmd=queue decode_cmd=launch
conf=c trained=t dumpdir=d expdir="an exp" log=l device=cpu
test_names=(test1k test) checkpoint_names=(last) system_names=(base sched)
system_jobs=JOB=base,sched parallel_systems=2 system_threads=0 overwrite=false
decode_more=(--task "a b")
. "$1/utils/answers.sh"
# Systems decode side by side: a line is one write, or two lines mix.
say() { local words; printf -v words '[%s]' "$@"; printf '%s\n' "${before-}$words"; }
launch() { before=launch say "$@"; }
queue() { before="queue[$1]" "${@:2}"; }
"""
# What stage 8 wants besides.
VOCODE = """toplines=true vocoder_dir=v vocoder_gpus=1 speaker=tgt nj=2 vocode_more=()
use_shared() { :; }"""

SCORE = """toplines=false datadir=data asr=a nj=2 utmos= speaker=tgt baseline=base task_file=f
score_more=() compare_more=()"""


def lines(settings: str, stage: str = "07_decode") -> list[str]:
    script = f'{DRIVER}\n{settings}\n. "$1/stages/{stage}.sh"'
    command = ["bash", "-c", script, "bash", str(CVSS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "settings",
    ["cmd_backend=local gpu_nj=2 one_gpu=()", "cmd_backend=slurm gpu_nj=1 one_gpu=()"],
)
def test_without_gpus_of_their_own_a_job_is_a_system(settings):
    first, second = lines(settings)
    assert first.startswith("launch[--max-jobs-run][2][JOB=base,sched]")
    assert "[--out_dir][an exp/JOB/greedy_last/test][--device]" in first
    assert "--part_of" not in first and "--shard" not in first
    assert "[--out_dir][an exp/JOB/greedy_last/test1k]" in second
    assert "[--part_of][an exp/JOB/greedy_last/test]" in second
    assert all("[--task][a b]" in line for line in (first, second))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("cmd_backend=local gpu_nj=8 one_gpu=(--gpu 1)", "launch[--gpu][1][JOB=1:8]"),
        ("cmd_backend=slurm gpu_nj=8 one_gpu=()", "launch[JOB=1:8]"),
    ],
)
def test_with_gpus_or_a_queue_a_split_is_cut(settings, words):
    said = lines(settings)
    opened, jobs, merged = [line for line in said if "an exp/base" in line][:3]
    assert opened.endswith("[--shard][0/8][--overwrite][false]")
    assert jobs.startswith(f"{words}[l/decode.base.last.test.JOB.log][say][decode]")
    assert jobs.endswith("[--shard][JOB/8]")
    queued = "queue[l/decode.base.last.test.log]" if "slurm" in settings else ""
    assert merged.startswith(f"{queued}[decode]") and "--shard" not in merged
    assert opened.startswith("queue[l/decode.base.last.test.open.log]") == bool(queued)
    assert len(said) == 3 * 4  # of two systems and two splits


@pytest.mark.parametrize(("backend", "order"), [("local", "abc"), ("slurm", "cba")])
def test_pairs_are_queued_beside_each_other_and_a_failure_is_not_lost(backend, order):
    script = f"""
        set -euo pipefail
        cmd_backend={backend}
        . "$1/utils/training.sh"
        pair() {{ sleep "$2"; echo "$1"; }}
        s2st_beside pair a 0.6
        s2st_beside pair b 0.3
        s2st_beside pair c 0
        s2st_wait
        s2st_beside false
        s2st_beside true
        s2st_wait
        echo not reached
    """
    command = ["bash", "-c", script, "bash", str(CVSS)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.split() == list(order) and done.returncode == 1


def copies(said: list[str]) -> dict[str, tuple[str, str]]:
    """By folder, below the experiment's: the larger split's, the other checkpoint's."""
    places_of = {}
    for line in said:
        words = line.replace("JOB", "base").strip("[]").split("][")
        values = dict(pairwise(words))
        places = (values.get(k, "") for k in ("--out_dir", "--part_of", "--same_as"))
        out, larger, other = (place.removeprefix("an exp/") for place in places)
        places_of[out] = (larger, other)
    return places_of


def test_what_another_checkpoint_or_split_may_have_is_asked_for_after_it():
    """The best checkpoint was decoded and spoken again where it is the last."""
    settings = "cmd_backend=local gpu_nj=2 one_gpu=() gpus_here=0 system_names=(base)"
    settings += " checkpoint_names=(last best)"
    decoded = copies(lines(settings))
    assert list(decoded.items()) == [
        ("base/greedy_last/test", ("", "base/greedy_best/test")),
        ("base/greedy_best/test", ("", "base/greedy_last/test")),
        (
            "base/greedy_last/test1k",
            ("base/greedy_last/test", "base/greedy_best/test1k"),
        ),
        (
            "base/greedy_best/test1k",
            ("base/greedy_best/test", "base/greedy_last/test1k"),
        ),
    ]
    spoken = copies(lines(f"{settings} {VOCODE}", "08_vocode"))
    assert spoken.pop("resynthesis/test") == ("", "")
    assert spoken.pop("resynthesis/test1k") == ("resynthesis/test", "")
    assert spoken == {
        f"{out}/vocode": (larger and f"{larger}/vocode", f"{other}/vocode")
        for out, (larger, other) in decoded.items()
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            "cmd_backend=local gpu_nj=8 one_gpu=(--gpu 1) gpus_here=8",
            "[--gpu][1][JOB=1:8]",
        ),
        ("cmd_backend=slurm gpu_nj=8 one_gpu=() gpus_here=0", "[JOB=1:8]"),
    ],
)
def test_speech_is_cut_as_answers_are(settings, words):
    """A system's speech was one job, on one of eight GPUs."""
    said = lines(f"{settings} {VOCODE}", "08_vocode")
    mine = [
        line
        for line in said
        if "[--out_dir][an exp/base/greedy_last/test/vocode]" in line
    ]
    opened, jobs, merged = mine
    assert opened.endswith("[--shard][0/8][--overwrite][false]")
    assert jobs.startswith(
        f"launch{words}[l/vocode.base.last.test.JOB.log][say][vocode]"
    )
    assert jobs.endswith("[--shard][JOB/8]") and "--shard" not in merged
    assert not any("--nj" in line for line in mine)  # processes would share a GPU


def test_one_gpu_is_not_shared_by_processes_that_speak():
    settings = "cmd_backend=local gpu_nj=1 one_gpu=(--gpu 1)"
    for gpus_here, processes in ((1, False), (0, True)):
        more = f"{settings} gpus_here={gpus_here} device=auto {VOCODE}"
        said = "".join(lines(more, "08_vocode"))
        assert ("[--nj][2]" in said) == processes and "--shard" not in said


def test_what_is_queued_beside_ends_with_the_driver(tmp_path):
    """Scripts in the background do not hear Ctrl-C, and went on to their next job."""
    script = f"""
        set -euo pipefail
        cmd_backend=slurm
        . "$1/utils/training.sh"
        pair() {{ sleep 2; touch "{tmp_path}/next job"; }}
        s2st_beside pair
        echo started
        s2st_wait
    """
    command = ["bash", "-c", script, "bash", str(CVSS)]
    driver = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # What a shell starts with & ignores Ctrl-C, these tests as well.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert driver.stdout and driver.stdout.readline() == "started\n"
    os.killpg(driver.pid, signal.SIGINT)
    assert driver.wait(10) == 130
    time.sleep(3)
    assert not (tmp_path / "next job").exists()


def test_test1k_is_heard_after_test_which_holds_it():
    """test1k was heard first, and its recordings once more in the batches of test."""
    settings = (
        f"{SCORE}\ncmd_backend=local gpu_nj=8 gpus_here=8 device=auto one_gpu=(--gpu 1)"
    )
    said = lines(settings, "09_score")
    splits = [line.partition("data/")[2].partition("]")[0] for line in said]
    assert list(dict.fromkeys(splits)) == ["test", "test1k"]
