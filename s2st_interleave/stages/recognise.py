"""Stage 9: hear and rate recordings of systems and toplines, a share in each job.

    python -m s2st_interleave recognise --data_dir data/test --side tgt --shard 2/8 \\
        --vocode_dir "exp/resynthesis/test exp/baseline/greedy_last/test/vocode"

It fills the cache that `score` and `topline` read, with texts and, where --mos names a
predictor, its ratings; a job that is run again does only what is missing. `topline` and
`score` work without it, on one GPU.
"""

from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.config import option
from s2st_interleave.data import kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.progress import name_lines
from s2st_interleave.score.answers import spoken, without
from s2st_interleave.score.asr_cache import recognise
from s2st_interleave.score.metrics.mos import rate
from s2st_interleave.stage_dir import end_if_looking
from s2st_interleave.stages.scoring import ScoringOptions


@dataclass(frozen=True, kw_only=True)
class Options(ScoringOptions):
    vocode_dir: tuple[Path, ...] = option((), "with a wav.scp of stage 8 each")
    references: bool = option(False, "hear data_dir's own recordings as well")
    side: str = option("tgt", "who answers, in speech")
    shard: str = option("1/1", "K/N: the K-th of N shares")


def run(options: Options) -> None:
    end_if_looking()
    name_lines(f"stage 9 recognise {options.data_dir.name} {options.shard}")
    data, share = kaldi.DataDir(options.data_dir), share_of(options.shard)
    asr = options.asr_options(data.sides[data.role(options.side)])
    folders = [spoken(folder) for folder in options.vocode_dir]
    if options.references:
        silent = data.silent(options.side)
        folders.insert(0, without(silent, data.wavs(options.side)))
    predictor, (k, n) = options.mos_options(), share
    for wavs in folders:
        recognise(wavs, asr, options.asr_cache, share)
        if predictor:
            rated = {
                utterance: wavs[utterance] for utterance in sorted(wavs)[k - 1 :: n]
            }
            rate(rated, predictor, options.asr_cache)


def share_of(text: str) -> tuple[int, int]:
    """The numbers of "2/8"; UserError for another text.

    >>> share_of("2/8")
    (2, 8)
    """
    first, _, last = text.partition("/")
    if not (first.isdigit() and last.isdigit() and 1 <= int(first) <= int(last)):
        raise UserError(f"--shard is '{text}', wants K/N such as 2/8")
    return int(first), int(last)
