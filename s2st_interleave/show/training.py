"""The training whose draws `show` repeats: its options, its data, and its LLM's tokenizer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from s2st_interleave import blocks, config, recipe_paths, yaml_text
from s2st_interleave.blocks import leaves
from s2st_interleave.data import sides
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json_lines
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.length import num_tokens
from s2st_interleave.interleave.task import prompt
from s2st_interleave.interleave.utterance import UnitVocabulary, Utterance
from s2st_interleave.llm.model import SpeechLlm
from s2st_interleave.llm.options import VOCABULARY_FILE
from s2st_interleave.promises import CHECKPOINT
from s2st_interleave.show.drawn import picture
from s2st_interleave.show.picture import Course, Picture
from s2st_interleave.show.stops import points
from s2st_interleave.stages.train_options import Options
from s2st_interleave.train.examples import draft


@dataclass(frozen=True)
class Training:
    """A training, finished or not; `name` is for people, such as exp/scheduled."""

    name: str
    options: Options
    interleaving: Interleaving
    llm: SpeechLlm

    def course(self, read_at: Sequence[int]) -> Course:
        """The schedule as a picture shows it."""
        num_steps = self.options.max_steps
        curve = points(self.interleaving, num_steps)
        return Course(self.name, curve, num_steps, tuple(read_at))

    def draw(
        self,
        utterance: Utterance,
        step: int,
        unit_sec: float,
        languages: Mapping[str, str],
        course: Course,
    ) -> Picture:
        """The picture of what this training draws of an utterance at a step."""
        llm, ratios = self.llm, self.interleaving.ratios(step)
        drawn = draft(utterance, ratios, step, self.interleaving, llm.vocabulary)
        encoded = llm.encode_all(drawn.texts())
        name = prompt(drawn.task, utterance.pair)
        return picture(
            utterance,
            step,
            ratios,
            drawn,
            drawn.example(encoded, llm.vocabulary).example,
            encoded,
            vocabulary=llm.vocabulary,
            unit_sec=unit_sec,
            languages=languages,
            is_uniform=self.interleaving.alignment == "uniform",
            num_tokens_at_0=num_tokens(utterance, llm.encode, drawn.task.layout, name),
            course=course,
        )


def read_options(train_dir: Path) -> Options:
    """The options of a training that has begun, from its config.yaml.

    Relative paths are those of its recipe. Options that only another version had are left
    out. Raises FileNotFoundError where no training has begun.
    """
    path = train_dir / "config.yaml"
    if not path.is_file():
        others = sorted(p.parent for p in train_dir.parent.glob("*/config.yaml"))
        known = f"; there is {' '.join(map(str, others))}" if others else ""
        raise FileNotFoundError(
            f"{path} is missing{known}: name a training with --train_dir, or its options "
            "with --train_config, --llm and --dump_dir; ./run.sh --stage 6 --stop_stage 6 "
            "trains"
        )
    content = config.mapping(yaml_text.read(path), str(path))
    void = config.mapping(
        content.pop(config.NO_EFFECT, None), f"{path}: without_effect"
    )
    written = Options.earlier(blocks.flat(void) | blocks.flat(content))
    values = {
        name: _at_home(config.value_of(Options, name, value, source=str(path)), path)
        for name, value in written.items()
        if name in leaves(Options)
    }
    return _built(values, str(path))


def _at_home(value: Any, config_file: Path) -> Any:
    if isinstance(value, tuple):
        return tuple(_at_home(each, config_file) for each in value)
    is_path = isinstance(value, Path)
    return recipe_paths.resolve(value, config_file) if is_path else value


def combine_options(files: Sequence[Path], llm: Path, dump_dir: Path) -> Options:
    """The options of a training that nobody has begun, from YAML files; the later wins."""
    values: dict[str, Any] = {}
    for path in files:
        values |= config.load_yaml(path, Options)
    values |= {
        "llm": llm,
        "train_dir": (dump_dir,),
        "dev_dir": (dump_dir,),
        "out_dir": Path(),
    }
    return _built(values, " ".join(map(str, files)))


def _built(values: Mapping[str, Any], source: str) -> Options:
    if missing := blocks.missing(Options, values):
        raise UserError(f"{source}: no {', '.join(missing)} in it; was it edited?")
    return blocks.build(Options, values)


def read_llm(options: Options, train_dir: Path | None, num_units: int) -> SpeechLlm:
    """The tokenizer and the vocabulary of a training's LLM, without its weights.

    They are those of a checkpoint if there is one, else of the LLM that it starts from.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from s2st_interleave.hub import unloaded
    from s2st_interleave.llm import model
    from s2st_interleave.llm.unit_rows import known_vocabulary, new_vocabulary

    saved = (
        sorted(train_dir.glob(f"{CHECKPOINT}*/{VOCABULARY_FILE}")) if train_dir else []
    )
    source = saved[0].parent if saved else options.llm
    reader = model.reader(source)
    vocabulary = known_vocabulary(source, num_units)
    if vocabulary is None:
        with torch.device("meta"):  # shapes alone
            shell = unloaded(AutoModelForCausalLM, model.load_config(source), source)
        vocabulary = new_vocabulary(source, shell, reader.tokenizer, num_units)
    return replace(reader, vocabulary=vocabulary)


def open_training(
    options: Options, name: str, train_dir: Path | None, units: UnitVocabulary
) -> Training:
    """A training by its options; `units` are those of the dump that is to be drawn.

    Where a gate lets its text ratio fall, the steps are those that it has logged.
    """
    llm = read_llm(options, train_dir, units.num_units)
    interleaving, gate = options.interleaving(), options.gate()
    logged = train_dir / "metrics.jsonl" if train_dir else None
    if gate and logged and logged.is_file():
        falls = (fall for line in read_json_lines(logged) for fall in gate.fall(line))
        interleaving = replace(interleaving, falls=tuple(falls))
    return Training(name, options, interleaving, llm)


def languages_of(dump_dir: Path) -> dict[str, str]:
    """Languages by side; none where the dump does not say them."""
    try:
        return sides.read(dump_dir)
    except (UserError, FileNotFoundError):
        return {}
