"""`serve` and `s2st-translate` under load: half a minute in CI, an hour at night."""

import contextlib
import http.client
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_pack
from process_memory import Watch, held, quantile, until_idle

HOUR = 3600.0  # seconds
NIGHT = pytest.param(HOUR, marks=pytest.mark.nightly, id="hour")
MINUTE = pytest.param(15.0, marks=pytest.mark.slow, id="seconds")
CLIENTS = 12  # at once, twice as many as wait in an empty queue of six
GROWTH_MB = 40  # more is a leak: an hour has some 10,000 requests
LENGTHS = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("load") / "packed"
    tiny_pack.write(root)
    return root


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("recordings")
    paths = [folder / f"{seconds}.flac" for seconds in LENGTHS]
    for path, seconds in zip(paths, LENGTHS, strict=True):
        soundfile.write(path, np.asarray(tiny_pack.noise(seconds)), 16_000)
    return paths


@pytest.mark.parametrize("seconds", [MINUTE, NIGHT])
def test_serve_answers_in_bounded_memory(seconds, packed, recordings, tmp_path, count):
    words = ["--model", packed, "--port", "0", "--device", "cpu", "--queue", "6"]
    process = start(["serve", *words, "--num_threads", "1"], tmp_path)
    try:
        port = wait_for_port(process)
        bodies = [path.read_bytes() for path in recordings]
        clients = Clients(port, bodies, seconds)
        clients.one(random.Random(0))  # what a first answer loads is there
        before = held(process.pid)
        watch = Watch(process.pid, seconds / 100)
        clients.run()
        watch.stop()
        after = until_idle(process.pid, before)
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()

    # 1. Each request had the answer that it deserves, and none hung.
    told = clients.statuses
    assert told.keys() <= {200, 413, 422, 503, "gone"}, told
    assert told[200] and told[413] and told[422] and told[503] and told["gone"]
    # 2. Nothing grew, and nothing stayed.
    assert watch.growth() < GROWTH_MB
    assert (after.files, after.threads) <= (before.files, before.threads)
    assert after.children == 0 and list(tmp_path.iterdir()) == []
    times = clients.times
    count(
        "serve_load",
        minutes=round(seconds / 60, 1),
        clients=CLIENTS,
        answers=told[200],
        answers_a_second=round(told[200] / seconds, 1),
        refused_bad=told[413] + told[422],
        sent_away_by_a_full_queue=told[503],
        broken_connections=told["gone"],
        median_ms=round(1000 * quantile(times, 0.5)),
        p95_ms=round(1000 * quantile(times, 0.95)),
        p99_ms=round(1000 * quantile(times, 0.99)),
        slowest_ms=round(1000 * max(times)),
        most_memory_MB=round(max(sample.memory for sample in watch.samples)),
        growth_MB=round(watch.growth(), 1),
    )


@pytest.mark.nightly
def test_a_folder_of_an_hour_is_translated_in_bounded_memory(
    packed, recordings, tmp_path, count
):
    """A folder of as many links to recordings as two processes have time for."""
    number, took = 100, 0.0
    while took < 0.6 * HOUR:  # the rate is that of the run before, which was shorter
        number = round(number * min(20.0, 0.9 * HOUR / took)) if took else number
        folder, started = tmp_path / str(number), time.monotonic()
        num_files, watches = translate(packed, recordings, number, folder)
        took = time.monotonic() - started
    assert num_files == 2 * number
    growth = max(watch.growth() for watch in watches)
    assert growth < GROWTH_MB
    most = [sample for watch in watches for sample in watch.samples]
    assert max(sample.children for sample in most) == 0
    assert max(sample.files for sample in most) < 100
    count(
        "translate_load",
        minutes=round(took / 60, 1),
        processes=2,
        recordings=2 * number,
        recordings_a_second=round(2 * number / took, 1),
        most_memory_MB=round(max(sample.memory for sample in most)),
        growth_MB=round(growth, 1),
    )


def translate(
    packed: Path, recordings: list[Path], number: int, folder: Path
) -> tuple[int, list[Watch]]:
    """Two processes at once, `number` recordings each; how many answers are there."""
    (folder / "in").mkdir(parents=True)
    for k in range(number):
        os.link(recordings[k % len(recordings)], folder / "in" / f"{k}.flac")
    jobs = []
    for out in ("a", "b"):
        words = ["translate", folder / "in", "--model", packed, "--device", "cpu"]
        words += ["--num_threads", "1", "--out", folder / out]
        jobs.append(start(words, folder))
    watches = [Watch(job.pid, 1.0) for job in jobs]
    for job in jobs:
        job.communicate()
        assert job.returncode == 0
    for watch in watches:
        watch.stop()
    return sum(len(list((folder / out).glob("*.wav"))) for out in "ab"), watches


def start(words: list[object], temporary: Path) -> subprocess.Popen:
    """A command of the package, which has its temporary files below `temporary`."""
    environment = os.environ | {"TMPDIR": str(temporary)}
    return subprocess.Popen(
        [sys.executable, "-m", "s2st_interleave", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )


def wait_for_port(process: subprocess.Popen) -> int:
    for line in process.stdout:
        if line.startswith("listening on "):
            return int(line.rpartition(":")[2])
    raise AssertionError("serve has ended before it listened")


class Clients:
    """Threads that ask a server for so many seconds: recordings, rubbish, and half of it."""

    def __init__(self, port: int, bodies: list[bytes], seconds: float):
        self._port, self._bodies, self._seconds = port, bodies, seconds
        self._lock = threading.Lock()
        self.statuses: Counter[object] = Counter()
        self.times: list[float] = []  # of answers with speech, in seconds

    def run(self) -> None:
        end = time.monotonic() + self._seconds
        threads = [
            threading.Thread(target=self._ask_until, args=(end, seed))
            for seed in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(self._seconds + 180)
            assert not thread.is_alive(), "a request hangs"

    def _ask_until(self, end: float, seed: int) -> None:
        draw = random.Random(seed)
        while time.monotonic() < end:
            self.one(draw)

    def one(self, draw: random.Random) -> None:
        """A request: a good one mostly."""
        started = time.monotonic()
        status = self._request(draw)
        with self._lock:
            self.statuses[status] += 1
            if status == 200:
                self.times.append(time.monotonic() - started)
        if status == 503:  # a client that was sent away comes back later
            time.sleep(draw.uniform(0.1, 0.5))

    def _request(self, draw: random.Random) -> int | str:
        kind: Callable[[], int | str] = draw.choices(
            [
                lambda: self._post(draw.choice(self._bodies)),
                lambda: self._post(self._cut(draw)),
                lambda: self._post(draw.randbytes(5000)),
                lambda: self._post(b"", length=17_000_000),
                lambda: self._leave(draw.choice(self._bodies)),
            ],
            weights=[16, 1, 1, 1, 1],
        )[0]
        return kind()

    def _cut(self, draw: random.Random) -> bytes:
        body = draw.choice(self._bodies)
        return body[: draw.randrange(100, len(body) // 2)]

    def _post(self, body: bytes, length: int | None = None) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=180)
        headers = {"Content-Length": str(len(body) if length is None else length)}
        with contextlib.closing(connection):
            connection.request("POST", "/translate", body, headers)
            response = connection.getresponse()
            response.read()
            return response.status

    def _leave(self, body: bytes) -> str:
        """Send half a request, or a whole one, and wait for nothing."""
        head = f"POST /translate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}"
        with socket.create_connection(("127.0.0.1", self._port), 60) as sock:
            sock.sendall(f"{head}\r\n\r\n".encode() + body[: len(body) // 2])
        return "gone"
