"""Word times of another aligner in place of stage 3: MFA's TextGrids, CTM, Whisper.

    python -m s2st_interleave import_alignments --data_dir data/train \\
        --src_lang es --src_format textgrid --src_alignments mfa/train/es \\
        --tgt_lang en --tgt_format ctm --tgt_alignments train.en.ctm \\
        --out_dir dump/align/train

Then ./run.sh --stage 4 without stage 3. Words are matched to the transcript by their
letters, without case and punctuation; the transcript's spelling stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from s2st_interleave.align.segmentation import surface_words
from s2st_interleave.align.words import Word, equal_words, write_words
from s2st_interleave.artifact import Input, digest, file_digest, open_stage
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.errors import UserError
from s2st_interleave.interop import timed
from s2st_interleave.interop.matching import match


@dataclass(frozen=True, kw_only=True)
class Options:
    data_dir: Path = option(REQUIRED, "data/<split>")
    src_lang: LanguageCode = option(REQUIRED, "source language code")
    tgt_lang: LanguageCode = option("en", "target language code")
    src_alignments: Path = option(REQUIRED, "folder (textgrid, whisper) or file (ctm)")
    tgt_alignments: Path = option(REQUIRED, "the same of the target language")
    src_format: timed.Format = option(REQUIRED, "what src_alignments holds")
    tgt_format: timed.Format = option(REQUIRED, "what tgt_alignments holds")
    out_dir: Path = option(REQUIRED, "dump/align/<split> to write")
    misfit: Literal["error", "drop", "equal"] = option(
        "error", "words that do not match: drop (train), equal intervals (dev, test)"
    )
    max_misfit_rate: float = option(0.05, "drop more, or make more equal, and fail")
    overwrite: bool = option(False, "make it anew", runtime=True)


def run(options: Options) -> None:
    # 1. Is there anything to do?
    sides = {
        options.src_lang: (options.src_alignments, options.src_format),
        options.tgt_lang: (options.tgt_alignments, options.tgt_format),
    }
    if len(sides) < 2:
        raise UserError(f"source and target language are both '{options.src_lang}'")
    stage = open_stage(
        options.out_dir,
        stage="align",
        options=options,
        inputs={
            "data": Input(options.data_dir, "data"),
            **{f"{lang}.alignments": fingerprint(*one) for lang, one in sides.items()},
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return

    # 2. Match the words of each side; what fits nowhere has a reason.
    data = kaldi.DataDir(options.data_dir)
    merged, misfits = {}, {}
    for language, (source, kind) in sides.items():
        found = timed.read(source, kind)
        merged[language], reasons = _match_all(data, language, found)
        misfits |= {k: f"{language} {reason}" for k, reason in reasons.items()}
        strangers = found.keys() - merged[language].keys() - reasons.keys()
        if strangers:
            print(f"align: {source}: {len(strangers)} other utterances are left aside")
    num_in = len(data.texts(options.src_lang))
    _check(misfits, num_in, options)

    # 3. Write: train without them, dev and test with words at equal intervals.
    for language, words in merged.items():
        if options.misfit == "equal":
            words = words | _equal(data, language, misfits.keys() - words.keys())
        else:
            words = {k: v for k, v in words.items() if k not in misfits}
        write_words(options.out_dir / f"words.{language}.jsonl", words)
    dropped = misfits if options.misfit == "drop" else {}
    stage.finish(
        num_in=num_in,
        num_out=num_in - len(dropped),
        dropped=dropped,
        num_equal_intervals=len(misfits) - len(dropped),
    )


def fingerprint(source: Path, kind: timed.Format) -> str:
    """Of the content of a file, or of all files of the kind in a folder."""
    if kind == "ctm" or not source.exists():
        return Input(source).fingerprint()
    suffix = ".TextGrid" if kind == "textgrid" else ".json"
    paths = timed.files(source, suffix)
    return digest({str(p.relative_to(source)): file_digest(p) for p in paths})


def _match_all(
    data: kaldi.DataDir, language: str, found: Mapping[str, list[timed.TimedWord]]
) -> tuple[dict[str, list[Word]], dict[str, str]]:
    """Words by utterance id, and of the others why there are none."""
    texts, durations = data.texts(language), data.durations(language)
    words, misfits = {}, {}
    for utterance, text in texts.items():
        if utterance not in found:
            misfits[utterance] = "has no alignment"
            continue
        spoken = surface_words(text)
        if not spoken:
            misfits[utterance] = "has no word in its transcript"
            continue
        try:
            words[utterance] = match(spoken, found[utterance], durations[utterance])
        except UserError as error:
            misfits[utterance] = f"words differ: {error}"
    return words, misfits


def _check(misfits: Mapping[str, str], num_in: int, options: Options) -> None:
    allowed = 0 if options.misfit == "error" else options.max_misfit_rate * num_in
    if len(misfits) > allowed:
        first = "\n".join(f"  {k}: {v}" for k, v in sorted(misfits.items())[:10])
        raise UserError(
            f"{len(misfits)} of {num_in} utterances do not match (--misfit "
            f"{options.misfit}, --max_misfit_rate {options.max_misfit_rate:g}):\n{first}"
        )


def _equal(data: kaldi.DataDir, language: str, missing: set) -> dict[str, list[Word]]:
    texts, durations = data.texts(language), data.durations(language)
    return {
        k: equal_words(surface_words(texts[k]) or [texts[k]], durations[k])
        for k in sorted(missing)
    }
