"""What a user types wrong, for tests/test_mistakes.py: a line each, and what is said."""

from collections.abc import Callable
from pathlib import Path

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
    (nothing, f"{TRAIN} --device GPU:1", 2, "second GPU; did you mean 'cuda'?"),
    (nothing, f"{TRAIN} --eval_every 0", 2, "'eval_every' is 0, wants: at least 1"),
    (nothing, f"{TRAIN} --max_steps -2", 2, "'max_steps' is -2, wants: at least 0"),
    (nothing, f"{TRAIN} --seed -1", 2, "is -1, wants: at least 0 and at most 429496"),
    (nothing, f"{TRAIN} --seed {10**20}", 2, "an integer of at most 18 digits"),
    (nothing, f"{TRAIN} --lr nan", 2, "option 'lr' is 'nan', wants: a number"),
    (nothing, f"{TRAIN} --lr 1e999", 2, "option 'lr' is '1e999', wants: a number"),
    (nothing, f"{TRAIN} --batch_size {10**9}", 2, "at least 1 and at most 1000000"),
    (nothing, f"{TRAIN} --span_lambda 1e38", 2, "at least 0 and at most 1000"),
    (nothing, f"{TRAIN} --lora_rank {10**9}", 2, "at least 0 and at most 65536"),
    (nothing, f"{TRAIN} --num_workers {10**9}", 2, "at least 0 and at most 4096"),
    (nothing, f"{TRAIN} --schedule stp", 2, "sigmoid; did you mean 'step'?"),
    (nothing, f"{TRAIN} --report_to tb", 2, "wants: one of tensorboard, wandb"),
    (nothing, f"{TRAIN} quux", 2, "unknown option 'quux' (--help lists them)"),
    (nothing, f"{TRAIN} --config empty", 2, "empty: this is a folder, not a config"),
    (nothing, f"{TRAIN} --out_dir page.html", 1, "this is a file, and a folder is wa"),
    (nothing, f"{TRAIN} --out_dir page.html/x", 1, "a part of this path is a file"),
    (nothing, f"{TRAIN} --out_dir dump", 1, "dump is read, and cannot be written"),
    (nothing, f"{TRAIN} --train_dir data", 1, "data is of stage 1 (data), and a folde"),
    (nothing, f"{TRAIN} --llm a/b/c", 1, "neither a folder with a model, nor a name"),
    (nothing, f"{TRAIN} --llm page.html", 1, "page.html: no Config here"),
    (
        lambda: write("a.yaml", "lr: [1, 2]\n"),
        f"{TRAIN} --config a.yaml",
        2,
        "wants: one value",
    ),
    (
        lambda: write("a.yaml", "- lr\n"),
        f"{TRAIN} --config a.yaml",
        2,
        "a.yaml: expected 'option: value' lines",
    ),
    (
        lambda: write("a.yaml", 'lr: "1\n'),
        f"{TRAIN} --config a.yaml",
        2,
        "a.yaml:2:1: found unexpected end of stream; is a quote not closed?",
    ),
    (
        lambda: write("a.yaml", "lr 1\nmax_steps: 3\n"),
        f"{TRAIN} --config a.yaml",
        2,
        "a.yaml:2:10: mapping values are not allowed here; is there a ':' in the line",
    ),
    (
        lambda: Path("a.yaml").write_bytes(b"\xff\x00"),
        f"{TRAIN} --config a.yaml",
        2,
        "a.yaml:1: not UTF-8",
    ),
    (nothing, "--verison", 2, "did you mean '--version'?"),
    (nothing, "subset --data_dir data --out_dir data", 1, "data is read, and cannot"),
    (nothing, "kmeans --num_units 0", 2, "'num_units' is 0, wants: at least 1"),
    (nothing, "align --max_drop_rate 2", 2, "wants: at least 0 and at most 1"),
    (nothing, "align --min_score 1", 2, "wants: at most 0"),
    (nothing, f"{SCORE} --nj 0", 2, "'nj' is 0, wants: at least 1"),
    (nothing, "preflight --conf no", 1, "no: no such folder"),
    (nothing, "launch /dev/full echo x", 1, "/dev/full: No space left on device, "),
    (nothing, "launch u0.wav/x.log echo x", 1, "this is a file, and a folder is wa"),
    (nothing, "launch x.log no-such-program", 1, "no-such-program: no such file or"),
    (nothing, f"{TRAIN} --text_ratio 0.95", 2, "0.95 is no multiple of its drop 0.1"),
    (nothing, f"{TRAIN} --attention flash_attention_2", 1, "wants the package flash"),
    (nothing, "plan --conf no --llm llm --encoder llm", 1, "--conf no: no such folder"),
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
