"""The list of stages and commands, from which all else takes numbers and names.

`python -m s2st_interleave --help`, the driver egs/cvss/s2st.sh, the README's table, the hints
of error messages and `stage.json` all take them from here.

    python -m s2st_interleave.stage_list                       what each stage does
    python -m s2st_interleave.stage_list --from 3 --to 6       "03_align" ..., one a line
    python -m s2st_interleave.stage_list --markdown            the README's table
"""

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from s2st_interleave.errors import script


@dataclass(frozen=True)
class RecipeStage:
    """A stage, as in `./run.sh --stage 3`, and what it reads and writes on disk."""

    number: int
    name: str
    about: str
    reads: str
    writes: str

    @property
    def script(self) -> str:
        """The stage's file in egs/cvss/stages, without the ending."""
        return f"{self.number:02}_{self.name}"


@dataclass(frozen=True)
class Command:
    """`python -m s2st_interleave <name>`: a module's `run(Options)`, or its `main(words)`.

    Modules are imported only when called, so that `--help` answers at once. `stage` names
    the RecipeStage that the command belongs to, if any.
    """

    name: str
    stage: str
    module: str
    about: str


STAGES = (
    RecipeStage(
        1,
        "data",
        "corpus as distributed -> data/, 16 kHz audio",
        "the corpus as distributed",
        "`data/<split>/{wav.scp,text,utt2dur,utt2level}.<side>`, `sides`, `utt2spk`, "
        "`spk2utt`; 16 kHz audio in `dump/audio`",
    ),
    RecipeStage(
        2,
        "encoder",
        "CTC fine-tuning of the speech encoder",
        "data",
        "`exp/encoder`: `Wav2Vec2BertForCTC` and its BPE, all sides together",
    ),
    RecipeStage(
        3,
        "align",
        "word times",
        "data, encoder",
        "`dump/align/<split>/words.<side>.jsonl`",
    ),
    RecipeStage(
        4,
        "units",
        "one codebook, and the units of all speech",
        "data, encoder",
        "`exp/kmeans`; `dump/units/<split>/units.<side>.{ark,scp}`, not deduplicated",
    ),
    RecipeStage(
        5,
        "dump",
        "units and words together, free of any text ratio",
        "align, units",
        "`dump/interleave/<split>`: memory-mapped, free of any text ratio",
    ),
    RecipeStage(
        6,
        "train",
        "scheduled interleaved fine-tuning of the LLM",
        "dump",
        "`exp/<system>`: checkpoints, `metrics.jsonl`, `config.yaml`, `run.sh`",
    ),
    RecipeStage(
        7,
        "decode",
        "answers: text and units",
        "train, dump",
        "`exp/<system>/greedy_<checkpoint>/<split>`: `text.src`, `text.tgt`, "
        "`units.tgt.{ark,scp}`, by id",
    ),
    RecipeStage(
        8,
        "vocode",
        "the vocoder, and speech of the answers",
        "data, units, decode",
        "`exp/vocoder`; `wav.scp` of the translations",
    ),
    RecipeStage(
        9,
        "score",
        "scores and their differences",
        "decode, wav.scp, text",
        "`score.json`, `score/{hyp,utterances.tsv}`, `compare.json`; toplines of speech in "
        "`exp/topline/<split>`",
    ),
    RecipeStage(
        10,
        "results",
        "RESULTS.md, and a page to hear and see",
        "score files",
        "`exp/RESULTS.md`, `exp/report.html`",
    ),
    RecipeStage(
        11,
        "pack",
        "one folder for `translate`; only when asked for",
        "all models, score files",
        "one folder that `translate` loads",
    ),
)

