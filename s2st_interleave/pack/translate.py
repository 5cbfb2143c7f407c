"""Translate recordings with a packed model (stage 11); prints transcript and translation.

python -m s2st_interleave translate --model DIR in.wav --out out.wav
python -m s2st_interleave translate --model DIR one.mp3 two.flac --out folder
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from s2st_interleave import config
from s2st_interleave.config import REQUIRED, RunOptions, option
from s2st_interleave.data import audio
from s2st_interleave.data.channels import HELP, MIX, Channels
from s2st_interleave.errors import UserError
from s2st_interleave.precision import Dtype, use_bf16

if TYPE_CHECKING:
    from s2st_interleave.pack.translator import Spoken


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    model: Path = option(REQUIRED, "folder of stage 11")
    out: Path = option(Path("translated"), "a .wav or .flac, or a folder to write into")
    min_sec: float = option(0.3, "a shorter recording is refused", minimum=0)
    max_sec: float = option(30.0, "a longer one as well: training had none", above=0)
    channels: Channels = option(MIX, HELP)
    dtype: Dtype = option("auto", "of the LLM's weights, as in stage 7")
    overwrite: bool = option(False, "write over recordings that exist")


def main(argv: Sequence[str]) -> int:
    recordings, rest = split_words(argv)
    prog = "translate IN.wav [MORE.wav ...]"
    options = config.parse(Options, rest, prog=prog, about=__doc__)
    run(options, [Path(name) for name in recordings])
    return 0


def split_words(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split a command line into names of recordings, and options with their values.

    >>> split_words(["a.wav", "--model", "m", "b.wav", "--out=c", "--", "--d.wav"])
    (['a.wav', 'b.wav', '--d.wav'], ['--model', 'm', '--out=c'])
    """
    names: list[str] = []
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            names += words
        elif word.startswith("--"):
            rest.append(word)
            if "=" not in word and word != "--help":
                rest += [value for value in [next(words, None)] if value is not None]
        elif word == "-h":
            rest.append(word)
        else:
            names.append(word)
    return names, rest


def run(options: Options, recordings: Sequence[Path]) -> None:
    # 1. Check the paths before the model is loaded.
    targets = out_paths(options, recordings)

    # 2. Read the recordings, and load the model after a check of its checksums.
    from s2st_interleave.device import resolve_device, set_threads
    from s2st_interleave.pack.translator import Translator, read_recording

    set_threads(options.num_threads)
    samples = {
        path: read_recording(
            path,
            min_sec=options.min_sec,
            max_sec=options.max_sec,
            channels=options.channels,
        )
        for path in recordings
    }
    device = resolve_device(options.device)
    bf16 = use_bf16(options.dtype, device)
    model = Translator.load(options.model, device, bf16=bf16)

    # 3. Translate one recording after the other.
    for path, target in targets.items():
        try:
            spoken = model.translate(samples[path])
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
        if spoken.samples is not None:
            audio.write(target, spoken.samples, model.sample_rate)
        print(_told(path, target, spoken, model.description.sides), flush=True)


def _told(
    path: Path, target: Path, spoken: "Spoken", languages: Mapping[str, str]
) -> str:
    """The recording, where its answer lies if that is speech, and a line a text."""
    head = str(path) if spoken.samples is None else f"{path} -> {target}"
    lines = [
        f"  {languages[name.removesuffix('_text')]}: {text}"
        for name, text in spoken.texts.items()
    ]
    return "\n".join([head, *lines])


def out_paths(options: Options, recordings: Sequence[Path]) -> dict[Path, Path]:
    """The path of each recording's translation.

    Raises UserError for a recording that is missing, a path that exists and must not be
    overwritten, or one that two recordings share.
    """
    if not recordings:
        raise UserError("no recording to translate: name one or more")
    for path in recordings:
        if not path.is_file():
            raise UserError(f"{path}: no such recording")
    if options.out.suffix.lower() in (".wav", ".flac"):
        if len(recordings) > 1:
            raise UserError(
                f"--out {options.out}: {len(recordings)} recordings want a folder"
            )
        targets = {recordings[0]: options.out}
    else:
        targets = {path: options.out / f"{path.stem}.wav" for path in recordings}
    if len(set(targets.values())) < len(recordings):
        raise UserError("two recordings have one name: translate them one by one")
    taken = [path for path in targets.values() if path.exists()]
    if taken and not options.overwrite:
        raise UserError(f"{taken[0]} exists: pass --overwrite true, or another --out")
    return targets
