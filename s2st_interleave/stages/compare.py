"""Stage 9: paired bootstrap of a system against the baseline, joined by utterance id."""

from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.data.languages import LanguageCode, language
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json, write_json
from s2st_interleave.score.bleu import paired_bootstrap
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.records import Comparison, SystemScore
from s2st_interleave.stage_dir import Input, open_stage


@dataclass(frozen=True, kw_only=True)
class Options:
    data_dir: Path = option(REQUIRED, "data/<split>: the references")
    system_dir: Path = option(REQUIRED, "decodes of the system, with its score.json")
    baseline_dir: Path = option(REQUIRED, "the same of the baseline")
    tgt_lang: LanguageCode = option("en", "target language code")
    num_resamples: int = option(1000, "of the bootstrap", minimum=1)
    bootstrap_seed: int = option(0, "of the bootstrap", minimum=0)
    overwrite: bool = option(False, "make it anew", runtime=True)


def run(options: Options) -> None:
    stage = open_stage(
        options.system_dir / "compare",
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
    references = kaldi.DataDir(options.data_dir).texts(options.tgt_lang)
    system, baseline = (
        _score(directory) for directory in (options.system_dir, options.baseline_dir)
    )
    normalizer = Normalizer(options.tgt_lang)
    tokenizer = language(options.tgt_lang).tokenizer
    for score in (system, baseline):
        rules = score.normalizer == normalizer.name
        if not rules or f"tok:{tokenizer}" not in score.signature:
            raise UserError(
                f"{score.system} was scored by '{score.normalizer}' and "
                f"'{score.signature}', --tgt_lang {options.tgt_lang} wants "
                f"'{normalizer.name}' and 'tok:{tokenizer}': run stage 9 again"
            )
    result = paired_bootstrap(
        references,
        kaldi.read_table(options.system_dir / "score" / "hyp"),
        kaldi.read_table(options.baseline_dir / "score" / "hyp"),
        normalize=normalizer.normalize,
        tokenize=tokenizer,
        num_resamples=options.num_resamples,
        seed=options.bootstrap_seed,
    )
    record = Comparison(
        system=system.system,
        baseline=baseline.system,
        checkpoint=system.checkpoint,
        split=system.split,
        metric="asr_bleu",
        delta=result.delta,
        ci95=result.ci95,
        p_value=result.p_value,
        num_resamples=options.num_resamples,
        seed=options.bootstrap_seed,
    )
    write_json(options.system_dir / "compare.json", record.to_json())
    stage.finish(
        num_in=len(references),
        num_out=len(references),
        also=[options.system_dir / "compare.json"],
    )


def _score(directory: Path) -> SystemScore:
    path = directory / "score.json"
    return SystemScore.from_json(read_json(path), str(path))
