"""Stage 9: paired bootstrap of a system against the baseline, joined by utterance id.

With directories in place of options it compares any systems, two or more, by any metric:

    python -m s2st_interleave compare DIR_A DIR_B [DIR_C ...] [--metric NAME]

See score/several.py, and `compare DIR --help`.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from s2st_interleave import config
from s2st_interleave.config import MOST_SEED, REQUIRED, option
from s2st_interleave.data import kaldi, sides
from s2st_interleave.data.languages import language
from s2st_interleave.errors import UserError
from s2st_interleave.files import write_json
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.score import several
from s2st_interleave.score.bootstrap import paired
from s2st_interleave.score.choice import choose, metric_of
from s2st_interleave.score.comparable import check_metric, check_texts
from s2st_interleave.score.metrics.bleu import bleu_counts
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.records import Comparison, SystemScore
from s2st_interleave.score.several import COUNTS, Scored
from s2st_interleave.stage_dir import Input, open_stage


@dataclass(frozen=True, kw_only=True)
class Options:
    data_dir: Path = option(REQUIRED, "data/<split>: the references")
    system_dir: Path = option(REQUIRED, "decodes of the system, with its score.json")
    baseline_dir: Path = option(REQUIRED, "the same of the baseline")
    metric: str = option(
        "", "a key of score.json's metrics; empty: the task's primary one", new=True
    )
    num_resamples: int = option(1000, "of the bootstrap", minimum=1)
    bootstrap_seed: int = option(0, "of the bootstrap", minimum=0, maximum=MOST_SEED)
    overwrite: bool = option(False, "make it anew", runtime=True)

    earlier = staticmethod(sides.without_languages)
    removed: ClassVar[dict[str, str]] = {"tgt_lang": sides.KNOWN}


def main(words: Sequence[str]) -> int:
    if is_of_directories(words):
        return several.main(words)
    run(config.parse(Options, list(words), prog="compare", about=__doc__))
    return 0


def is_of_directories(words: Sequence[str]) -> bool:
    """Whether a line names directories by themselves, and not only values of options."""
    return any(
        not word.startswith("--") and (not k or not words[k - 1].startswith("--"))
        for k, word in enumerate(words)
    )


def run(options: Options) -> None:
    # 1. Is there anything to do? A metric that is asked for has a file of its own.
    name = f"compare.{options.metric}" if options.metric else "compare"
    stage = open_stage(
        options.system_dir / name,
        stage="compare",
        options=options,
        inputs={
            "data": Input(options.data_dir, "data"),
            "system": Input(options.system_dir / "score", "score"),
            "baseline": Input(options.baseline_dir / "score", "score"),
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return

    # 2. Were both scored by the same rules?
    both = [Scored.read(path) for path in (options.system_dir, options.baseline_dir)]
    system, baseline = (each.score for each in both)
    key = options.metric or system.primary
    _check(system, baseline, key, options.data_dir)

    # 3. Compare.
    (ids, ours), (other_ids, theirs) = (
        _counts(each, key, system, options.data_dir) for each in both
    )
    texts = dict.fromkeys(ids, ""), dict.fromkeys(other_ids, "")
    if system.primary == baseline.primary:  # whose references are kept
        texts = both[0].references(ids), both[1].references(other_ids)
    check_texts(*texts, (system.system, baseline.system))
    result = paired(
        ours,
        theirs,
        metric_of(key).score,
        num_resamples=options.num_resamples,
        seed=options.bootstrap_seed,
    )
    if result is None:
        raise UserError(
            f"{system.system} or {baseline.system} has no {key}: there is no difference"
        )
    record = Comparison(
        system=system.system,
        baseline=baseline.system,
        checkpoint=system.checkpoint,
        split=system.split,
        metric=key,
        delta=result.delta,
        ci95=result.ci95,
        p_value=result.p_value,
        num_resamples=options.num_resamples,
        seed=options.bootstrap_seed,
    )
    path = options.system_dir / f"{name}.json"
    write_json(path, dataclasses.asdict(record))
    stage.finish(num_in=len(ids), num_out=len(ids), also=[path])


def _check(
    system: SystemScore, baseline: SystemScore, key: str, data_dir: Path
) -> None:
    """UserError where the two have no score of this metric by the same rules."""
    check_metric(system, baseline, key)
    for score in (system, baseline) if key == "asr_bleu" else ():
        side, code = _heard(score, data_dir)
        normalizer, tokenizer = Normalizer(code), language(code).tokenizer
        signature = score.scores[key].signature
        if score.normalizer != normalizer.name or f"tok:{tokenizer}" not in signature:
            raise UserError(
                f"{score.system} was scored by '{score.normalizer}' and "
                f"'{signature}', {data_dir} has {side} speak {code}, which wants "
                f"'{normalizer.name}' and 'tok:{tokenizer}': run stage 9 again"
            )


def _heard(score: SystemScore, data_dir: Path) -> tuple[str, str]:
    """The side whose speech ASR-BLEU is of, and its language."""
    side = choose("asr_bleu", Layout.parse(score.layout)).block.side
    data = kaldi.DataDir(data_dir)
    return side, data.sides[data.role(side)]


def _counts(
    scored: Scored, key: str, system: SystemScore, data_dir: Path
) -> tuple[list[str], np.ndarray]:
    """Utterance ids, sorted, and what the metric adds up for each."""
    if (scored.directory / "score" / COUNTS).is_file() or key != "asr_bleu":
        return scored.counts(key)
    # An earlier version kept the texts alone.
    side, code = _heard(system, data_dir)
    references = kaldi.DataDir(data_dir).texts(side)
    counts = bleu_counts(
        references,
        kaldi.read_table(scored.directory / "score" / "hyp"),
        normalize=Normalizer(code).normalize,
        tokenize=language(code).tokenizer,
    )
    return sorted(references), counts
