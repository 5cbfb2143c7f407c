"""Data directories of Kaldi or ESPnet in place of a corpus in stage 1.

    python -m s2st_interleave import_data --src_dir kaldi/train_es --src_lang es \\
        --tgt_dir kaldi/train_en --tgt_lang en --split train \\
        --data_dir data/train --audio_dir dump/audio/train

`--src_dir` and `--tgt_dir` may be one ESPnet directory with wav.scp.es, wav.scp.en ...
Utterances are joined by id. Recordings are files: pipes are refused. Relative paths
start where the command does.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.artifact import Input
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.corpus import Pair, check_id
from s2st_interleave.errors import UserError
from s2st_interleave.interop.kaldi_dir import KaldiDir
from s2st_interleave.stages.data import DataOptions, make


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    src_dir: Path = option(REQUIRED, "wav.scp and text of the source language")
    tgt_dir: Path = option(REQUIRED, "of the target language; may be the same one")


def run(options: Options) -> None:
    source = KaldiDir(options.src_dir, options.src_lang)
    target = KaldiDir(options.tgt_dir, options.tgt_lang)
    inputs = {
        f"{side}.{path.name}": Input(path)
        for side, data in (("src", source), ("tgt", target))
        for path in data.inputs()
    }
    options.audio_dir.parent.mkdir(parents=True, exist_ok=True)
    # Cut segments are converted like any recording, then they are of no use.
    with tempfile.TemporaryDirectory(dir=options.audio_dir.parent) as cuts:
        make(options, pairs(source, target, Path(cuts)), inputs)


def pairs(source: KaldiDir, target: KaldiDir, cuts: Path) -> list[Pair]:
    """Joined by id; UserError naming the first that one of the four files lacks."""
    texts = source.texts(), target.texts()
    files = source.audio(cuts), target.audio(cuts)
    named = {
        source.file("text"): texts[0],
        target.file("text"): texts[1],
        source.file("segments" if source.segments() else "wav.scp"): files[0],
        target.file("segments" if target.segments() else "wav.scp"): files[1],
    }
    everyone = set().union(*named.values())
    for path, table in named.items():
        missing = sorted(everyone - table.keys())
        if missing:
            raise UserError(
                f"{path}: {len(missing)} utterances of the other files are missing, "
                f"first {missing[0]}"
            )
    languages = source.languages(), target.languages()
    speakers = target.speakers() | source.speakers()
    where = source.file("text")
    for utterance in everyone:
        check_id(utterance, str(where))
    return [
        Pair(
            id=utterance,
            speaker=speakers.get(utterance, utterance),
            src_audio=files[0][utterance],
            src_text=texts[0][utterance],
            tgt_audio=files[1][utterance],
            tgt_text=texts[1][utterance],
            where=f"{where}: {utterance}",
            src_lang=languages[0].get(utterance, ""),
            tgt_lang=languages[1].get(utterance, ""),
        )
        for utterance in sorted(everyone)
    ]
