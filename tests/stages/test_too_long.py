"""What an LLM has no positions for is known after stage 5, by name, with a remedy."""

import dataclasses
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from long_sequences import (
    POSITIONS,
    SIDES,
    WORDS,
    Nothing,
    lengths,
    llm_of,
    stages_3_and_4,
)
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from s2st_interleave.data import kaldi, sides
from s2st_interleave.data.kaldi import read_table
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.interleave.layout import S2ST
from s2st_interleave.score import answers, records
from s2st_interleave.score.asr import AsrDescription
from s2st_interleave.score.records import SystemScore
from s2st_interleave.score.results import _missing
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages import decode, dump, score, train
from s2st_interleave.stages.too_long import llm_print


@pytest.fixture
def llm(text_llm, tmp_path) -> Path:
    return llm_of(text_llm, tmp_path / "a short llm", POSITIONS)


@pytest.fixture
def options(tmp_path, llm):
    """A function from a split, and what of it is too long, to options of stage 5."""

    def make(split: str, long: tuple[int, ...] = (), **more) -> dump.Options:
        stages_3_and_4(tmp_path, split, lengths(split, long))
        return dump.Options(
            align_dir=tmp_path / "align" / split,
            units_dir=tmp_path / "units" / split,
            out_dir=tmp_path / "dump" / split,
            **{"llm": llm} | more,
        )

    return make


def ids(options: dump.Options) -> list[str]:
    return [one.id for one in Dump(options.out_dir)]


def files(options: dump.Options) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in options.out_dir.iterdir()
        if path.name != "stage.json"
    }


def test_dev_and_test_name_them_and_what_can_be_done(options):
    for split in ("dev", "test"):
        with pytest.raises(UserError) as caught:
            dump.run(options(split, (3, 7)))
        printed = str(caught.value)
        assert f"2 of 12 utterances of {split} are too long" in printed
        assert (
            f"  {split}03: sequence is too long: 1" in printed
            and f"{split}07" in printed
        )
        assert f"positions for {POSITIONS}" in printed
        assert "--llm" in printed and "--too_long missing" in printed


def test_more_than_ten_are_counted_and_ten_named(options):
    with pytest.raises(UserError) as caught:
        dump.run(options("test", tuple(range(11))))
    lines = str(caught.value).splitlines()
    assert "11 of 12" in lines[0] and len(lines) == 11


def test_train_drops_them_with_the_reason_under_a_limit(options):
    made = options("train", (3,), too_long="drop")
    with pytest.raises(
        UserError, match=r"1 of 12 .*--max_drop_rate 0\.05.*\n  train03"
    ):
        dump.run(made)
    dump.run(replace(made, max_drop_rate=0.1))  # nothing to overwrite
    assert len(ids(made)) == 11 and "train03" not in ids(made)
    dropped = (made.out_dir / "dropped.tsv").read_text()
    assert dropped.startswith("train03\tsequence is too long: ")
    assert not (made.out_dir / "too_long").exists()


def test_where_nothing_is_too_long_the_llm_changes_nothing(options, text_llm, tmp_path):
    """No byte, no fingerprint: a dump serves every LLM that it fits."""
    plain = options("dev", llm=None)
    dump.run(plain)
    before, done = files(plain), read_json(plain.out_dir / "stage.json")
    for too_long in ("error", "missing", "drop"):
        checked = options("dev", too_long=too_long)
        shutil.rmtree(checked.out_dir)
        dump.run(checked)
        assert files(checked) == before
        again = read_json(checked.out_dir / "stage.json")
        assert again["fingerprint"] == done["fingerprint"]
    longer = llm_of(text_llm, tmp_path / "longer", 512)
    dump.run(replace(checked, llm=longer))
    dump.run(plain)
    assert read_json(plain.out_dir / "stage.json") == again


def test_a_finished_dump_is_held_against_another_llm(options, text_llm, tmp_path):
    made = options("test")
    dump.run(made)
    shorter = llm_of(text_llm, tmp_path / "shorter", 60)
    with pytest.raises(UserError, match="utterances of test are too long"):
        dump.run(replace(made, llm=shorter))
    other = replace(made, llm=shorter, too_long="missing")
    with pytest.raises(UserError, match=r"input too_long: was None.*\n.*--overwrite"):
        dump.run(other)
    dump.run(replace(other, overwrite=True))
    assert 0 < len(ids(other)) < 12
    with pytest.raises(UserError, match="input too_long: was missing"):
        dump.run(made)  # which would take them all
    dump.run(replace(made, overwrite=True))
    assert len(ids(made)) == 12 and not (made.out_dir / "too_long").exists()


