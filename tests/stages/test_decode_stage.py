"""Stage 7 in jobs, and its answers about a part of a split that has been answered."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from s2st_interleave import __main__ as command_line
from s2st_interleave import shards
from s2st_interleave.facts import DumpFacts
from s2st_interleave.files import read_json, write_json
from s2st_interleave.interleave import dump
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages import decode
from s2st_interleave.stages.dump import Options as DumpOptions

TRAIN = "--max_steps 2 --batch_size 4 --save_every 2 --eval_every 2 --device cpu"
DECODE = "--batch_size 4 --max_text_tokens 4 --max_unit_ratio 1.0 --device cpu"
NAMES = ("text.src", "text.tgt", "units.tgt.ark")


def write_dump(
    folder: Path, utterances: list, kmeans: str | None = None, num_units: int = 20
) -> Path:
    options = DumpOptions(align_dir=folder, units_dir=folder, out_dir=folder)
    stage = open_stage(folder, stage="dump", options=options, inputs={})
    (folder / "sides").write_text("src es\ntgt en\n")
    dump.write(folder, utterances, dump.UnitVocabulary(num_units, 0.04))
    num, facts = len(utterances), DumpFacts(kmeans=kmeans)
    stage.finish(num_in=num, num_out=num, facts=facts)
    return folder


@pytest.fixture(scope="module")
def trained(text_llm, small_dump, tmp_path_factory) -> Path:
    """A folder with a trained system, and dumps of all utterances and of some of them."""
    root = tmp_path_factory.mktemp("with a space")
    utterances = [small_dump[index] for index in range(9)]
    write_dump(root / "test", utterances)
    write_dump(root / "test1k", utterances[1:9:3])
    places = f"--train_dir|{root / 'test'}|--dev_dir|{root / 'test1k'}|--llm|{text_llm}"
    for name, more in (("exp", []), ("heads", ["--unit_heads", "2"])):
        words = ["train", *TRAIN.split(), *places.split("|"), *more]
        assert command_line.main([*words, "--out_dir", str(root / name)]) == 0
    return root


def answer(root: Path, split: str, out: Path, *more: str, system: str = "exp") -> Path:
    places = f"--train_dir|{root / system}|--dump_dir|{root / split}|--out_dir|{out}"
    assert (
        command_line.main(["decode", *DECODE.split(), *places.split("|"), *more]) == 0
    )
    return out


def contents(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in NAMES]


def test_a_split_that_is_cut_over_jobs_has_the_same_files(
    trained, tmp_path, monkeypatch
):
    whole = answer(trained, "test", tmp_path / "whole")
    run_shards = shards.run_shards
    monkeypatch.setattr(
        decode, "run_shards", lambda *args, smallest: run_shards(*args, smallest=2)
    )
    cut = tmp_path / "cut"
    for job in (0, 1, 2, 3):
        answer(trained, "test", cut, "--shard", f"{job}/3")
        assert not (cut / "stage.json").exists()
    names = {path.name for path in (cut / "shards").glob("part?")}
    assert names == {f"part{k}" for k in range(1, 6)}
    monkeypatch.setattr(decode._Writer, "write", None)  # nothing is left to write
    answer(trained, "test", cut)
    assert contents(cut) == contents(whole)


def test_a_part_of_an_answered_split_is_copied(trained, tmp_path, monkeypatch):
    alone = answer(trained, "test1k", tmp_path / "alone")
    whole = answer(trained, "test", tmp_path / "whole")
    monkeypatch.setattr(decode._Writer, "write", None)
    part = answer(trained, "test1k", tmp_path / "part", "--part_of", str(whole))
    assert contents(part) == contents(alone)
    # Both are up to date, with the option and without, and where the other is gone.
    for out in (part, alone):
        answer(trained, "test1k", out, "--part_of", str(whole))
        answer(trained, "test1k", out)
    shutil.rmtree(whole)
    answer(trained, "test1k", part, "--part_of", str(whole))


def test_a_best_checkpoint_that_is_the_last_is_not_decoded_again(
    trained, tmp_path, monkeypatch
):
    """Half of the mini recipe's systems end with their best checkpoint."""
    alone = answer(trained, "test", tmp_path / "alone", "--checkpoint", "best")
    last = answer(trained, "test", tmp_path / "last")
    monkeypatch.setattr(decode._Writer, "write", None)
    more = ("--checkpoint", "best", "--same_as", str(last))
    best = answer(trained, "test", tmp_path / "best", *more)
    assert contents(best) == contents(alone)
    # The job that opens a split which is cut has all answers: no other job is sent.
    cut = answer(trained, "test", tmp_path / "cut", *more, "--shard", "0/3")
    assert (cut / "stage.json").is_file() and contents(cut) == contents(alone)


