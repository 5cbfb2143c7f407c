"""Show one utterance as the LLM reads it at a step: in the terminal, as SVG or as HTML.

    python -m s2st_interleave show ID --train_dir exp/scheduled --step 120
    python -m s2st_interleave show ID --step 120 --out picture.svg
    python -m s2st_interleave show ID --out page.html       with a slider over the schedule
    python -m s2st_interleave show ID --out picture.json    what the others are drawn from
    python -m s2st_interleave show ID --train_config "../conf/train.yaml my_schedule.yaml" \\
        --llm downloads/llm --dump_dir dump/interleave/train    before anything is trained

It draws what training draws: with the same code, from the same (seed, step, id).
"""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from s2st_interleave import config
from s2st_interleave.config import option
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.quick import here_or_quick

if TYPE_CHECKING:
    from s2st_interleave.show.lookup import Place
    from s2st_interleave.show.picture import Picture
    from s2st_interleave.show.training import Training
    from s2st_interleave.stages.train_options import Options as TrainOptions

DEFAULT = Path("exp/scheduled")


@dataclass(frozen=True, kw_only=True)
class Options:
    id: str = option("", "the utterance; its name alone, without --id, will do")
    step: int | None = option(
        None, "optimizer step, from 0; none: the first that reads it", minimum=0
    )
    train_dir: Path | None = option(
        None,
        f"exp/<system> of stage 6, finished or not; none: {DEFAULT}, or a quick run's",
    )
    train_config: tuple[Path, ...] = option(
        (), "in place of train_dir: YAML of stage 6, of several the later wins"
    )
    llm: Path | None = option(None, "with train_config: whose tokenizer cuts the text")
    dump_dir: Path | None = option(
        None, "dump/interleave/<split>; none: those of train_dir, train before dev"
    )
    out: Path | None = option(
        None, "a .svg, .html or .json to write; none: the terminal"
    )
    audio: bool = option(True, "a page plays the recordings, where they are at hand")
    width: int = option(0, "columns of the terminal; 0: as many as it has", minimum=0)
    color: Literal["auto", "always", "never"] = option(
        "auto", "auto: in a terminal, unless NO_COLOR is set"
    )
    overwrite: bool = option(False, "write over a file that exists")


CONFIGS = ("--train_config", "--train-config")  # several files may follow


def main(argv: Sequence[str]) -> int:
    words = with_id(argv)
    run(config.parse(Options, words, prog="show ID", about=__doc__))
    return 0


def with_id(argv: Sequence[str]) -> list[str]:
    """A command line whose one word that is no option, nor its value, is `--id`'s value.

    Raises UserError for two such words.

    >>> with_id(["--step", "3", "u1", "--out=x.svg"])
    ['--step', '3', '--id', 'u1', '--out=x.svg']
    >>> with_id(["--train_config", "a.yaml", "b.yaml", "u1"])
    ['--train_config', 'a.yaml', 'b.yaml', '--id', 'u1']
    """
    words, index, made = list(argv), 0, []
    while index < len(words):
        word = words[index]
        if not word.startswith("-"):
            if "--id" in made:
                raise UserError(f"'{word}': show one utterance at a time")
            made += ["--id", word]
        elif "=" in word or word in ("-h", "--help"):
            made.append(word)
        else:
            made += words[index : index + 2]
            index += 1
            while word in CONFIGS and words[index + 1 : index + 2]:
                if not words[index + 1].endswith((".yaml", ".yml")):
                    break
                index += 1
                made.append(words[index])
        index += 1
    return made


def run(options: Options) -> None:
    # 1. Check paths before anything is loaded.
    kind = _kind_of(options)

    # 2. The training, and the utterance in its dump.
    from s2st_interleave.show import lookup, training

    train_dir = options.train_dir
    if not options.train_config:
        train_dir = train_dir or here_or_quick(DEFAULT)
    if train_dir:
        asked, name = training.read_options(train_dir), _named(train_dir)
    else:
        asked, name = _configured(options), " ".join(map(_named, options.train_config))
    place = lookup.find(options.id, asked, options.dump_dir)
    units = place.dump.vocabulary
    opened = training.open_training(asked, name, train_dir, units)
    step = options.step
    if step is None:
        step = place.read_at[0] if place.read_at else 0

    # 3. Draw.
    if kind == "html":
        text = _page(options, opened, place, step)
    else:
        (picture,) = _pictures(opened, place, [step])
        text = _still(options, picture, kind)
    if options.out is None:
        encoding = sys.stdout.encoding or "utf-8"  # which may lack letters
        print(text.encode(encoding, "replace").decode(encoding))
        return
    with atomic_write(options.out) as stream:
        stream.write(text)
    print(f"{options.out}: {place.utterance.id} at step {step} of {name}")


def _named(path: Path) -> str:
    """A path as a picture names it: of one from the root, which tells a home, its end.

    >>> _named(Path("/r/exp/scheduled")), _named(Path("../conf/train.yaml"))
    ('exp/scheduled', '../conf/train.yaml')
    """
    return str(Path(*path.parts[-2:])) if path.is_absolute() else str(path)


def _kind_of(options: Options) -> str:
    """svg, html, json or text; UserError for options that do not go together."""
    if options.train_config:
        if options.train_dir:
            raise UserError("--train_dir or --train_config: not both")
        if not (options.llm and options.dump_dir):
            raise UserError("--train_config wants --llm and --dump_dir beside it")
    elif options.llm:
        raise UserError("--llm is for --train_config: a train_dir knows its LLM")
    if options.out is None:
        return "text"
    kind = options.out.suffix.lower().lstrip(".")
    if kind not in ("svg", "html", "json"):
        raise UserError(f"--out {options.out}: ends in neither .svg, .html nor .json")
    if options.out.exists() and not options.overwrite:
        raise UserError(f"{options.out} exists: pass --overwrite true")
    return kind


def _configured(options: Options) -> "TrainOptions":
    from s2st_interleave.show import training

    assert options.llm and options.dump_dir
    return training.combine_options(options.train_config, options.llm, options.dump_dir)


def _pictures(
    opened: "Training", place: "Place", steps: Sequence[int]
) -> list["Picture"]:
    from s2st_interleave.show.training import languages_of

    course, languages = opened.course(place.read_at), languages_of(place.dump_dir)
    unit_sec = place.dump.vocabulary.unit_sec
    return [
        opened.draw(place.utterance, step, unit_sec, languages, course)
        for step in steps
    ]


def _still(options: Options, picture: "Picture", kind: str) -> str:
    """One picture, as SVG, as JSON or as text."""
    if kind == "json":
        return json.dumps(asdict(picture), ensure_ascii=False, indent=1) + "\n"
    if kind == "svg":
        from s2st_interleave.show.drawing import document

        return document(picture)
    from s2st_interleave.show import terminal

    is_terminal = sys.stdout.isatty()
    has_color = options.color == "always" or (
        options.color == "auto" and is_terminal and not os.environ.get("NO_COLOR")
    )
    width = options.width or shutil.get_terminal_size((100, 24)).columns
    return terminal.drawing(picture, width, has_color=has_color)


def _page(options: Options, opened: "Training", place: "Place", step: int) -> str:
    """A page with a picture for each stop of its slider."""
    from s2st_interleave.show import page, recordings
    from s2st_interleave.show.stops import stops

    count = opened.options.max_steps
    steps = stops(opened.interleaving, count, place.read_at, step)
    sounds = {}
    if options.audio:
        sounds = recordings.find(place.utterance.id, place.dump_dir)
    return page.page(_pictures(opened, place, steps), steps.index(step), sounds)
