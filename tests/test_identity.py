"""A change of structure computes what was computed before: ids, losses, decodes.

`identity.json` was recorded on git 8d5b684, before tasks became data. Losses are compared
to the last bit on a processor of the recorded kind, and to 1e-5 on another, whose matrix
products round differently; ids and labels are the same everywhere.

    python tests/test_identity.py    # records anew, where a change of values is meant
"""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from s2st_interleave import __main__ as command_line
from s2st_interleave.decode import outputs
from s2st_interleave.interleave import dump
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages.dump import Options as DumpOptions
from s2st_interleave.train import interleaved
from s2st_interleave.units import store

RECORD = Path(__file__).with_name("identity.json")
SYSTEMS = Path(__file__).parents[1] / "egs/cvss/conf/systems"
NAMES = ("baseline", "scheduled", "mask", "uniform", "no_cot", "src_only")
SHARED = "text_ratio_every: 2\n"  # what systems share, as in conf/train.yaml
TRAIN = "--max_steps 20 --batch_size 6 --accum_grad 2 --lr 1e-3"
TRAIN += " --attention_dropout 0.1 --eval_every 10 --save_every 20 --device cpu"
DECODE = "--batch_size 4 --max_text_tokens 8 --max_unit_ratio 1.5 --device cpu"


def processor() -> str:
    """What decides the last bits of a matrix product: torch and the kind of processor."""
    about = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    kept = ("vendor_id", "cpu family", "model", "stepping", "flags")
    kind = [line for line in about if line.partition("\t")[0].rstrip(" :") in kept]
    digest = hashlib.sha256("\n".join(kind).encode()).hexdigest()
    return f"torch {torch.__version__}, processor {digest[:12]}"


def write_dump(directory: Path, utterances: list, vocabulary) -> Path:
    options = DumpOptions(align_dir=directory, units_dir=directory, out_dir=directory)
    stage = open_stage(directory, stage="dump", options=options, inputs={})
    dump.write(directory, utterances, vocabulary)
    stage.finish(num_in=len(utterances), num_out=len(utterances))
    return directory


def observe(name: str, llm: Path, small: dump.Dump, folder: Path, patch) -> dict:
    """Everything of a system's 20 steps and of its decode that must not change."""
    ids = hashlib.sha256()
    collate = interleaved.InterleavedTask._collate

    def watch(task, drawn, *more):
        for each in drawn:
            drawn_ids = [each.example.ids.tolist(), each.example.labels.tolist()]
            ids.update(json.dumps(drawn_ids).encode())
        return collate(task, drawn, *more)

    patch.setattr(interleaved.InterleavedTask, "_collate", watch)
    utterances = [small[index] for index in range(len(small))]
    train = write_dump(folder / "train", utterances[:20], small.vocabulary)
    test = write_dump(folder / "test", utterances[20:], small.vocabulary)
    system, decode = folder / name, folder / name / "decode"
    places = f"--train_dir|{train}|--dev_dir|{test}|--out_dir|{system}|--llm|{llm}"
    (folder / "shared.yaml").write_text(SHARED)
    config = [f"--config={folder / 'shared.yaml'}", f"--config={SYSTEMS / name}.yaml"]
    words = ["train", *config, *TRAIN.split(), *places.split("|")]
    assert command_line.main(words) == 0
    places = f"--train_dir|{system}|--dump_dir|{test}|--out_dir|{decode}"
    assert command_line.main(["decode", *DECODE.split(), *places.split("|")]) == 0
    lines = [json.loads(t) for t in (system / "metrics.jsonl").read_text().splitlines()]
    units = store.read_units(decode / "units.tgt")
    cot = name != "no_cot"
    return {
        "ids": ids.hexdigest(),
        "losses": [line["loss"].hex() for line in lines],
        "dev_losses": [line["dev_loss"].hex() for line in lines if "dev_loss" in line],
        "transcript": outputs.read_texts(decode, "src")
        if cot
        else dict.fromkeys(units, ""),
        "translation": outputs.read_texts(decode, "tgt")
        if cot
        else dict.fromkeys(units, ""),
        "units": {k: v.tolist() for k, v in units.items()},
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_system_computes_what_was_recorded(
    name, text_llm, small_dump, tmp_path, monkeypatch
):
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seen = observe(name, text_llm, small_dump, tmp_path, monkeypatch)
    finally:
        torch.set_num_threads(threads)
    wanted = record["systems"][name]
    assert seen["ids"] == wanted["ids"]
    if record["processor"] == processor():
        assert seen == wanted
    for kind in ("losses", "dev_losses"):
        values = [float.fromhex(text) for text in seen[kind]]
        expected = [float.fromhex(text) for text in wanted[kind]]
        assert values == pytest.approx(expected, rel=1e-5)


def main() -> None:
    """Record what this machine computes."""
    import tempfile

    import conftest

    class Folders:
        def mktemp(self, name: str) -> Path:
            return Path(tempfile.mkdtemp(name))

    torch.set_num_threads(1)
    llm = conftest.text_llm.__wrapped__(Folders())
    small = conftest.small_dump.__wrapped__(Folders())
    systems = {}
    for name in NAMES:
        with pytest.MonkeyPatch.context() as patch:
            folder = Path(tempfile.mkdtemp())
            systems[name] = observe(name, llm, small, folder, patch)
    record = {"processor": processor(), "systems": systems}
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
