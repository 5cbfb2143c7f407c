"""Interleaved batches: tokens a second on one core, drawn by batches and one by one."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.made_speech import utterances
from benchmarks.measure import Row, side_by_side
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.model import SpeechLlm
from s2st_interleave.llm.unit_tokens import add_unit_tokens
from s2st_interleave.train.examples import draw_examples

ROOT = Path(__file__).parents[2]
FETCH = ROOT / "tools" / "fetch_llama3_tokenizer.py"
PLACE = "S2ST_LLAMA3_TOKENIZER"  # names a folder that has the tokenizer
NUM_UTTERANCES, BATCH = 512, 64
AIMS = {0.9: "0.5 M", 0.5: "1 M", 0.1: "2 M", 0.0: "5 M"}


def rows() -> Iterator[Row]:
    sys.path.insert(0, str(ROOT / "tests"))  # where the plain way is kept
    import plain_draws

    llm, name = _llm()
    drawer = plain_draws.Drawer(llm)
    interleaving = Interleaving(Schedule("step", 0.9))
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = dump.UnitVocabulary(2000, 0.04)
        dump.write(Path(folder), utterances(NUM_UTTERANCES), vocabulary)
        opened = dump.Dump(Path(folder))
        for ratio, aim in AIMS.items():

            def ours(ratio: float = ratio) -> int:
                num_tokens = 0
                for start in range(0, NUM_UTTERANCES, BATCH):
                    batch = [opened[start + k] for k in range(BATCH)]
                    drawn = draw_examples(batch, ratio, 0, interleaving, llm)
                    num_tokens += sum(len(each.example.ids) for each in drawn)
                return num_tokens

            def plain(ratio: float = ratio) -> None:
                for each in opened:
                    drawer.draw(each, ratio, 0, interleaving)

            num_tokens = ours()
            yield side_by_side(
                f"interleaved batches, p = {ratio:g}, {num_tokens / NUM_UTTERANCES:.0f} "
                f"tokens an utterance, {name}",
                "an utterance and a text at a time",
                ours,
                plain,
                amount=num_tokens,
                unit="tokens/s",
                aim=aim,
            )


def _llm() -> tuple[SpeechLlm, str]:
    """An LLM without weights, and the name of its tokenizer."""
    from transformers import AutoTokenizer, PreTrainedConfig

    folder = _llama_3()
    name = "Llama 3's tokenizer"
    with tempfile.TemporaryDirectory() as made:
        if folder is None:
            import tiny_parts

            folder, name = Path(made), "a tiny tokenizer"
            tiny_parts.write_text_llm(folder)
        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    vocabulary = Vocabulary(
        len(tokenizer), 2000, tokenizer.bos_token_id, tokenizer.eos_token_id
    )
    add_unit_tokens(tokenizer, vocabulary)
    shell: Any = SimpleNamespace(config=PreTrainedConfig())
    return SpeechLlm(shell, tokenizer, vocabulary), name


def _llama_3() -> Path | None:
    """A folder with Llama 3's tokenizer, fetched by hash if need be; None without network."""
    folder = Path(os.environ.get(PLACE) or ROOT / "downloads" / "llama3-tokenizer")
    if not (folder / "tokenizer.json").is_file():
        command = [sys.executable, str(FETCH), "--out", str(folder)]
        if not FETCH.is_file() or subprocess.run(command, check=False).returncode:
            print(f"draws: no Llama 3 tokenizer: name its folder in {PLACE}")
            return None
    return folder
