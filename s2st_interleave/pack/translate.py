"""Translate recordings with a packed model; prints transcript and translation.

s2st-translate --model DIR in.wav --out out.wav
s2st-translate --model owner/name@revision folder "more/*.mp3" --out translated
cat in.wav | s2st-translate --model DIR - --out - > out.wav

DIR is a folder of stage 11. Recordings are files, folders, patterns, or - (standard input);
--out is a folder, a file, or - (standard output; texts then go to standard error). Exit
status: 0, or 1 where a recording could not be translated.
`python -m s2st_interleave translate` is the same command.
"""

import contextlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from s2st_interleave import config, hub
from s2st_interleave.config import REQUIRED, RunOptions, option
from s2st_interleave.data.channels import HELP, MIX, Channels
from s2st_interleave.data.levels import NEAR_SILENT
from s2st_interleave.errors import UserError
from s2st_interleave.pack import clips, folder, paths, speech_file
from s2st_interleave.pack.clips import Bounds, Clip, Refused
from s2st_interleave.pack.paths import PIPE, Work
from s2st_interleave.precision import Dtype

if TYPE_CHECKING:
    from s2st_interleave.pack.said import Said
    from s2st_interleave.pack.translator import Translator

# Recordings in memory at a time: four batches, as in stage 7, whose last answers are
# written while the batch empties.
AT_ONCE = 128


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    model: str = option(REQUIRED, "folder of stage 11, or owner/name@revision")
    out: str = option("translated", "a folder, a .wav .flac .ogg .mp3, or -")
    json: bool = option(False, "a line of JSON a recording, with the times of words")
    skip_bad: bool = option(False, "go on after a recording that cannot be translated")
    skip_existing: bool = option(False, "leave out recordings whose answers are there")
    min_sec: float = option(0.3, "a shorter recording is refused", minimum=0)
    max_sec: float = option(30.0, "a longer one as well: training had none", above=0)
    min_dbfs: float = option(
        NEAR_SILENT, "one below this level is silent: refused", maximum=0
    )
    channels: Channels = option(MIX, HELP)
    dtype: Dtype = option("auto", "of the LLM's weights, as in stage 7")
    overwrite: bool = option(False, "write over recordings that exist")


def main(argv: Sequence[str]) -> int:
    words, rest = split_words(argv)
    prog = "translate RECORDING [RECORDING ...]"
    options = config.parse(Options, rest, prog=prog, about=__doc__)
    try:
        return run(options, words)
    except KeyboardInterrupt:
        line = "translate: interrupted; --skip_existing true carries on"
        print(line, file=sys.stderr)
        return 130


