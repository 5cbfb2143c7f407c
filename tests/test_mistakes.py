"""What a user does wrong, and the one line that says so: no traceback, no riddle."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from s2st_interleave import __main__ as command_line
from s2st_interleave.config import RunOptions
from s2st_interleave.data import kaldi, sides
from s2st_interleave.interleave import dump
from s2st_interleave.stage_dir import open_stage

TRAIN = (
    "train --llm llm --train_dir dump --dev_dir dump --device cpu --max_steps 1 "
    "--batch_size 4 --num_threads 1 --out_dir out"
)
ENCODER = (
    "encoder --encoder llm --train_dir data --dev_dir data --languages es "
    "--num_pieces 30 --device cpu --out_dir out"
)
WORLD = (
    "vocoder --backend world --data_dir data --dev_data_dir data --units_dir units "
    "--dev_units_dir units --out_dir out"
)
OWN = "own --split train --src_lang es --data_dir d --audio_dir a --tsv"
SCORE = (
    "score --data_dir data --train_dir data "
    "--decode_dir data --vocode_dir data --out_dir out"
)


@pytest.fixture
def folder(tmp_path, monkeypatch, text_llm, small_dump) -> Path:
    """An LLM, a dump and a data directory, all good, beside what is none."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(text_llm, "llm")
    stage = open_stage(Path("dump"), stage="dump", options=RunOptions(), inputs={})
    utterances = [small_dump[index] for index in range(len(small_dump))]
    dump.write(Path("dump"), utterances, small_dump.vocabulary)
    stage.finish(num_in=30, num_out=30)
    stage = open_stage(Path("data"), stage="data", options=RunOptions(), inputs={})
    data = kaldi.DataDir(Path("data"))
    noise = np.random.default_rng(1).normal(0, 0.1, 16000)
    soundfile.write("u0.wav", noise, 16000)
    rows = {"text": "la casa roja", "wav.scp": "u0.wav", "utt2dur": "1.000"}
    sides.write(data.path, {"src": "es", "tgt": "en"})
    for name, value in rows.items():
        for side in data.sides:
            kaldi.write_table(data.file(name, side), {"u0": value})
    kaldi.write_speakers(data, {"u0": "u0"})
    stage.finish(num_in=1, num_out=1)
    Path("empty").mkdir()
    Path("page.html").write_text("<html>404</html>")
    return tmp_path


def write(path: str, text: str = "<html>404</html>") -> None:
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(text)


def edit(path: str, old: str, new: str) -> None:
    write(path, Path(path).read_text().replace(old, new))


def nothing() -> None:
    pass


