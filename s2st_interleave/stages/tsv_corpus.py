"""Stage 1 of egs/own: one TSV -> data/<split>, 16 kHz audio in dump/audio.

The TSV has a header `id src_audio src_text tgt_audio tgt_text [split speaker src_lang
tgt_lang]`, separated by tabs; the last two name each line's languages, which must agree with
the options; audio paths are relative to the TSV. Other sides than src and tgt have columns of
their names: with `--sides "user=en agent=en"` these are `id user_audio user_text
agent_audio agent_text`. Without a split 90, 5 and 5 % of the first side's texts are train,
dev and test, always the same ones; texts are compared without case and punctuation.
Sentences of dev and test that train has as well, in a given split or as translations, are
counted and named. Quotes that a spreadsheet or csv has put around all fields of a column
are taken off, which is printed.
"""

from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.tsv_corpus import read_utterances
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages.data_dir import make
from s2st_interleave.stages.data_options import SidesOptions


@dataclass(frozen=True, kw_only=True)
class Options(SidesOptions):
    tsv: Path = option(REQUIRED, "the corpus")


def run(options: Options) -> None:
    splits = read_utterances(options.tsv, tuple(options.spoken()), options.split)
    inputs = {"tsv": Input(options.tsv)}
    make(options, splits[options.split], inputs, train=splits["train"])
