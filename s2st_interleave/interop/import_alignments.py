"""Word times of another aligner in place of stage 3: MFA's TextGrids, CTM, Whisper.

    python -m s2st_interleave import_alignments --data_dir data/train \\
        --src_format textgrid --src_alignments mfa/train/es \\
        --tgt_format ctm --tgt_alignments train.en.ctm --out_dir dump/align/train

Then run ./run.sh --stage 4, without stage 3. `src_` is the first side of data_dir, whatever
its role, and `tgt_` the second. Words are matched to the transcript by their letters,
without case and punctuation; the transcript's spelling stays. Names of files (CTM: names
in the file) are ids, or ids with a folder and endings of audio: `a.mp3.json`.

An utterance without an alignment that fits it is dropped from train with its reason; in
dev and test it is an error, or gets equal intervals if --misfit says so. Utterances that
stage 1 has kept without a recording or without words always get equal intervals.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from s2st_interleave import drops
from s2st_interleave.align.segmentation import surface_words
from s2st_interleave.align.words import Word, equal_words, write_words
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.data.sides import KNOWN, without_languages
from s2st_interleave.errors import shown
from s2st_interleave.files import file_digest
from s2st_interleave.interop import timed
from s2st_interleave.interop.ids import match_ids
from s2st_interleave.interop.matching import Misfit, match
from s2st_interleave.interop.two_sides import input_names, two_roles
from s2st_interleave.record import digest
from s2st_interleave.stage_dir import Input, open_stage


@dataclass(frozen=True, kw_only=True)
class Options:
    data_dir: Path = option(REQUIRED, "data/<split>")
    src_alignments: Path = option(REQUIRED, "folder (textgrid, whisper) or file (ctm)")
    tgt_alignments: Path = option(REQUIRED, "the same of the second side")
    src_format: timed.Format = option(REQUIRED, "what src_alignments holds")
    tgt_format: timed.Format = option(REQUIRED, "what tgt_alignments holds")
    out_dir: Path = option(REQUIRED, "dump/align/<split> to write")
    misfit: Literal["auto", "error", "drop", "equal"] = option(
        "auto",
        "words that do not match: drop the utterance, equal intervals (dev, test), or an "
        "error; auto: drop from train, else an error",
    )
    max_misfit_rate: float = option(
        0.05,
        "drop more, or make more equal, and fail",
        runtime=True,
        minimum=0,
        maximum=1,
    )
    max_drop_rate: float | None = option(
        None,
        "as in other commands; none: --max_misfit_rate",
        runtime=True,
        minimum=0,
        maximum=1,
    )
    overwrite: bool = option(False, "make it anew", runtime=True)

    earlier = staticmethod(without_languages)
    removed: ClassVar[dict[str, str]] = {"src_lang": KNOWN, "tgt_lang": KNOWN}


def run(options: Options) -> None:
    # 1. Is there anything to do?
    data = kaldi.DataDir(options.data_dir)
    src, tgt = two_roles(data)
    sources = {
        src: (options.src_alignments, options.src_format),
        tgt: (options.tgt_alignments, options.tgt_format),
    }
    if options.misfit == "auto":
        outcome = "drop" if drops.is_train(options.data_dir) else "error"
        options = replace(options, misfit=outcome)
    stage = open_stage(
        options.out_dir,
        stage="align",
        options=options,
        inputs={
            "data": Input(options.data_dir, "data"),
            **{
                f"{name}.alignments": fingerprint(*sources[role])
                for role, name in input_names(options.out_dir, data.sides).items()
            },
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return

    # 2. Match the words of each side; utterances that do not match have a reason.
    merged, misfits = {}, {}
    for role, (source, kind) in sources.items():
        merged[role], reasons = _match_all(data, role, source, kind)
        misfits |= {k: f"{role} {reason}" for k, reason in reasons.items()}
    num_in = len(data.texts(src))
    _check(misfits, num_in, options)

    # 3. Write words, at equal intervals where that was asked for.
    num_equal = 0
    for role, words in merged.items():
        equal = _known_faults(data, role)
        if options.misfit == "equal":
            equal |= {k: misfits[k] for k in misfits.keys() - words.keys()}
        else:
            words = {k: v for k, v in words.items() if k not in misfits}
        written = words | _equal(data, role, equal)
        write_words(options.out_dir / f"words.{role}.jsonl", written, equal)
        num_equal += len(equal)
    dropped = misfits if options.misfit == "drop" else {}
    stage.finish(
        num_in=num_in,
        num_out=num_in - len(dropped),
        dropped=dropped,
        num_equal_intervals=num_equal,
        sides=data.sides,
    )


def fingerprint(source: Path, kind: timed.Format) -> str:
    """Hash of the content of a file, or of all files of the kind in a folder."""
    if kind == "ctm" or not source.exists():
        return Input(source).fingerprint()
    suffix = ".TextGrid" if kind == "textgrid" else ".json"
    paths = timed.files(source, suffix)
    return digest({str(p.relative_to(source)): file_digest(p) for p in paths})


def _match_all(
    data: kaldi.DataDir, role: str, source: Path, kind: timed.Format
) -> tuple[dict[str, list[Word]], dict[str, str]]:
    """Words by utterance id, and the reasons of utterances without matching words.

    Utterances that stage 1 has kept with a fault are in neither.
    """
    texts, durations = data.texts(role), data.durations(role)
    alignments = timed.read(source, kind)
    ids = match_ids(alignments.words.keys() | alignments.faults.keys(), texts)
    if ids.others:
        print(
            f"align: {source}: {len(ids.others)} other utterances are left aside, first "
            f"{shown(ids.others[0])}"
        )
    words, misfits = {}, {}
    for utterance in sorted(texts.keys() - _known_faults(data, role).keys()):
        name = ids.names.get(utterance, "")
        spoken = surface_words(texts[utterance])
        if not name:
            reason = ids.unclear.get(utterance) or ids.missing().strip()
            misfits[utterance] = f"has no alignment: {reason}".removesuffix(": ")
        elif name in alignments.faults:
            misfits[utterance] = f"alignment is broken: {alignments.faults[name]}"
        elif not spoken:
            misfits[utterance] = "has no word in its transcript"
        else:
            timed_words, seconds = alignments.words[name], durations[utterance]
            try:
                words[utterance] = match(spoken, timed_words, seconds)
            except Misfit as error:
                misfits[utterance] = f"words differ: {error}"
    return words, misfits


def _known_faults(data: kaldi.DataDir, role: str) -> dict[str, str]:
    """Faults of utterances that stage 1 has kept without a recording or without words."""
    texts, silent = data.texts(role), data.silent(role)
    return {
        k: fault
        for k, fault in data.faults(role).items()
        if k in silent or not surface_words(texts[k])
    }


def _check(misfits: Mapping[str, str], num_in: int, options: Options) -> None:
    rate, name = options.max_misfit_rate, "--max_misfit_rate"
    if options.max_drop_rate is not None and options.misfit == "drop":
        rate, name = options.max_drop_rate, "--max_drop_rate"
    reason = f"--misfit {options.misfit}, {name} {rate:g}"
    rate = 0.0 if options.misfit == "error" else rate
    drops.limit(misfits, num_in, rate, "do not match", reason)


def _equal(
    data: kaldi.DataDir, role: str, wanted: Iterable[str]
) -> dict[str, list[Word]]:
    texts, durations = data.texts(role), data.durations(role)
    return {
        k: equal_words(surface_words(texts[k]) or [texts[k]], durations[k])
        for k in sorted(wanted)
    }
