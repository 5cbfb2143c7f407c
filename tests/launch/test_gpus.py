"""Jobs that run at once on this machine never share a GPU; drivers use all of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from s2st_interleave.launch import gpus

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = [sys.executable, "-m", "s2st_interleave", "launch"]
# A job writes what it sees, and ends when all of the other files are there.
JOB = """if True:
    import os, sys, time
    with open(sys.argv[1] + ".new", "w") as stream:
        stream.write(os.environ.get("CUDA_VISIBLE_DEVICES", "unset"))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    until = time.monotonic() + 20
    while not all(map(os.path.isfile, sys.argv[2:])) and time.monotonic() < until:
        time.sleep(0.05)"""


def launch(devices: str, *words: str) -> subprocess.CompletedProcess:
    variables = os.environ | {"CUDA_VISIBLE_DEVICES": devices}
    return subprocess.run(
        [*LAUNCH, *words], capture_output=True, text=True, env=variables
    )


def seen_by(
    tmp_path: Path, devices: str, *words: str, job=(), wait=True
) -> list[list[str]]:
    """GPUs that the jobs a and b see, which run at the same time if `wait`."""
    a, b, by_job = (str(tmp_path / name) for name in ("a", "b", "JOB"))
    rest = [*job, sys.executable, "-c", JOB, by_job, *((a, b) if wait else ())]
    done = launch(devices, *words, "JOB=a,b", str(tmp_path / "JOB.log"), *rest)
    assert done.returncode == 0, done.stderr
    return sorted(Path(path).read_text().split(",") for path in (a, b))


def test_jobs_at_once_see_different_gpus(tmp_path):
    assert seen_by(tmp_path, "4,5,6,7", "--gpu", "2") == [["4", "5"], ["6", "7"]]


def test_a_job_waits_for_its_gpus(tmp_path):
    seen = seen_by(tmp_path, "GPU-a,GPU-b", "--gpu", "2", wait=False)
    assert seen == [["GPU-a", "GPU-b"]] * 2


def test_a_job_that_launches_jobs_shares_its_own_gpus_among_them(tmp_path):
    inner = [*LAUNCH, "--gpu", "1", str(tmp_path / "inner.JOB.log")]
    assert seen_by(tmp_path, "2,3", "--gpu", "1", job=inner) == [["2"], ["3"]]


def test_without_a_gpu_jobs_run_on_the_cpu(tmp_path):
    assert seen_by(tmp_path, "", "--gpu", "2") == [[""], [""]]


def test_more_gpus_than_there_are_is_refused_before_a_job_starts(tmp_path):
    done = launch("0,1", "--gpu", "4", str(tmp_path / "log"), "true")
    assert done.returncode == 1 and "wants more GPUs than the 2" in done.stderr
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    ("devices", "names"),
    [("0, 2", ("0", "2")), ("", ()), ("1,-1,2", ("1",)), ("MIG-x/1,x", ("MIG-x/1",))],
)
def test_the_list_of_gpus_is_read_as_cuda_reads_it(devices, names, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    assert gpus.visible() == names


def shared(devices: str, num_systems: int, **options: str) -> dict[str, str]:
    """The options that a driver works with, by name."""
    names = "num_gpus gpu_nj system_gpus parallel_systems".split()
    values = dict.fromkeys(names, "") | {
        "device": "auto",
        "nj": "3",
        "cmd_backend": "local",
    }
    lines = [f"{name}='{value}'" for name, value in (values | options).items()]
    lines += [
        "cuda_cmd=",
        ". egs/cvss/utils/training.sh",
        f"s2st_share_gpus {num_systems}",
    ]
    lines += [f'echo {name} "${name}"' for name in names]
    lines += ['echo words "${one_gpu[*]}"']
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
        cwd=ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": devices},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {
        k: v.strip() for k, _, v in (x.partition(" ") for x in done.stdout.splitlines())
    }


@pytest.mark.parametrize(
    ("devices", "num_systems", "options", "expected"),
    [
        ("0,1,2,3,4,5,6,7", 2, {}, "8 8 4 2 --gpu 1"),
        ("0,1,2,3,4,5,6,7", 2, {"system_gpus": "8"}, "8 8 8 1 --gpu 1"),
        ("0,1,2,3,4,5,6,7", 2, {"parallel_systems": "1"}, "8 8 8 1 --gpu 1"),
        ("0,1,2,3", 7, {"num_gpus": "2", "gpu_nj": "16"}, "2 16 1 2 --gpu 1"),
        ("0", 2, {}, "1 1 1 1 --gpu 1"),
        ("", 2, {}, "1 3 1 1 "),
        (
            "",
            2,
            {"num_gpus": "2", "parallel_systems": "2", "system_gpus": "1"},
            "2 3 1 2 ",
        ),
        ("0,1", 2, {"device": "cpu"}, "1 3 1 1 "),
        ("0,1", 2, {"cmd_backend": "slurm"}, "1 8 1 0 "),
        ("", 2, {"cmd_backend": "slurm", "nj": "20"}, "1 20 1 0 "),
    ],
)
def test_a_driver_uses_the_gpus_that_are_there(devices, num_systems, options, expected):
    seen = " ".join(shared(devices, num_systems, **options).values())
    assert seen.strip() == expected.strip()
