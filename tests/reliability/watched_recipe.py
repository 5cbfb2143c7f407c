"""Runs the tiny recipe for test_nobody.py, and notes each attempt to reach a network.

    python watched_recipe.py ROOT ATTEMPTS

Its utterances have ids that a shell or a page could take for more than names. ROOT gets all
stages up to the vocoder, a packed model, a translation by it, a report, and all that `show`
writes; ROOT/scored gets systems that stage 9 has scored, RESULTS.md and their report.
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
sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

import tiny_parts  # noqa: E402
import tiny_recipe  # noqa: E402
import tiny_report  # noqa: E402

from s2st_interleave.pack import command  # noqa: E402
from s2st_interleave.pack.translator import Translator  # noqa: E402
from s2st_interleave.report import command as report  # noqa: E402
from s2st_interleave.show import command as show  # noqa: E402
from s2st_interleave.stages import compare, results  # noqa: E402


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
    show_all()
    score_all(ROOT / "scored")


def show_all() -> None:
    """Every kind of file that `show` writes, with all paths as a user may give them."""
    folders = {
        "train_dir": ROOT / "exp/scheduled",
        "dump_dir": ROOT / "dump/interleave",
    }
    for name in IDS:
        for ending in ("svg", "json", "html"):
            out = ROOT / "shown" / f"{IDS.index(name)}.{ending}"
            show.run(show.Options(id=name, out=out, **folders))


def score_all(root: Path) -> None:
    """Two systems, compared, with RESULTS.md and a report; all paths begin at the root."""
    exp, names = root / "exp", ("baseline", "scheduled")
    baseline, system = (tiny_report.scored(root, name) for name in names)
    for name in names:
        tiny_report.trained(exp / name, 0.9)
    data = root / "data/test"
    compare.run(
        compare.Options(data_dir=data, system_dir=system, baseline_dir=baseline)
    )
    about = {"title": "tiny", "src_lang": "es", "systems": names}
    about |= {"decode_tags": ("greedy_last",), "out": exp / "RESULTS.md"}
    results.run(results.Options(exp_dir=exp, **about))
    report.run(tiny_report.options(root))


if __name__ == "__main__":
    main()
