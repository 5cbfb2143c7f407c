"""One side of data/<split> as a Kaldi data directory: wav.scp, text, utt2spk, spk2utt.

python -m s2st_interleave export_data --data_dir data/train --side src --out_dir kaldi

(data/<split> itself is a directory as ESPnet has them, with one file of each name a side.)
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.stage_dir import read_done


@dataclass(frozen=True, kw_only=True)
class Options:
    data_dir: Path = option(REQUIRED, "data/<split> of stage 1")
    side: str = option(REQUIRED, "which side of it: src, tgt")
    out_dir: Path = option(REQUIRED, "directory to write, new or empty")
    speakers: Literal["utterance", "corpus"] = option(
        "utterance",
        "each utterance its own, or the corpus's, whose names begin no utterance id: "
        "Kaldi's validate_data_dir.sh takes that amiss",
    )

    removed: ClassVar[dict[str, str]] = {"language": "it is --side, such as src"}


def run(options: Options) -> None:
    read_done(options.data_dir, "data")
    out, data = options.out_dir, kaldi.DataDir(options.data_dir)
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} is not empty: nothing is written over it")
    wavs = data.wavs(options.side)
    # Paths are absolute: Kaldi's scripts run in other directories.
    paths = {k: str(wav.absolute()) for k, wav in wavs.items()}
    kaldi.write_table(out / "wav.scp", paths)
    kaldi.write_table(out / "text", data.texts(options.side))
    speakers = {utterance: utterance for utterance in wavs}
    if options.speakers == "corpus":
        speakers = kaldi.read_table(data.path / "utt2spk")
    kaldi.write_speakers(kaldi.DataDir(out), speakers)
    print(f"{out}: {len(wavs)} utterances of {options.side}")
