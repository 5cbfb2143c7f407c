"""Stage 7: the LLM answers about each utterance of a split; outputs by utterance id."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from s2st_interleave.config import REQUIRED, RunOptions, option
from s2st_interleave.decode import outputs
from s2st_interleave.facts import DecodeFacts, TrainFacts
from s2st_interleave.interleave.dump import Dump, Utterance
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.task import prompt
from s2st_interleave.llm.options import Attention
from s2st_interleave.precision import Dtype, use_bf16
from s2st_interleave.progress import progress
from s2st_interleave.stage_dir import Input, open_stage, read_done
from s2st_interleave.stages.dumps import pair_prompt
from s2st_interleave.stages.train import trained_task


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    train_dir: Path = option(REQUIRED, "exp/<tag> of stage 6")
    checkpoint: Literal["last", "best"] = option("last", "or the best on dev")
    dump_dir: Path = option(REQUIRED, "dump/interleave/<split>")
    task: str = option("", "which of several tasks that were trained", new=True)
    out_dir: Path = option(REQUIRED, "exp/<tag>/<decode_tag>/<split> to write")
    num_beams: int = option(1, "1: greedy", minimum=1)
    max_text_tokens: int = option(100, "limit of transcript and translation", minimum=1)
    max_unit_ratio: float = option(
        3.0, "limit of target units per source unit", above=0
    )
    max_units_per_token: float = option(
        40.0,
        "limit of target units per token, where no speech is given",
        new=True,
        above=0,
    )
    batch_size: int = option(32, "utterances at once", minimum=1)
    dtype: Dtype = option("auto", "of products; auto: bf16 on a GPU that has it")
    attention: Attention = option("auto", "backend; auto: the best that is installed")


def run(options: Options) -> None:
    stage = open_stage(
        options.out_dir,
        stage="decode",
        options=options,
        inputs={
            "train": Input(options.train_dir, "train"),
            "dump": Input(options.dump_dir, "dump"),
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    from s2st_interleave.decode.generate import Limits, answer_all, empty_answer
    from s2st_interleave.device import resolve_device, set_threads
    from s2st_interleave.llm.model import SpeechLlm, attention_backend
    from s2st_interleave.train import checkpoint

    # 1. The model of the asked-for checkpoint.
    set_threads(options.num_threads)
    trained = read_done(options.train_dir, "train")
    name = TrainFacts.of(trained, options.train_dir).checkpoint(options.checkpoint)
    device = resolve_device(options.device)
    bf16 = use_bf16(options.dtype, device)
    backend = attention_backend(options.attention, device, bf16)
    weights = checkpoint.of(options.train_dir, name)
    llm = SpeechLlm.load(weights, device, attention=backend, bf16=bf16)

    # 2. Answer.
    task = trained_task(options.train_dir, options.task)
    names_pair = trained["options"].get("name_pair")
    pair = pair_prompt(options.dump_dir) if names_pair else ""
    dump = Dump(options.dump_dir)
    questions = {
        utterance.id: given(utterance, task.layout)
        for utterance in (dump[index] for index in range(len(dump)))
    }
    answers = answer_all(
        questions,
        llm,
        task.layout,
        prompt=prompt(task, pair),
        limits=Limits(
            options.max_text_tokens,
            options.max_unit_ratio,
            options.max_units_per_token,
            num_beams=options.num_beams,
        ),
        batch_size=options.batch_size,
        progress=partial(progress, desc=f"decode {options.out_dir.name}"),
    )

    # 3. Every utterance gets a line; those that are too long for the LLM an empty one.
    answers |= dict.fromkeys(dump.too_long, empty_answer(task.layout))
    without_units = sorted(
        k for k, v in answers.items() if not all(map(len, v.units.values()))
    )
    if without_units:
        print(
            f"decode: {options.out_dir.name}: {len(without_units)} of {len(answers)} have "
            f"no units, {len(dump.too_long)} of them too long for the LLM, first "
            f"{without_units[0]}"
        )
    outputs.write_answers(options.out_dir, answers, task.layout)
    stage.finish(
        num_in=len(answers),
        num_out=len(answers),
        facts=DecodeFacts(
            checkpoint=name,
            layout=str(task.layout),
            num_without_units=len(without_units),
            num_too_long=len(dump.too_long),
        ),
    )


def given(utterance: Utterance, layout: Layout) -> dict[str, np.ndarray | str]:
    """The given blocks of an utterance: int32 units of speech, or a text, by block name."""
    sides = utterance.sides
    return {
        block.name: sides[block.side].text
        if block.kind == "text"
        else sides[block.side].units
        for block in layout.given
    }