def test_a_decode_that_an_earlier_version_made_of_another_is_up_to_date(
    trained, tmp_path
):
    part = answer(trained, "test1k", tmp_path / "part")
    done = read_json(part / "stage.json")
    done["inputs"]["part_of"] = "0" * 64
    write_json(part / "stage.json", done)
    answer(trained, "test1k", part)
    assert read_json(part / "stage.json")["inputs"] == done["inputs"]


def test_answers_that_are_no_longer_whole_are_not_copied(trained, tmp_path, capsys):
    alone = answer(trained, "test1k", tmp_path / "alone")
    whole = answer(trained, "test", tmp_path / "whole")
    (whole / "text.tgt").write_text("u0 what nobody said\n")
    part = answer(trained, "test1k", tmp_path / "part", "--part_of", str(whole))
    assert contents(part) == contents(alone)
    assert "no longer whole, not copied" in capsys.readouterr().out


def other_options(root: Path, whole: Path) -> list[str]:
    return ["--max_text_tokens", "3"]


def other_units(root: Path, whole: Path) -> list[str]:
    """The larger split has been asked something else about an utterance."""
    utterances = dump.Dump(root / "test1k")
    changed = [utterances[index] for index in range(len(utterances))]
    source = changed[0].sides["src"]
    sides = {**changed[0].sides, "src": replace(source, units=source.units * 0)}
    changed[0] = replace(changed[0], sides=sides)
    return ["--dump_dir", str(write_dump(whole.parent / "changed", changed))]


def another_checkpoint(root: Path, whole: Path) -> list[str]:
    """The larger split was answered by the best checkpoint, which is not the last."""
    done = read_json(whole / "stage.json")
    done["facts"]["checkpoint"] = "checkpoint-1"
    write_json(whole / "stage.json", done)
    return []


def made_anew(root: Path, whole: Path) -> list[str]:
    """Stage 5 has made the same folder again, with other units, since it was answered."""
    folder = root / "test"
    utterances = dump.Dump(folder)
    changed = [
        replace(
            each,
            sides={k: replace(v, units=v.units * 0) for k, v in each.sides.items()},
        )
        for each in (utterances[index] for index in range(len(utterances)))
    ]
    shutil.rmtree(folder)
    write_dump(folder, changed)
    return ["--dump_dir", str(folder)]


def questions_gone(root: Path, whole: Path) -> list[str]:
    """The dump of the larger split was removed after it had been answered."""
    shutil.rmtree(root / "test")
    return []


def not_finished(root: Path, whole: Path) -> list[str]:
    (whole / "stage.json").unlink()
    return []


@pytest.mark.parametrize(
    "change",
    [
        other_options,
        other_units,
        another_checkpoint,
        made_anew,
        questions_gone,
        not_finished,
    ],
)
def test_a_part_is_answered_where_the_split_has_not(
    trained, tmp_path, change, monkeypatch
):
    root = Path(shutil.copytree(trained, tmp_path / "its own"))
    whole = answer(root, "test", tmp_path / "whole")
    more = change(root, whole)
    written = []
    write = decode._Writer.write
    monkeypatch.setattr(
        decode._Writer, "write", lambda *given: written.append(write(*given))
    )
    answer(root, "test1k", tmp_path / "p", "--part_of", str(whole), *more)
    assert written


def test_units_that_are_guessed_ahead_give_the_same_files(trained, tmp_path, capsys):
    plain = answer(trained, "test", tmp_path / "plain", system="heads")
    capsys.readouterr()
    more = ("--draft_units", "true")
    guessed = answer(trained, "test", tmp_path / "guessed", *more, system="heads")
    assert contents(guessed) == contents(plain)
    assert "units a step" in capsys.readouterr().out


