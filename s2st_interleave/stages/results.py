"""Stage 10: RESULTS.md from the score files, and the same table on the screen."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from s2st_interleave import record_file
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write, check_page
from s2st_interleave.promises import DONE, OPEN
from s2st_interleave.provenance import git_state, versions
from s2st_interleave.score import records
from s2st_interleave.score.records import Comparison, SystemScore, ToplineScore
from s2st_interleave.score.results import (
    Environment,
    Results,
    render_markdown,
    render_terminal,
)
from s2st_interleave.stage_dir import Input, made_with
from s2st_interleave.text_file import read_paragraph


@dataclass(frozen=True, kw_only=True)
class Options:
    title: str = option(REQUIRED, "heading of the page")
    src_lang: LanguageCode = option(
        REQUIRED, "source language code: picks the paper's figures"
    )
    topline_dir: Path | None = option(
        None, "exp/topline/<split>; none: the toplines were not scored"
    )
    exp_dir: Path = option(REQUIRED, "exp")
    split: str = option("test", "which split")
    systems: tuple[str, ...] = option(
        REQUIRED, "tags, for example 'baseline scheduled'"
    )
    decode_tags: tuple[str, ...] = option(
        REQUIRED, "for example 'greedy_last greedy_best'"
    )
    baseline: str = option("baseline", "the tag that others are compared with")
    command: str = option("./run.sh", "the command that makes these results")
    corpus_note: Path | None = option(None, "file with what is said of the corpus")
    out: Path = option(Path("exp/RESULTS.md"), "file to write")

    removed: ClassVar[dict[str, str]] = {
        "mini": "--corpus_note names a file with what the corpus is"
    }


def run(options: Options) -> None:
    check_page(options.out)

    # 1. Read every score; none may be missing.
    scores, comparisons = [], []
    checkpoints: dict[tuple[str, str], str] = {}
    for tag in options.decode_tags:
        for name in options.systems:
            decodes = options.exp_dir / name / tag / options.split
            _check_chain(decodes, options.exp_dir / name)
            scores.append(records.read(SystemScore, _finished(decodes, "score")))
            checkpoints[name, scores[-1].checkpoint] = _checkpoint(decodes)
            if name != options.baseline:
                baseline = options.exp_dir / options.baseline / tag / options.split
                comparisons += _compared(decodes, baseline)
    topline = None
    # Without speech there are no toplines.
    if options.topline_dir and any(score.asr for score in scores):
        Input(options.topline_dir, "topline").fingerprint()
        topline = records.read(ToplineScore, options.topline_dir / "score.json")

    # 2. Render.
    git, packages = git_state(), versions()
    results = Results(
        title=options.title,
        src_lang=options.src_lang,
        corpus_note=read_paragraph(options.corpus_note),
        environment=Environment(
            date=time.strftime("%Y-%m-%d"),
            python=packages.pop("python"),
            packages=tuple(packages.items()),
            git_hash=git["hash"] or "unknown",
            git_dirty=git["dirty"],
            seed=scores[0].seed,
            config=options.command,
        ),
        topline=topline,
        systems=tuple(scores),
        comparisons=tuple(comparisons),
        baseline=options.baseline,
        best_is_last=frozenset(
            name
            for name in options.systems
            if checkpoints.get((name, "best"), "") == checkpoints.get((name, "last"))
        ),
    )
    with atomic_write(options.out) as stream:
        stream.write(render_markdown(results))
    print(f"\n{render_terminal(results)}\nresults: {options.out}")


def _check_chain(decodes: Path, system: Path) -> None:
    """Raise UserError for a score of a decode, or a training, that has changed since."""
    if not made_with(decodes / "score", "score", "decode", decodes, "decode"):
        raise UserError(
            f"{decodes / 'score'} is of an earlier decode: run stage 9 again"
        )
    check_heard(decodes)
    is_there = (system / DONE).is_file() or (system / OPEN).is_file()
    if is_there and not made_with(decodes, "decode", "train", system, "train"):
        raise UserError(
            f"{decodes} is of an earlier training of {system}: run stages 7 to 9 again"
        )


def check_heard(decodes: Path) -> None:
    """Raise UserError for a score of speech that has changed since."""
    score, speech = decodes / "score", decodes / "vocode"
    if not (score / DONE).is_file() or not (speech / DONE).is_file():
        return
    if not made_with(score, "score", "vocode", speech, "vocode"):
        raise UserError(
            f"{score} is of earlier speech than {speech}: run stage 9 again"
        )


def _checkpoint(decodes: Path) -> str:
    """The folder of the checkpoint that has answered; "" where no record says it."""
    path = decodes / DONE
    facts = record_file.read(path)["facts"] if path.is_file() else {}
    return str(facts.get("checkpoint", ""))


def _finished(decodes: Path, name: str) -> Path:
    """score.json or compare.json beside the decodes, once its stage has finished."""
    Input(decodes / name, name.partition(".")[0]).fingerprint()
    return decodes / f"{name}.json"


def _compared(decodes: Path, baseline: Path) -> list[Comparison]:
    """By the primary metric, and by each that was asked for.

    Raises UserError for one of scores that have changed since.
    """
    names = sorted(path.stem for path in decodes.glob("compare*.json")) or ["compare"]
    for name in names:
        for role, side in (("system", decodes), ("baseline", baseline)):
            score, made = side / "score", decodes / name
            is_there = (score / DONE).is_file() and (made / DONE).is_file()
            if is_there and not made_with(made, "compare", role, score, "score"):
                raise UserError(
                    f"{made} is of an earlier {score}: run stage 9 again, or remove "
                    f"{made}.json where that metric is compared no more"
                )
    return [records.read(Comparison, _finished(decodes, name)) for name in names]
