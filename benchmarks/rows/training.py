"""Stage 6's steps beside those of Hugging Face's Trainer, on the same examples.

Two Llamas with random weights, fp32: that of the mini recipes, and a small one with 128,256
rows of text as Llama 3 has. Memory is the most that a training takes beyond what is there
before it, without the weights.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.measure import Row, figure, side_by_side
from s2st_interleave import keyed
from s2st_interleave.interleave.dump import Dump, UnitVocabulary, Utterance, write
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.layout import DIRECT, Layout
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.interleave.segments import Side, uniform_spans
from s2st_interleave.interleave.sequence import IGNORE
from s2st_interleave.interleave.task import Task
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.model import SpeechLlm
from s2st_interleave.train.adamw import AdamWLearner
from s2st_interleave.train.engine import compile_model
from s2st_interleave.train.interleaved import InterleavedTask
from s2st_interleave.train.options import AdamWOptions

NUM_UNITS = 100


@dataclass(frozen=True)
class Case:
    """A Llama, a batch, and the options of stage 6 that suit it."""

    name: str
    rows: int  # of text
    width: int
    num_layers: int
    batch_size: int
    num_steps: int
    accum_grad: int
    options: dict[str, Any]
    aims: tuple[str, str]


# The mini recipe's own options; for the other those of egs/cvss, on a smaller scale.
MINI = Case("mini Llama", 650, 192, 4, 12, 10, 2, {}, ("1.3", ""))
FAST = Case(
    "mini Llama, batches by budget",
    *(650, 192, 4, 12, 10, 2),
    {"batch_tokens": 3000},
    ("1.3", ""),
)
SMALL = Case(
    "small Llama, 128k rows",
    *(128_256, 256, 4, 8, 2, 2),
    {"batch_tokens": 1500, "logits_at_once": 256},
    ("2.5", "2"),
)


def rows() -> Iterator[Row]:
    for case in (MINI, FAST, SMALL):
        with tempfile.TemporaryDirectory() as folder:
            yield from _rows(case, Path(folder))
    for case in (MINI, FAST, SMALL):  # after what compiling keeps in memory
        with tempfile.TemporaryDirectory() as folder:
            yield _compiled(case, Path(folder))


def _compiled(case: Case, folder: Path) -> Row:
    """Steps of a compiled LLM beside those of the plain one; compiling is not counted."""
    data = _data(folder, case.batch_size * case.num_steps)
    tasks = [_task(case, data) for _ in range(2)]
    compile_model(tasks[0].llm.backbone, "ddp")
    learners = [_learner(case, task) for task in tasks]
    works = [partial(_steps, case, learner) for learner in learners]
    what = f"training, {case.name}, compiled"
    return side_by_side(what, "plain", *works, repeats=3)


def _rows(case: Case, folder: Path) -> Iterator[Row]:
    data = _data(folder, case.batch_size * case.num_steps)
    ours, theirs = _ours(case, data), _trainer(case, data, folder)
    lengths = [len(each.example.ids) for each in _task(case, data).examples()]
    tokens = sum(lengths)
    yield side_by_side(
        f"training, {case.name}",
        "Hugging Face Trainer",
        ours,
        theirs,
        amount=tokens,
        unit="tokens/s",
        repeats=3,
        aim=case.aims[0],
    )
    mine, others = (_peak(work) / 1e6 for work in (ours, theirs))
    what, against = f"memory of training, {case.name}", "Hugging Face Trainer"
    yield figure(what, against, mine, others, "MB", case.aims[1])
    weights = sum(p.numel() for p in _model(case).parameters())
    yield figure(
        f"6N FLOPs of training, {case.name}",
        "sgemm of 1024 x 1024",
        _sgemm() / 1e9,
        6 * weights * tokens / _cpu_seconds(ours) / 1e9,
        "GFLOP/s",
        "0.7",
    )


class _Timed(InterleavedTask):
    def examples(self) -> Sequence[Any]:
        count = len(self.train) // self.batch_size
        return [e for step in range(count) for e in self.batches(step)[0].step_examples]


def _ours(case: Case, data: Dump) -> Callable[[], None]:
    return lambda: _steps(case, _learner(case, _task(case, data)))


def _learner(case: Case, task: InterleavedTask) -> AdamWLearner:
    kernel = "true" if case.options else "auto"
    learner = AdamWLearner(task, AdamWOptions(fused_adamw=kernel))
    learner.start("ddp")
    learner.model.train()
    return learner


def _steps(case: Case, learner: AdamWLearner) -> None:
    for step in range(case.num_steps):
        learner.step(step, 1e-4)


def _trainer(case: Case, data: Dump, folder: Path) -> Callable[[], None]:
    """The Trainer with its defaults, and a collator that pads to the longest."""
    from transformers import PrinterCallback, Trainer, TrainingArguments

    examples = [
        {"ids": np.array(e.example.ids), "labels": np.array(e.example.labels)}
        for e in _task(case, data).examples()
    ]
    arguments = TrainingArguments(
        output_dir=str(folder / "trainer"),
        per_device_train_batch_size=case.batch_size // case.accum_grad,
        gradient_accumulation_steps=case.accum_grad,
        max_steps=case.num_steps,
        learning_rate=1e-4,
        lr_scheduler_type="constant",
        remove_unused_columns=False,
        use_cpu=True,
        disable_tqdm=True,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
    )

    def collate(batch: Sequence[dict[str, np.ndarray]]) -> dict[str, torch.Tensor]:
        shape = (len(batch), max(len(each["ids"]) for each in batch))
        ids, labels = np.zeros(shape, np.int64), np.full(shape, IGNORE)
        mask = np.zeros(shape, np.int64)
        for row, each in enumerate(batch):
            length = len(each["ids"])
            ids[row, :length], labels[row, :length] = each["ids"], each["labels"]
            mask[row, :length] = 1
        arrays = {"input_ids": ids, "labels": labels, "attention_mask": mask}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def work() -> None:
        trainer = Trainer(
            _model(case), arguments, train_dataset=examples, data_collator=collate
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()

    return work


def _task(case: Case, data: Dump) -> _Timed:
    vocabulary = Vocabulary(case.rows, NUM_UNITS, 0, 1)
    llm = SpeechLlm(_model(case), _tokenizer(), vocabulary)
    layout = Task(Layout.parse(DIRECT))  # without texts: no tokenizer is measured here
    interleaving = Interleaving(Schedule("constant", 0.0), tasks=(layout,))
    return _Timed(
        llm, data, data, interleaving, case.batch_size, case.accum_grad, "cpu",
        **case.options,
    )  # fmt: skip


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    bpe = Tokenizer(models.BPE({name: k for k, name in enumerate(names)}, []))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=names[0], eos_token=names[1]
    )


def _model(case: Case) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=Vocabulary(case.rows, NUM_UNITS, 0, 1).size,
            hidden_size=case.width,
            intermediate_size=case.width * 8 // 3 // 8 * 8,
            num_hidden_layers=case.num_layers,
            num_attention_heads=4,
            num_key_value_heads=2,
            tie_word_embeddings=True,
            attention_dropout=0.0,
        )
    )


def _data(folder: Path, count: int) -> Dump:
    """Utterances of 1 to 5 s and their translations, at 25 units a second."""
    utterances = []
    for number in range(count):
        rng = keyed.generator("training", number)
        sides = {}
        for name in ("src", "tgt"):
            units = rng.integers(NUM_UNITS, size=int(25 * rng.uniform(1, 5)))
            words = ("la",) * max(1, len(units) // 10)
            spans = uniform_spans(len(words), len(units))
            sides[name] = Side(units=units.astype(np.int32), words=words, spans=spans)
        utterances.append(Utterance(f"u{number:04d}", sides))
    write(folder, utterances, UnitVocabulary(NUM_UNITS, 0.04))
    return Dump(folder)


def _peak(work: Callable[[], None]) -> float:
    """Bytes of the process at its most, beyond those before (Linux)."""
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    work()
    return _status("VmHWM") - before


def _status(name: str) -> int:
    text = Path("/proc/self/status").read_text()
    return int(text.partition(f"{name}:")[2].split()[0]) * 1024


def _sgemm() -> float:
    """FLOPs a second of a product of two matrices of 1024 x 1024: the best of ten."""
    a = torch.randn(1024, 1024)
    b = torch.randn(1024, 1024)
    return 2 * 1024**3 / min(_cpu_seconds(lambda: a @ b) for _ in range(10))


def _cpu_seconds(work: Callable[[], object]) -> float:
    """Seconds of this process, which others on the machine do not change."""
    started = time.process_time()
    work()
    return time.process_time() - started
