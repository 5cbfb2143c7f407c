"""Stage 1 of egs/own: one TSV -> data/<split>, 16 kHz audio in dump/audio.

The TSV has a header `id src_audio src_text tgt_audio tgt_text [split src_lang tgt_lang]`,
separated by tabs; the last two name each line's languages, which must be the options';
audio paths are relative to it. Without a split 90, 5 and 5 % of the source texts are train,
dev and test, always the same ones; texts are compared by their sound, without case and
punctuation. Sentences of dev and test that train has as well, in a split that is given or
as translations, are counted and named. Quotes that a spreadsheet or csv has put around
fields are taken off: a column is looked at whole, and the screen says so.
"""

from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.tsv_corpus import read_pairs
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages.data import DataOptions, make


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    tsv: Path = option(REQUIRED, "the corpus")


def run(options: Options) -> None:
    pairs = read_pairs(options.tsv)
    inputs = {"tsv": Input(options.tsv)}
    make(options, pairs[options.split], inputs, train=pairs["train"])