# What is done first, the command line, the exit status, what the line says.
MISTAKES: list[tuple[Callable[[], object], str, int, str]] = [
    (nothing, "trian", 2, "no command 'trian'; did you mean 'train'"),
    (nothing, "train --lrr 3", 2, "unknown option '--lrr'; did you mean 'lr'"),
    (nothing, "train --lr", 2, "--lr: expected one argument"),
    (nothing, f"{TRAIN} --lr fast", 2, "option 'lr' is 'fast', wants: a number"),
    (nothing, f"{TRAIN} --batch_size 0", 2, "'batch_size' is 0, wants: at least 1"),
    (nothing, f"{TRAIN} --eval_every -1", 2, "'eval_every' is -1, wants: at least 1"),
    (nothing, f"{TRAIN} --dtype fp16", 2, "wants: one of auto, fp32, bf16"),
    (nothing, f"{TRAIN} --device gpu", 2, "wants: auto, cpu, cuda, or cuda:1"),
    (nothing, f"{TRAIN} --text_ratio 0.95", 1, "0.95 is no multiple of its drop 0.1"),
    (nothing, f"{TRAIN} --attention flash_attention_2", 1, "wants the package flash"),
    (nothing, "plan --gpus H800", 2, "'gpus' is 'H800', wants: one of A100"),
    (nothing, "train --config no.yaml", 2, "no.yaml: no such config file"),
    (
        lambda: write("a.yaml", "lr: 1\nlr: 2\n"),
        "train --config a.yaml",
        2,
        "a.yaml:2:1: 'lr' occurs twice, first in line 1",
    ),
    (
        lambda: write("a.yaml", "lr: 1\n\tmax_steps: 2\n"),
        "train --config a.yaml",
        2,
        "a.yaml:2:1: found character '\\t' that cannot start any token",
    ),
    (nothing, f"{TRAIN} --train_dir no", 1, "no is missing; it is made by stage 5"),
    (nothing, f"{TRAIN} --llm no", 1, "no is missing"),
    (
        nothing,
        f"{TRAIN} --llm empty",
        1,
        "empty: no model of Hugging Face here, config",
    ),
    (
        lambda: edit("llm/config.json", '"llama"', '"lama"'),
        TRAIN,
        1,
        "llm: no Config here: The checkpoint you are trying to load has model type `lama`",
    ),
    (lambda: write("llm/config.json"), TRAIN, 1, "llm/config.json: not JSON"),
    (
        lambda: write("llm/model.safetensors"),
        TRAIN,
        1,
        "llm: its weights are broken, or of another model than its config.json",
    ),
    (
        lambda: edit("llm/config.json", '"hidden_size": 32', '"hidden_size": 64'),
        TRAIN,
        1,
        "llm: its weights are broken, or of another model than its config.json",
    ),
    (
        lambda: edit("llm/config.json", '_layers": 2', '_layers": 3'),
        TRAIN,
        1,
        "llm: 9 weights of LlamaForCausalLM are missing, first model.layers.2.",
    ),
    (
        lambda: [path.unlink() for path in Path("llm").glob("tokenizer*")],
        TRAIN,
        1,
        "llm: no Tokenizer here",
    ),
    (nothing, f"{ENCODER} --scratch true", 1, "llm: no FeatureExtractor here"),
    (nothing, f"{ENCODER} --languages fr", 1, "no side of data is fr"),
    (nothing, f"{ENCODER} --num_pieces 2", 1, "Raise --num_pieces, or leave out"),
    (
        lambda: write("dump/src.units.npy"),
        TRAIN,
        1,
        "dump is no longer whole: dump/src.units.npy is not what was written",
    ),
    (
        lambda: write("dump/ids.txt", "u\n"),
        TRAIN,
        1,
        "dump/ids.txt is not what was written",
    ),
    (
        lambda: write("dump/ids.txt", ""),
        TRAIN,
        1,
        "it is made by stage 5 (dump): ./run.sh --stage 5 --stop_stage 5",
    ),
    (
        lambda: write("dump/vocab.json", '{"version": 2, "unit_sec": 0.04}'),
        TRAIN,
        1,
        "dump/vocab.json is not what was written",
    ),
    (
        lambda: write("dump/stage.json", '{"stage": "dump"}'),
        TRAIN,
        1,
        "dump/stage.json: no '",
    ),
    (lambda: write("dump/stage.json", "[]"), TRAIN, 1, "stage.json: no JSON object"),
    (
        nothing,
        f"{WORLD} --hifigan.lambda_mel 3",
        2,
        "'hifigan.lambda_mel' has no effect with backend w",
    ),
    (nothing, f"{WORLD} --lambda_mel 3", 2, "it is 'hifigan.lambda_mel'"),
    (
        nothing,
        f"{WORLD} --backend hifigan --hifigan.kernel_size 6",
        2,
        "kernels are of odd sizes, not 6",
    ),
    (nothing, WORLD, 1, "units is missing; it is made by stage 4 (units)"),
    (nothing, f"{WORLD} --language es", 2, "it is --side, which names a role"),
    (nothing, f"{OWN} no.tsv", 1, "no.tsv is missing"),
    (
        nothing,
        f"{OWN} no.tsv --sides user=en",
        2,
        "'src_lang' has no effect with sides",
    ),
    (nothing, f"{SCORE} --mos utmos", 2, "--mos utmos wants --mos_weights"),
    (
        nothing,
        "import_alignments --data_dir data --src_alignments no "
        "--tgt_alignments no --src_format ctm --tgt_format ctm --out_dir out",
        1,
        "no is missing",
    ),
    (nothing, "translate --model empty", 1, "no recording to translate"),
    (nothing, "translate --model empty u0.wav", 1, "empty: no packed model here"),
    (nothing, "translate --model empty page.html", 1, "page.html: "),
    (nothing, "translate --model no u0.wav", 1, "no: no such folder, and no name of"),
    (nothing, "translate --model empty u0.wav --out x.txt", 1, "written as '.txt'"),
    (nothing, "translate --model empty data", 1, "data: no recording in this folder"),
    (
        nothing,
        "translate --model empty u0.wav --json",
        2,
        "--json: expected one argume",
    ),
    (nothing, "push --model empty --repo a/b", 1, "empty: no packed model here"),
]