def test_a_model_without_a_limit_takes_everything(options, text_llm, tmp_path):
    free = llm_of(text_llm, tmp_path / "no limit", 1)
    config = json.loads((free / "config.json").read_text())
    config |= {"model_type": "bloom", "architectures": ["BloomForCausalLM"]}
    del config["max_position_embeddings"]
    (free / "config.json").write_text(json.dumps(config))
    made = options("test", (3,), llm=free)
    dump.run(made)
    assert len(ids(made)) == 12


def test_without_an_llm_no_hub_is_asked(options, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    dump.run(options("test", (3,), llm=None))
    assert llm_print(Path("owner/a-model")) == "owner/a-model"
    with pytest.raises(FileNotFoundError, match="no/such/llm is missing"):
        dump.run(options("dev", llm=Path("no/such/llm")))


def test_only_blocks_of_the_task_take_room(options):
    """The sequence of a recogniser has neither a translation nor its speech."""
    made = options("test", (3,))
    with pytest.raises(UserError, match="1 of 12 utterances of test are too long"):
        dump.run(made)
    asr = replace(made, layout="src_speech -> src_text")
    dump.run(asr)
    assert len(ids(asr)) == 12
    dump.run(asr)  # up to date
    with pytest.raises(UserError, match="1 of 12 utterances of test are too long"):
        dump.run(replace(made, layout=S2ST))
    with pytest.raises(UserError, match="there is no side 'user', only src, tgt"):
        dump.run(replace(made, layout="user_speech -> user_text"))


@pytest.fixture
def trained(options, text_llm, tmp_path) -> train.Options:
    """Stages 5 and 6 with a dev and a test utterance that count as missing."""
    folders = {}
    for split, long in (("train", (1,)), ("dev", (2,)), ("test", (3, 7))):
        too_long = "drop" if split == "train" else "missing"
        one = options(split, long, too_long=too_long, max_drop_rate=0.1)
        dump.run(one)
        folders[split] = one.out_dir
    made = train.Options(
        llm=tmp_path / "a short llm",
        train_dir=(folders["train"],),
        dev_dir=(folders["dev"],),
        out_dir=tmp_path / "exp" / "scheduled",
        text_ratio_every=1,
        max_steps=4,
        eval_every=4,
        batch_size=4,
        device="cpu",
        num_threads=1,
    )
    train.run(made)
    return made


def test_they_are_missing_in_dev_loss_decoding_and_every_score(
    trained, tmp_path, monkeypatch, capsys
):
    metrics = (trained.out_dir / "metrics.jsonl").read_text().splitlines()
    assert json.loads(metrics[-1])["dev_loss"] > 0
    out = tmp_path / "exp" / "scheduled" / "greedy_last" / "test"
    decode.run(
        decode.Options(
            train_dir=trained.out_dir,
            dump_dir=tmp_path / "dump" / "test",
            out_dir=out,
            max_text_tokens=4,
            max_unit_ratio=1.0,
            device="cpu",
            num_threads=1,
        )
    )
    assert "2 of 12 have no units, 2 of them too long" in capsys.readouterr().out
    for side in ("src", "tgt"):
        table = read_table(out / f"text.{side}")
        assert len(table) == 12 and table["test03"] == table["test07"] == ""
    units = dump.store.read_units(out / "units.tgt")
    assert len(units["test03"]) == 0 and len(units["test04"]) > 0
    facts = read_json(out / "stage.json")["facts"]
    assert (facts["num_too_long"], facts["num_without_units"]) == (2, 2)

    record = scored(trained, out, tmp_path, monkeypatch)
    assert (record.num_utterances, record.num_missing) == (12, 2)
    assert record.num_too_long == 2
    assert _missing(record) == "2 (2 too long for the LLM)"
    printed = capsys.readouterr().out
    assert "2 of 12 missing, 2 of them too long for the LLM" in printed
    old = dataclasses.asdict(record)
    del old["num_too_long"]  # as it was written before
    assert records.from_json(SystemScore, old, "score.json").num_too_long == 0


def scored(trained, decode_dir: Path, root: Path, monkeypatch) -> SystemScore:
    """Stage 9 with a recogniser that hears what was to be said."""
    names = sorted(lengths("test"))
    data_dir = root / "data" / "test"
    stage = open_stage(data_dir, stage="data", options=Nothing(), inputs={})
    sides.write(data_dir, SIDES)
    for role in SIDES:
        kaldi.write_table(data_dir / f"text.{role}", dict.fromkeys(names, "a"))
    stage.finish(num_in=12, num_out=12)
    vocode_dir = decode_dir / "vocode"
    stage = open_stage(vocode_dir, stage="vocode", options=Nothing(), inputs={})
    spoken = [
        k for k in names if len(dump.store.read_units(decode_dir / "units.tgt")[k])
    ]
    for name in spoken:
        (vocode_dir / f"{name}.wav").write_bytes(b"-")
    wavs = {k: str(vocode_dir / f"{k}.wav") for k in spoken}
    kaldi.write_table(vocode_dir / "wav.scp", wavs)
    stage.finish(num_in=12, num_out=len(spoken))
    asr = AsrDescription("none", "0", "none", "0" * 64, "float32", "en")
    monkeypatch.setattr(answers, "recognise", lambda wavs, *_: dict.fromkeys(wavs, "a"))
    monkeypatch.setattr(score, "describe", lambda _: asr)
    score.run(
        score.Options(
            data_dir=data_dir,
            train_dir=trained.out_dir,
            decode_dir=decode_dir,
            vocode_dir=vocode_dir,
            out_dir=decode_dir / "score",
            num_resamples=10,
        )
    )
    path = decode_dir / "score.json"
    return records.read(SystemScore, path)


def test_a_training_that_ends_before_its_ramp_says_so(capsys, trained):
    assert "text_ratio is still 0.6 at the last step" in capsys.readouterr().out


def test_stage_6_tells_before_it_trains_where_stage_5_was_not_asked(
    options, trained, tmp_path
):
    for split, long in (("dev", (2,)), ("train", (5,))):
        out_dir = tmp_path / "unasked" / split
        unasked = replace(options(split, long, llm=None), out_dir=out_dir)
        dump.run(unasked)
        again = replace(trained, out_dir=tmp_path / "exp" / split)
        again = replace(again, **{f"{split}_dir": (unasked.out_dir,)})
        with pytest.raises(
            UserError, match=rf"--too_long missing.*\n.*{split}0[25] mak"
        ):
            train.run(again)
        assert not (again.out_dir / "metrics.jsonl").exists()


def test_texts_that_the_tokenizer_cannot_write_are_counted(
    options, text_llm, tmp_path, capsys
):
    """An LLM of another script read <unk> in place of every word, and nobody was told."""
    llm = tmp_path / "an llm of few words"
    shutil.copytree(text_llm, llm)
    known = {word: k for k, word in enumerate(["<s>", "</s>", "<unk>", *WORDS[:-1]])}
    words = Tokenizer(models.WordLevel(known, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(llm)
    made = options("train", llm=llm)
    with pytest.raises(
        UserError,
        match=r"\d+ of 12 \w+ texts of train hold what .*first train\d\d: take",
    ):
        dump.run(made)
    dump.run(replace(made, max_unknown_rate=1.0))
    assert "dump: warning:" in capsys.readouterr().out and len(ids(made)) == 12
    capsys.readouterr()
    dump.run(options("dev", llm=text_llm))  # bytes write everything
    assert "warning" not in capsys.readouterr().out


def test_letters_that_a_tokenizer_leaves_out_are_counted(options, text_llm, tmp_path):
    """One without <unk> and without bytes dropped letters, which no check of <unk> sees."""
    llm = tmp_path / "an llm of few letters"
    shutil.copytree(text_llm, llm)
    signs = ["<s>", "</s>", *sorted({*"".join(WORDS)})[1:]]
    pieces = Tokenizer(models.BPE({sign: k for k, sign in enumerate(signs)}, []))
    PreTrainedTokenizerFast(
        tokenizer_object=pieces, bos_token="<s>", eos_token="</s>"
    ).save_pretrained(llm)
    with pytest.raises(
        UserError, match=r"texts of train hold what .* has no token for"
    ):
        dump.run(options("train", llm=llm))


def test_a_text_that_a_tokenizer_takes_for_a_mark_is_counted(
    options, text_llm, tmp_path
):
    """A unigram tokenizer made the end of an answer of a `</s>` in a text."""
    llm = tmp_path / "an llm of unigrams"
    shutil.copytree(text_llm, llm)
    marks = [
        "<s>",
        WORDS[0],
        "<unk>",
    ]  # a word of the texts is the end for this tokenizer
    known = [(sign, -1.0) for sign in [*marks, *WORDS[1:], *sorted({*"".join(WORDS)})]]
    PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.Unigram(known, 2, False)),
        bos_token="<s>",
        eos_token=WORDS[0],
        unk_token="<unk>",
    ).save_pretrained(llm)
    with pytest.raises(UserError, match="or takes for a mark"):
        dump.run(options("train", llm=llm))