COMMANDS = (
    Command("data", "data", "stages.data", "corpus as distributed -> data/"),
    Command("own", "data", "stages.tsv_corpus", "one TSV of one's own -> data/"),
    Command("import_data", "data", "interop.import_data", "Kaldi or ESPnet -> data/"),
    Command("subset", "data", "stages.subset", "a fixed part of a split, as test1k"),
    Command("encoder", "encoder", "stages.encoder", "train the speech encoder (CTC)"),
    Command("align", "align", "stages.align", "word times by CTC segmentation"),
    Command(
        "import_alignments",
        "align",
        "interop.import_alignments",
        "word times of TextGrid, CTM, Whisper",
    ),
    Command("kmeans", "units", "stages.kmeans", "one codebook for all languages"),
    Command("units", "units", "stages.units", "speech -> discrete units"),
    Command(
        "import_units",
        "units",
        "interop.import_units",
        "units of text.km, fairseq's .km, ark and scp",
    ),
    Command("dump", "dump", "stages.dump", "units and words, free of any text ratio"),
    Command("train", "train", "stages.train", "scheduled interleaved fine-tuning"),
    Command("decode", "decode", "stages.decode", "answers of the LLM: text and units"),
    Command("vocoder", "vocode", "stages.vocoder", "train the unit vocoder"),
    Command("vocode", "vocode", "stages.vocode", "units -> speech"),
    Command("recognise", "score", "stages.recognise", "a share of what is scored"),
    Command(
        "score", "score", "stages.score", "scores of speech and texts, as the task asks"
    ),
    Command("topline", "score", "stages.topline", "the scores no system can pass"),
    Command(
        "compare",
        "score",
        "stages.compare",
        "paired test of systems: compare DIR DIR ...",
    ),
    Command("results", "results", "stages.results", "RESULTS.md"),
    Command(
        "report",
        "results",
        "report.command",
        "a page to hear and see a recipe's systems",
    ),
    Command("pack", "pack", "pack.command", "one folder with all for translation"),
    Command("translate", "", "pack.translate", "recordings, with a packed model"),
    Command("serve", "", "serve.command", "a page and an API for packed models"),
    Command("push", "", "pack.push", "a packed folder -> the Hugging Face hub"),
    Command("export_data", "", "interop.export_data", "data/ -> a Kaldi directory"),
    Command(
        "export_tensorboard", "", "interop.export_tensorboard", "curves, and audio"
    ),
    Command("export_units", "", "interop.export_units", "units -> text.km"),
    Command(
        "export_textgrids", "", "interop.export_textgrids", "word times -> TextGrids"
    ),
    Command("show", "", "show.command", "an utterance as the LLM reads it at a step"),
    Command("preflight", "", "stages.preflight", "try all that later stages need"),
    Command("plan", "", "plan.command", "tokens, memory, hours, disk of a training"),
    Command("status", "", "status.command", "what is done, runs, is stale and why"),
    Command("audit", "", "audit.command", "nothing lost: counts, files, inputs, ids"),
    Command("validate", "", "data.validate", "check a data directory"),
    Command("launch", "", "launch.command", "run JOB=1:N of a command, a log each"),
)
MODULES = {command.name: command.module for command in COMMANDS}


def stage_number(command: str) -> int | None:
    """The number of the stage that a command belongs to; None if it belongs to none."""
    names = {known.name: known.stage for known in COMMANDS}
    numbers = {stage.name: stage.number for stage in STAGES}
    return numbers.get(names.get(command, ""))


def maker(path: Path, command: str) -> str:
    """Which stage makes a folder that is not there, and what to type.

    A path such as ../fr_en/data/train is of another pair's recipe, whose run.sh makes it.
    """
    number = stage_number(command)
    recipe = Path(*path.parts[:2])
    is_other = path.parts[:1] == ("..",) and (recipe / "run.sh").is_file()
    folder = recipe if is_other else "."
    # What a quick run of the mini recipe makes lies below `quick`.
    is_quick = path.parts[2 if is_other else 0 :][:1] == ("quick",)
    quick = " --quick true" if is_quick else ""
    return (
        f"it is made by stage {number} ({command}): "
        f"{folder}/run.sh --stage {number} --stop_stage {number}{quick}"
    )


def usage() -> str:
    """The commands, a line each, with the numbers of their stages."""
    width = max(len(command.name) for command in COMMANDS)
    return "\n".join(
        f"  {command.name:<{width}} {stage_number(command.name) or '-':>2}  {command.about}"
        for command in COMMANDS
    )


def listing() -> str:
    """The stages, a line each, for `--help` of a recipe."""
    return "\n".join(f"  {s.number:>2} {s.name:<8} {s.about}" for s in STAGES)


def markdown() -> str:
    """The README's table of the stages."""
    lines = ["| n | name | reads | writes |", "|---|---|---|---|"]
    lines += [f"| {s.number} | {s.name} | {s.reads} | {s.writes} |" for s in STAGES]
    return "\n".join(lines)


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--from", dest="first", type=int)
    parser.add_argument("--to", dest="last", type=int, default=STAGES[-1].number)
    chosen = parser.parse_args(words)
    if chosen.first is not None:
        numbers = range(chosen.first, chosen.last + 1)
        print("\n".join(s.script for s in STAGES if s.number in numbers))
    else:
        print(markdown() if chosen.markdown else listing())
    return 0


if __name__ == "__main__":
    sys.exit(script("stage_list", partial(main, sys.argv[1:])))
