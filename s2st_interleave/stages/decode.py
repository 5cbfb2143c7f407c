"""Stage 7: translate the source units of a split; outputs by utterance id."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from s2st_interleave.artifact import Input, open_stage, read_done
from s2st_interleave.config import REQUIRED, RunOptions, option
from s2st_interleave.data.kaldi import write_table
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.progress import progress
from s2st_interleave.train.llm import Attention
from s2st_interleave.train.precision import Dtype, use_bf16
from s2st_interleave.units import store


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    train_dir: Path = option(REQUIRED, "exp/<tag> of stage 6")
    checkpoint: Literal["last", "best"] = option("last", "or the best on dev")
    dump_dir: Path = option(REQUIRED, "dump/interleave/<split>")
    out_dir: Path = option(REQUIRED, "exp/<tag>/<decode_tag>/<split> to write")
    num_beams: int = option(1, "1: greedy", minimum=1)
    max_text_tokens: int = option(100, "limit of transcript and translation", minimum=1)
    max_unit_ratio: float = option(
        3.0, "limit of target units per source unit", above=0
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
    from s2st_interleave.decode.generate import NOTHING, Limits, translate
    from s2st_interleave.stages.train import pair_prompt
    from s2st_interleave.train import checkpoint
    from s2st_interleave.train.llm import SpeechLlm, attention_backend
    from s2st_interleave.train.loop import resolve_device, set_threads

    # 1. The model of the asked-for checkpoint.
    set_threads(options.num_threads)
    trained = read_done(options.train_dir, "train")
    # By name: the experiment may have been moved since.
    name = Path(trained["facts"][options.checkpoint]).name
    device = resolve_device(options.device)
    bf16 = use_bf16(options.dtype, device)
    backend = attention_backend(options.attention, device, bf16)
    weights = checkpoint.of(options.train_dir, name)
    llm = SpeechLlm.load(weights, device, attention=backend, bf16=bf16)

    # 2. Translate.
    dump = Dump(options.dump_dir)
    sources = {one.id: one.src.units for one in dump}
    found = translate(
        sources,
        llm,
        cot=trained["options"]["cot"],
        pair=pair_prompt(options.dump_dir)
        if trained["options"].get("name_pair")
        else "",
        limits=Limits(
            options.max_text_tokens, options.max_unit_ratio, num_beams=options.num_beams
        ),
        batch_size=options.batch_size,
        progress=partial(progress, desc=f"decode {options.out_dir.name}"),
    )

    # 3. Every utterance has its line, also an empty one: nothing is said about what the
    # LLM has no positions for.
    found |= dict.fromkeys(dump.too_long, NOTHING)
    without_units = sorted(k for k, v in found.items() if not len(v.units))
    if without_units:
        print(
            f"decode: {options.out_dir.name}: {len(without_units)} of {len(found)} have no "
            f"units, {len(dump.too_long)} of them too long for the LLM, first "
            f"{without_units[0]}"
        )
    out = options.out_dir
    write_table(out / "transcript", {k: v.transcript for k, v in found.items()})
    write_table(out / "translation", {k: v.translation for k, v in found.items()})
    store.write_units(out / "units", {k: v.units for k, v in found.items()})
    stage.finish(
        num_in=len(found),
        num_out=len(found),
        checkpoint=name,
        num_without_units=len(without_units),
        num_too_long=len(dump.too_long),
    )
