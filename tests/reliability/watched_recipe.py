"""Runs the tiny recipe for test_nobody.py, and notes each attempt to reach a network.

    python watched_recipe.py ROOT ATTEMPTS

Its utterances have ids that a shell or a page could take for more than names. ROOT gets all
stages up to the vocoder, a packed model, a translation by it, and a report.
"""

import os
import shutil
import sys
from pathlib import Path

ROOT, ATTEMPTS = map(Path, sys.argv[1:])
REACH = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.sendto",
)
IDS = ("$(touch${IFS}ran)", "a;touch${IFS}ran", "'\"`touch${IFS}ran`", "<script>ran()")


def note(event: str, arguments: tuple[object, ...]) -> None:
    """Note a call that would leave this machine; a path is a socket of its own."""
    if event in REACH and not isinstance(arguments[-1], str | bytes):
        with ATTEMPTS.open("a") as file:
            file.write(f"{event} {arguments[1:]!r}\n")


sys.addaudithook(note)

import tiny_parts  # noqa: E402
import tiny_recipe  # noqa: E402

from s2st_interleave.pack import command  # noqa: E402
from s2st_interleave.pack.translator import Translator  # noqa: E402
from s2st_interleave.report import command as report  # noqa: E402


def main() -> None:
    ROOT.mkdir(parents=True)
    os.chdir(ROOT)
    tiny_parts.write_text_llm(ROOT / "llm")
    tiny_recipe.make(ROOT, ROOT / "llm", IDS)
    exp = ROOT / "exp"
    command.run(
        command.Options(
            encoder=exp / "encoder",
            kmeans=exp / "kmeans",
            units_dir=ROOT / "dump/units",
            dump_dir=ROOT / "dump/interleave",
            train_dir=exp / "scheduled",
            decode_dir=exp / "scheduled/greedy_last/test",
            vocoder=exp / "vocoder",
            out_dir=exp / "pack",
        )
    )
    model = Translator.from_pretrained(exp / "pack", device="cpu")
    model(ROOT / "recordings" / f"{IDS[0]}.es.wav").save(ROOT / "said.wav")
    shutil.copytree(ROOT / "data", ROOT / "splits/test")
    report.run(report.Options(data_dir=Path("splits"), ids=IDS))


if __name__ == "__main__":
    main()
