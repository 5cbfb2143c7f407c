"""Serve packed models on this machine: a page in the browser, and a JSON API.

python -m s2st_interleave serve --model DIR
python -m s2st_interleave serve --model exp/pack/baseline --model exp/pack/scheduled
curl --data-binary @in.wav http://127.0.0.1:8000/translate

Record or choose a file; several models answer side by side. It is no public server: who
reaches it may use it.
"""

import argparse
import dataclasses
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from s2st_interleave import config
from s2st_interleave.config import MOST_JOBS, REQUIRED, option
from s2st_interleave.data.channels import HELP, MIX, Channels
from s2st_interleave.data.levels import NEAR_SILENT
from s2st_interleave.precision import Dtype
from s2st_interleave.values import Device, words

if TYPE_CHECKING:
    from s2st_interleave.serve.models import Model


@dataclass(frozen=True, kw_only=True)
class Options:
    model: tuple[Path, ...] = option(
        REQUIRED, "folder of stage 11, or owner/name@revision; once or several times"
    )
    port: int = option(8000, "0: one that is free", minimum=0, maximum=65535)
    host: str = option("127.0.0.1", "another address opens it to other machines")
    allowed_hosts: tuple[str, ...] = option((), "names of this server, as of a proxy")
    max_mb: float = option(16.0, "a larger upload is refused", above=0)
    upload_sec: float = option(30.0, "a slower upload is cut off", above=0)
    answer_sec: float = option(120.0, "so long a request waits at most", above=0)
    queue: int = option(16, "recordings that wait; more are sent away", minimum=1)
    min_sec: float = option(0.3, "a shorter recording is refused", minimum=0)
    max_sec: float = option(30.0, "a longer one as well: training had none", above=0)
    min_dbfs: float = option(
        NEAR_SILENT, "one below this level is silent: refused", maximum=0
    )
    channels: Channels = option(MIX, HELP)
    device: Device = option(Device("auto"), "auto, cpu, cuda, cuda:1 ...")
    dtype: Dtype = option("auto", "of the LLM's weights, as in stage 7")
    num_threads: int = option(
        0, "CPU threads; 0: all there are", minimum=0, maximum=MOST_JOBS
    )


def main(argv: Sequence[str]) -> int:
    options = config.parse(Options, list(argv), prog="serve", about=__doc__)
    if given := models_of(argv):
        options = dataclasses.replace(options, model=given)
    run(options)
    return 0


def models_of(argv: Sequence[str]) -> tuple[Path, ...]:
    """The models of all `--model` on a command line, where the last one does not win.

    >>> [str(path) for path in models_of(["--model", "a", "d", "--port", "1", "--model=b c"])]
    ['a', 'd', 'b', 'c']
    """
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    parser.add_argument("--model", action="extend", nargs="+", default=[])
    texts = parser.parse_known_args(argv)[0].model
    return tuple(Path(word) for text in texts for word in words(text, Path))


def run(options: Options) -> None:
    from s2st_interleave.serve import app, server
    from s2st_interleave.serve.limits import Limits
    from s2st_interleave.serve.worker import Worker

    # 1. A port that is taken shows at once; nobody can connect before the models are there.
    with server.bind(options.host, options.port) as sock, own_folder():
        if not server.is_loopback(sock):
            print(
                f"warning: {options.host} is reached from other machines: whoever reaches "
                "it may use it, and hears and reads what is sent, for there is no password "
                "and no encryption; put a proxy with both in front",
                file=sys.stderr,
                flush=True,
            )

        # 2. Load the models.
        served = _load(options)

        # 3. Serve until a signal.
        limits = Limits(
            max_bytes=round(options.max_mb * 1e6),
            upload_sec=options.upload_sec,
            answer_sec=options.answer_sec,
            queue=options.queue,
        )
        worker = Worker(served, options.queue)
        hosts = [*options.allowed_hosts, options.host]
        application = app.make(served, worker, limits, hosts)
        place = server.url(sock)
        http = server.Server(application, worker, lambda: _tell(place))
        has_ended = server.serve(http, sock, worker)
    print("serve: stopped", flush=True)
    if not has_ended:  # a model still runs, in a thread that nothing else can end
        sys.stderr.flush()
        os._exit(0)


@contextmanager
def own_folder() -> Iterator[None]:
    """A folder for temporary files, which is removed with all that a thread left in it."""
    with tempfile.TemporaryDirectory(
        prefix="s2st_serve_", ignore_cleanup_errors=True
    ) as place:
        tempfile.tempdir = place
        try:
            yield
        finally:
            tempfile.tempdir = None


def _load(options: Options) -> "list[Model]":
    from s2st_interleave.device import set_threads
    from s2st_interleave.serve import models

    set_threads(options.num_threads)
    return models.load(
        [str(path) for path in options.model],
        device=options.device,
        dtype=options.dtype,
        min_sec=options.min_sec,
        max_sec=options.max_sec,
        min_dbfs=options.min_dbfs,
        channels=options.channels,
    )


def _tell(place: str) -> None:
    print(
        f"listening on {place}\n"
        "  open it in a browser and speak, or type\n"
        f"  curl --data-binary @in.wav {place}/translate\n"
        "  Ctrl-C stops it",
        flush=True,
    )