def split_words(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split a command line into names of recordings, and options with their values.

    >>> split_words(["a.wav", "--model", "m", "b.wav", "--out=c", "-", "--", "--d.wav"])
    (['a.wav', 'b.wav', '-', '--d.wav'], ['--model', 'm', '--out=c'])
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


def run(options: Options, words: Sequence[str]) -> int:
    # 1. What is to be done: all of it is checked before the model is loaded.
    work = paths.plan(words, options.out)
    model, speaks = _described(options.model)
    if not speaks:
        work = [_without_speech(each, options.out) for each in work]
    there = [each for each in work if each.target and each.target.exists()]
    if there and not (options.overwrite or options.skip_existing):
        raise UserError(
            f"{there[0].target} exists: pass --overwrite true, --skip_existing true, or "
            "another --out"
        )
    skipped = set() if options.overwrite else {each.target for each in there}
    waiting = iter([each for each in work if each.target not in skipped])

    # 2. As many recordings as fit in memory at a time; then their answers are written.
    # Whatever a library prints, standard output is for answers.
    pipes_speech = speaks and options.out == PIPE
    job = _Job(
        options,
        model,
        len(work),
        sys.stdout,
        sys.stderr if pipes_speech else sys.stdout,
    )
    with contextlib.redirect_stdout(sys.stderr):
        while some := list(islice(waiting, AT_ONCE)):
            job.translate(some)
        return job.end(len(skipped))


def _described(model: str) -> tuple[str | Path, bool]:
    """The model's folder, and whether it answers in speech, by its description alone.

    What is wrong with a model is told when it is loaded: after what is wrong with
    recordings, which nobody should wait for.
    """
    try:
        place = hub.snapshot(model)
        return place, folder.Description.read(place).speaks
    except (UserError, OSError):
        return model, True


def _without_speech(work: Work, out: str) -> Work:
    """The work for a model that answers in text, which is printed: no file is written."""
    if work.target == Path(out):
        raise UserError(
            f"--out {out}: this model answers in text alone, which is printed: leave --out "
            "out; --json true prints lines of JSON"
        )
    return replace(work, target=None)


@dataclass
class _Job:
    options: Options
    model_name: str | Path
    num_recordings: int
    stdout: TextIO
    told: TextIO  # where texts go
    bad: Counter[str] = field(default_factory=Counter)  # number by kind

    @cached_property
    def model(self) -> "Translator":
        from s2st_interleave.device import set_threads
        from s2st_interleave.pack.translator import Translator

        options = self.options
        set_threads(options.num_threads)
        return Translator.from_pretrained(
            self.model_name,
            device=options.device,
            dtype=options.dtype,
            **vars(self._bounds),
        )

    @property
    def _bounds(self) -> Bounds:
        options = self.options
        return Bounds(
            options.min_sec, options.max_sec, options.min_dbfs, options.channels
        )

    def translate(self, some: Sequence[Work]) -> None:
        """Translate recordings at once, and tell of them in their order.

        Raises Refused for the first that cannot be translated, unless bad ones are to be
        skipped; those before it have been written by then.
        """
        outcomes = list(self._read(some))
        good = [each for each in outcomes if isinstance(each, Clip)]
        said = iter(self.model.answer(good) if good else ())
        for work, outcome in zip(some, outcomes, strict=False):
            if isinstance(outcome, Refused):
                self._refuse(work, outcome)
                continue
            answer = next(said)
            try:
                self._write(work, answer)
            except Refused as refusal:
                self._refuse(work, refusal, answer)

    def _read(self, some: Sequence[Work]) -> Iterator[Clip | Refused]:
        """Recordings, or why one is refused; none after the first where bad ones stop all."""
        read: list[Clip | Refused] = []
        for work in some:
            try:
                source = work.source or sys.stdin.buffer
                read.append(clips.read(source, bounds=self._bounds))
            except Refused as refusal:
                read.append(refusal)
                if not self.options.skip_bad:
                    break
        for each in read:  # the model is loaded when a recording could be read
            try:
                if isinstance(each, Clip):
                    self.model.check_room(each)
                yield each
            except Refused as refusal:
                yield refusal
                if not self.options.skip_bad:
                    return

    def _refuse(self, work: Work, refusal: Refused, said: "Said | None" = None) -> None:
        if not self.options.skip_bad:
            raise refusal
        self.bad[refusal.kind] += 1
        print(_printable(f"bad: {refusal}"), file=sys.stderr, flush=True)
        if self.options.json:
            line = said.to_json() if said else {}
            error = {"kind": refusal.kind, "error": str(refusal)}
            self._tell(json.dumps(_line(work, None) | line | error, ensure_ascii=False))

    def _write(self, work: Work, said: "Said") -> None:
        target: Path | str | None = work.target
        if said.samples is None or said.rate is None:
            target = None
        elif work.target is not None:
            said.save(work.target)
        else:
            target = PIPE
            said.check_speech()
            self.stdout.buffer.write(speech_file.encoded(said.samples, said.rate))
            self.stdout.buffer.flush()
        for remark in said.remarks:
            print(f"{work.name}: {remark}", file=sys.stderr, flush=True)
        if self.options.json:
            line = _line(work, target)
            text = json.dumps(line | said.to_json(), ensure_ascii=False)
        else:
            text = _told(work, said)
        self._tell(text)

    def _tell(self, text: str) -> None:
        print(_printable(text), file=self.told, flush=True)

    def end(self, num_skipped: int) -> int:
        """Say how many there were where it is not clear, and return the exit status."""
        num_bad = self.bad.total()
        parts = [f"{num_skipped} were there"] if num_skipped else []
        if num_bad:
            kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(self.bad.items()))
            parts.append(f"{num_bad} bad ({kinds})")
        if parts:
            good = self.num_recordings - num_skipped - num_bad
            said = f"{good} of {self.num_recordings} translated"
            print(
                f"translate: {', '.join([said, *parts])}", file=sys.stderr, flush=True
            )
        return 1 if num_bad else 0


def _printable(text: str) -> str:
    """The text, with escapes in place of bytes of a file's name that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def _line(work: Work, target: Path | str | None) -> dict[str, Any]:
    return {"input": work.name, "output": None if target is None else str(target)}


def _told(work: Work, said: "Said") -> str:
    """The recording, where its answer lies if that is in a file, and a line a text."""
    head = work.name if work.target is None else f"{work.name} -> {work.target}"
    lines = [
        f"  {said.languages[name.removesuffix('_text')]}: {text}"
        for name, text in said.answer.texts.items()
    ]
    return "\n".join([head, *lines])