def test_guessing_that_another_option_forbids_is_left_out(trained, tmp_path, capsys):
    """A file's draft_units stopped a model without heads, and was told of as done."""
    (tmp_path / "decode.yaml").write_text("draft_units: true\n")
    given = ("--config", str(tmp_path / "decode.yaml"), "--num_beams", "2")
    answer(trained, "test1k", tmp_path / "out", *given)
    assert "units a step" not in capsys.readouterr().out


def test_a_model_without_heads_cannot_guess_ahead(trained, tmp_path, capsys):
    with pytest.raises(AssertionError):
        answer(trained, "test", tmp_path / "out", "--draft_units", "true")
    assert "has no heads that guess units ahead" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        answer(trained, "test", tmp_path, "--draft_units", "true", "--num_beams", "3")
    assert "'draft_units' has no effect with num_beams 3" in capsys.readouterr().err


def test_beams_with_vllm_are_refused(trained, tmp_path, capsys):
    with pytest.raises(SystemExit):
        answer(trained, "test", tmp_path, "--engine", "vllm", "--num_beams", "3")
    assert "'num_beams' has no effect with engine vllm" in capsys.readouterr().err


def test_units_of_another_codebook_are_refused(text_llm, small_dump, tmp_path, capsys):
    """They were mixed in silence; with another number of them it was a traceback."""
    utterances = [small_dump[index] for index in range(4)]
    for name in ("a", "a2", "b"):
        write_dump(tmp_path / name, utterances, name[0])
    write_dump(tmp_path / "old", utterances, None, 40)

    def run(words: str) -> int:
        return command_line.main([word.format(tmp_path) for word in words.split()])

    (tmp_path / "llm").symlink_to(text_llm)
    train = (
        f"train {TRAIN} --train_dir {{0}}/%s --dev_dir {{0}}/%s --llm {{0}}/%s "
        "--out_dir {0}/%s"
    )
    assert run(train % ("a", "a2", "llm", "exp")) == 0
    decode = (
        f"decode {DECODE} --train_dir {{0}}/exp --dump_dir {{0}}/%s --out_dir {{0}}/x"
    )
    other = "has units of another codebook"
    for words, message in (
        (train % ("a", "b", "llm", "exp2"), f"b {other} (b) than {tmp_path}/a (a)"),
        (train % ("a", "old", "llm", "exp3"), "num_units=40"),
        (train % ("b", "b", "exp/checkpoint-2", "exp4"), f"b {other}"),
        (decode % "b", f"b {other} (b) than {tmp_path}/exp (a)"),
        (decode % "old", "an LLM of 20 units, and the dump has 40"),
    ):
        capsys.readouterr()
        assert run(words) == 1
        assert message in capsys.readouterr().err


def test_a_dump_without_a_side_of_the_task_is_told(
    trained, text_llm, small_dump, tmp_path, capsys
):
    for side in ("src", "tgt"):
        alone = replace(small_dump[0], sides={side: small_dump[0].sides[side]})
        write_dump(tmp_path / side, [alone])
    out = ["--out_dir", str(tmp_path / "x")]
    places = (
        f"--train_dir|{trained / 'test'}|--dev_dir|{tmp_path / 'src'}|--llm|{text_llm}"
    )
    training = ["train", *TRAIN.split(), *places.split("|"), *out]
    places = f"--train_dir|{trained / 'exp'}|--dump_dir|{tmp_path / 'tgt'}"
    decoding = ["decode", *DECODE.split(), *places.split("|"), *out]
    for words, message in (
        (training, f"{tmp_path / 'src'} has no side 'tgt', only src"),
        (decoding, f"{tmp_path / 'tgt'} has no side 'src', only tgt"),
    ):
        assert command_line.main(words) == 1
        assert message in capsys.readouterr().err


def test_answers_that_ended_at_their_limit_are_counted(trained, tmp_path, capsys):
    """A hundred tokens are no long sentence in Hindi, and the rest was cut in silence."""
    folder = answer(trained, "test1k", tmp_path / "cut", "--max_text_tokens", "1")
    said = capsys.readouterr().out
    assert "3 of 3 src_text ended at their limit (--max_text_tokens), first" in said
    facts = read_json(folder / "stage.json")["facts"]
    assert facts["num_cut"]["src_text"] == facts["num_cut"]["tgt_text"] == 3
