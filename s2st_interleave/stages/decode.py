"""Stage 7: the LLM answers about each utterance of a split; outputs by utterance id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.decode import looping, outputs
from s2st_interleave.effects import Void, void_names
from s2st_interleave.facts import DecodeFacts, TrainFacts
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.task import prompt
from s2st_interleave.llm.options import Attention
from s2st_interleave.precision import Dtype, use_bf16
from s2st_interleave.progress import progress
from s2st_interleave.shards import ShardOptions, run_shards
from s2st_interleave.stage_dir import Input, open_stage, read_done
from s2st_interleave.stages import part_of
from s2st_interleave.stages.dumps import check_sides, codebook, pair_prompt
from s2st_interleave.stages.train import trained_task

if TYPE_CHECKING:
    from s2st_interleave.decode.vllm_engine import Vllm
    from s2st_interleave.llm.model import SpeechLlm
    from s2st_interleave.llm.unit_heads import UnitHeads

BATCHES = (
    4  # of a part: while the last answers of a part are written, the batch empties
)


@dataclass(frozen=True, kw_only=True)
class Options(ShardOptions):
    train_dir: Path = option(REQUIRED, "exp/<tag> of stage 6")
    checkpoint: Literal["last", "best"] = option("last", "or the best on dev")
    dump_dir: Path = option(REQUIRED, "dump/interleave/<split>")
    task: str = option("", "which of several tasks that were trained", new=True)
    out_dir: Path = option(REQUIRED, "exp/<tag>/<decode_tag>/<split> to write")
    part_of: Path | None = option(
        None,
        "decode of a larger split: its answers are copied where it has been asked the same",
        runtime=True,
    )
    same_as: Path | None = option(
        None,
        "decode of this split by another checkpoint: copied if they are one and the same",
        runtime=True,
    )
    engine: Literal["transformers", "vllm"] = option(
        "transformers",
        "what writes the answers; vllm is a package to install",
        new=True,
    )
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
    batch_size: int = option(32, "answers that are written at once", minimum=1)
    draft_units: bool = option(
        False,
        "guess units ahead by the heads of --unit_heads of stage 6, and keep those that "
        "the LLM would have written: fewer steps, the same answers",
        new=True,
    )
    dtype: Dtype = option("auto", "of the weights; auto: bf16 on a GPU that has it")
    attention: Attention = option("auto", "backend; auto: the model's own")

    def voids(self) -> list[Void]:
        if self.engine != "transformers":
            names = ("num_beams", "attention", "draft_units")
            return [Void("engine", "transformers", names)]
        if self.num_beams > 1:
            return [Void("num_beams", "1", ("draft_units",))]
        return []


def run(options: Options) -> None:
    # 1. Is there anything to do?
    inputs = {
        "train": Input(options.train_dir, "train"),
        "dump": Input(options.dump_dir, "dump"),
    }
    stage = open_stage(
        options.out_dir,
        stage="decode",
        options=options,
        inputs=inputs | part_of.earlier_input(options.out_dir),
        overwrite=options.overwrite,
    )
    if stage is None:
        return

    # 2. Copy the answers that another decode has, or write them, in parts of similar length.
    layout = trained_task(options.train_dir, options.task).layout
    dump = Dump(options.dump_dir)
    check_sides(layout, dump, [options.dump_dir])
    kmeans = codebook([options.dump_dir], options.train_dir)
    questions = part_of.questions(dump, layout)
    writer = _Writer(options, questions, dump.vocabulary.num_units)
    answers: dict[str, outputs.Answer] = {}
    earlier_sec = 0.0
    other = part_of.answered(options)
    if other is not None:
        print(f"decode: {options.out_dir}: its answers are those of {other}")
        known = outputs.read_answers(other, layout)
        answers = {name: known[name] for name in writer.questions}
    else:
        shards = run_shards(
            writer.order,
            options.out_dir / "shards",
            options.shard,
            writer.write,
            smallest=max(500, BATCHES * options.batch_size),
        )
        for path in shards.paths if shards else ():
            answers |= outputs.read_part(path)
        earlier_sec = shards.earlier_sec if shards else 0.0
    # The job that opens the directory writes what is only copied.
    if options.shard and not (other and options.shard.startswith("0/")):
        return

    # 3. Every utterance gets a line; those that are too long for the LLM an empty one.
    answers |= dict.fromkeys(dump.too_long, outputs.empty_answer(layout))
    without_units = sorted(
        k for k, v in answers.items() if not all(map(len, v.units.values()))
    )
    if without_units:
        print(
            f"decode: {options.out_dir.name}: {len(without_units)} of {len(answers)} have "
            f"no units, {len(dump.too_long)} of them too long for the LLM, first "
            f"{without_units[0]}"
        )
    num_cut = _report_cut(answers, layout, options.out_dir)
    if doubt := looping.doubt(answers):
        print(f"decode: warning: {options.out_dir}: {doubt}", flush=True)
    outputs.write_answers(options.out_dir, answers, layout)
    stage.finish(
        num_in=len(answers),
        num_out=len(answers),
        facts=DecodeFacts(
            checkpoint=writer.checkpoint,
            layout=str(layout),
            num_without_units=len(without_units),
            num_too_long=len(dump.too_long),
            num_cut=num_cut,
            kmeans=kmeans,
        ),
        earlier_sec=earlier_sec,
        copied_from=str(other) if other else "",
    )


def _report_cut(
    answers: Mapping[str, outputs.Answer], layout: Layout, out_dir: Path
) -> dict[str, int]:
    """Say how many blocks of answers ended at their limit; their numbers by block."""
    hears = any(block.kind == "speech" for block in layout.given)
    limit = {
        "text": "--max_text_tokens",
        "speech": "--max_unit_ratio" if hears else "--max_units_per_token",
    }
    num_cut = {}
    for block in layout.wanted:
        ids = sorted(name for name, each in answers.items() if block.name in each.cut)
        if ids:
            num_cut[block.name] = len(ids)
            print(
                f"decode: warning: {out_dir}: {len(ids)} of {len(answers)} {block.name} "
                f"ended at their limit ({limit[block.kind]}), first {ids[0]}",
                flush=True,
            )
    return num_cut


class _Writer:
    """The LLM of the asked-for checkpoint, loaded when the first part asks for it."""

    def __init__(
        self,
        options: Options,
        questions: Mapping[str, part_of.Given],
        num_units: int,
    ):
        self.options, self.questions, self.num_units = options, questions, num_units

    @cached_property
    def order(self) -> list[str]:
        """Ids of the utterances by how much is given; the ids themselves settle ties."""
        sizes = {k: sum(map(len, v.values())) for k, v in self.questions.items()}
        return sorted(sizes, key=lambda name: (sizes[name], name))

    @cached_property
    def checkpoint(self) -> str:
        """The name of its folder."""
        facts = TrainFacts.read(self.options.train_dir)
        return facts.checkpoint(self.options.checkpoint)

    @cached_property
    def models(self) -> "tuple[SpeechLlm, Vllm | None]":
        """The LLM; where another engine has the weights it only encodes and decodes."""
        from s2st_interleave.device import resolve_device, set_threads
        from s2st_interleave.llm import model
        from s2st_interleave.llm.unit_rows import known_vocabulary
        from s2st_interleave.train import checkpoint

        options = self.options
        set_threads(options.num_threads)
        device = resolve_device(options.device)
        bf16 = use_bf16(options.dtype, device)
        weights = checkpoint.of(options.train_dir, self.checkpoint)
        known_vocabulary(weights, self.num_units)
        if options.engine == "vllm":
            from s2st_interleave.decode.vllm_engine import Vllm

            engine = Vllm(weights, bf16=bf16, num_answers=options.batch_size)
            return model.reader(weights), engine
        # `auto` is the model's own: FlashAttention 2 would unpad the whole cache in every
        # layer at every token.
        backend = None
        if options.attention != "auto":
            backend = model.attention_backend(options.attention, device, bf16)
        llm = model.SpeechLlm.load(weights, device, attention=backend, bf16=bf16)
        return llm, None

    @cached_property
    def heads(self) -> "UnitHeads | None":
        """The heads that guess units ahead; None without --draft_units."""
        if not self.options.draft_units or "draft_units" in void_names(self.options):
            return None
        from s2st_interleave.llm import unit_heads
        from s2st_interleave.train import checkpoint

        llm, _ = self.models
        weights = checkpoint.of(self.options.train_dir, self.checkpoint)
        return unit_heads.load(weights, llm.model.dtype, llm.model.device)

    def write(self, ids: Sequence[str], path: Path) -> None:
        """Write the answers about some utterances into one file."""
        from s2st_interleave.decode.drafts import Drafts
        from s2st_interleave.decode.generate import Limits, answer_all

        options, (llm, engine) = self.options, self.models
        drafts = Drafts(llm, self.heads) if self.heads else None
        task = trained_task(options.train_dir, options.task)
        names_pair = read_done(options.train_dir, "train")["options"].get("name_pair")
        answers = answer_all(
            {name: self.questions[name] for name in ids},
            llm,
            task.layout,
            prompt=prompt(task, pair_prompt(options.dump_dir) if names_pair else ""),
            limits=Limits(
                options.max_text_tokens,
                options.max_unit_ratio,
                options.max_units_per_token,
                num_beams=options.num_beams,
            ),
            batch_size=options.batch_size,
            engine=engine,
            drafts=drafts,
            progress=partial(progress, desc=path.name),
        )
        if drafts:
            print(f"decode: {path.name}: {drafts}", flush=True)
        outputs.write_part(path, {name: answers[name] for name in ids})