@pytest.mark.parametrize(("prepare", "line", "status", "message"), MISTAKES)
@pytest.mark.usefixtures("folder")
def test_a_mistake_is_one_line(prepare, line, status, message, capfd):
    prepare()
    try:
        ended = command_line.main(line.split())
    except SystemExit as stopped:
        ended = stopped.code
    text = capfd.readouterr().err
    assert ended == status and message in text, text
    errors = [row for row in text.splitlines() if row.startswith("error: ")]
    assert text.splitlines()[-1:] == errors, text
    assert line.split()[0] in errors[0]


def test_a_device_that_this_machine_lacks_is_known_before_any_work(folder, capfd):
    import torch

    if torch.cuda.is_available():
        pytest.skip("it has one")
    words = TRAIN.replace("cpu", "cuda:7").split()
    assert command_line.main(words) == 1
    message = capfd.readouterr().err
    assert "--device cuda:7: this machine has 0 GPUs that PyTorch can use" in message


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("optimizer.pt", "x", "optimizer.pt is broken: remove out/checkpoint-1, and"),
        ("model.safetensors", "x", "model.safetensors is broken: remove out/checkp"),
        ("meta.json", "{}", "meta.json: 'step' is missing; was it edited?"),
        ("../metrics.jsonl", '{"st', "metrics.jsonl:1: not JSON"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_checkpoint_that_broke_says_how_to_go_on(file, text, message, capfd):
    assert command_line.main(TRAIN.split()) == 0
    Path("out/checkpoint-1", file).resolve().write_text(text)
    longer = TRAIN.replace("--max_steps 1", "--max_steps 2")
    assert command_line.main(longer.split()) == 1
    assert message in capfd.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_missing_package_names_the_extra_that_has_it(monkeypatch, capfd):
    forget_peft(monkeypatch)
    assert command_line.main([*TRAIN.split(), "--lora_rank", "2"]) == 1
    message = capfd.readouterr().err.splitlines()[-1]
    assert (
        "tools/setup.sh" in message and "pip install 's2st_interleave[lora]'" in message
    )


def forget_peft(monkeypatch) -> None:
    """As if it was not installed, whatever other tests of this process have imported."""
    loaded = [name for name in sys.modules if name.partition(".")[0] == "peft"]
    for name in {"peft", *loaded}:
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("lora", "merge"):
        monkeypatch.delitem(sys.modules, f"s2st_interleave.llm.{name}", raising=False)
        monkeypatch.delattr(f"s2st_interleave.llm.{name}", raising=False)


def test_a_module_of_ours_that_is_missing_is_our_fault(monkeypatch):
    name = "s2st_interleave.data.validate"
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError):
        command_line.main(["validate", "--data_dir", "d", "--languages", "es"])
