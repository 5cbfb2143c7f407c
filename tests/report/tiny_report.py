"""Scored systems of a tiny recipe, whose answers were heard before."""

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "score"))

import made

from s2st_interleave.align.words import Word
from s2st_interleave.interleave.layout import S2ST
from s2st_interleave.report import command
from s2st_interleave.report.command import Options
from s2st_interleave.stages import score


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


def equal_words(texts: list[str]) -> list[Word]:
    width = 1.0 / len(texts)
    return [Word(t, k * width, (k + 1) * width, -0.1) for k, t in enumerate(texts)]


def report(tmp_path: Path, asked: Options) -> str:
    out = tmp_path / "report.html"
    command.run(Options(**{**vars(asked), "out": out}))
    return out.read_text("utf-8")


def article(html: str, utterance: str) -> str:
    articles = re.findall("<article.*?</article>", html, re.DOTALL)
    (found,) = (a for a in articles if f"<h3>{utterance}</h3>" in a)
    return found
