"""Stage 1 of egs/own: one TSV -> data/<split>, 16 kHz audio in dump/audio.

The TSV has a header `id src_audio src_text tgt_audio tgt_text [split src_lang tgt_lang]`,
separated by tabs; audio paths are relative to it. Without a split 90, 5 and 5 % of the
source texts are train, dev and test, always the same ones. The last two columns name each
line's languages: they must be those of the options.
"""

from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.artifact import Input
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.own import read_pairs
from s2st_interleave.stages.data import DataOptions, make


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    tsv: Path = option(REQUIRED, "the corpus")


def run(options: Options) -> None:
    pairs = read_pairs(options.tsv)[options.split]
    make(options, pairs, {"tsv": Input(options.tsv)})
