"""Two scored systems of a tiny recipe, whose answers were heard before."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "score"))

import made

from s2st_interleave.align.words import Word, write_words
from s2st_interleave.data import kaldi
from s2st_interleave.interleave.layout import S2ST
from s2st_interleave.report.command import Options
from s2st_interleave.stages import compare, score


def scored(root: Path, name: str, layout: str = S2ST, **more) -> Path:
    """The folder of a system's decode, once stage 9 has scored it."""
    options = made.system(root, name, layout, **more)
    score.run(score.Options(**options))
    return options["decode_dir"]


def trained(folder: Path, ratio: float) -> None:
    lines = [
        {"step": k, "loss": 4 / (k + 1), "text_ratio": ratio * (k < 20)}
        | ({"dev_loss": 2.0} if k % 10 == 9 else {})
        for k in range(40)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "metrics.jsonl").write_text(text)


def options(root: Path, **more) -> Options:
    folders = {"exp_dir": root / "exp", "data_dir": root / "data"}
    return Options(**folders, dump_dir=root / "dump", **more)


@pytest.fixture(scope="session")
def recipe(tmp_path_factory) -> Path:
    """baseline and scheduled, compared, with trainings, word times and a resynthesis."""
    root = tmp_path_factory.mktemp("recipe of a report")
    folders = {}
    better = {
        "u1": "My brother eats bread and cheese.",
        "u4": "We bought green apples.",
    }
    for name, heard in (("baseline", {}), ("scheduled", better)):
        folders[name] = scored(root, name, heard=made.HEARD | heard)
        trained(root / "exp" / name, 0.9 if heard else 0.0)
    compare.run(
        compare.Options(
            data_dir=root / "data" / "test",
            system_dir=folders["scheduled"],
            baseline_dir=folders["baseline"],
        )
    )
    words = {u: _equal(text.split()) for u, text in made.SOURCE.items()}

    def write(folder: Path) -> None:
        write_words(folder / "words.src.jsonl", words)
        write_words(folder / "words.tgt.jsonl", {})

    align = root / "dump" / "align" / "test"
    made.finished(align, "align", write, sides=made.SIDES, dropped={"u9": "bad: -9"})
    again = {u: str(root / "audio" / "tgt" / f"{u}.wav") for u in made.TARGET}
    kaldi.write_table(root / "exp" / "resynthesis" / "test" / "wav.scp", again)
    return root


def _equal(texts: list[str]) -> list[Word]:
    width = 1.0 / len(texts)
    return [Word(t, k * width, (k + 1) * width, -0.1) for k, t in enumerate(texts)]
