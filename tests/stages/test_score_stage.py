"""Stage 9 on a language without spaces: characters are counted, and it is said so."""

import dataclasses
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from s2st_interleave.data import kaldi, sides
from s2st_interleave.errors import UserError
from s2st_interleave.facts import TrainFacts
from s2st_interleave.files import read_json, write_json
from s2st_interleave.score import answers, records
from s2st_interleave.score.records import AsrDescription, SystemScore, ToplineScore
from s2st_interleave.score.results import Environment, Results, render_markdown
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages import compare, score
from s2st_interleave.stages.scoring import normalizer_inputs

TEXTS = {
    "zh-CN": {"a": "今天天气很好", "b": "他喜欢看书", "c": "火车九点离开北京"},
    "es": {"a": "hoy hace sol", "b": "le gusta leer", "c": "el tren sale a las nueve"},
}
ASR = AsrDescription("faster-whisper", "1", "large-v3", "ab" * 32, "float32", "zh")


@dataclass(frozen=True)
class Made:
    """Options of a stage that somebody else has finished."""

    cot: bool = True
    seed: int = 1
    checkpoint: str = "last"


def finished(folder: Path, stage: str, **facts: object) -> Path:
    opened = open_stage(folder, stage=stage, options=Made(), inputs={})
    assert opened is not None
    opened.finish(num_in=3, num_out=3, **facts)
    return folder


@pytest.fixture
def made(tmp_path, monkeypatch):
    """score.Options of a system whose transcripts have one wrong character each."""

    def options(src: str, tgt: str, name: str = "baseline") -> score.Options:
        root = tmp_path / name
        data = kaldi.DataDir(tmp_path / "data" / "test")
        sides.write(data.path, {"src": src, "tgt": tgt})
        for role, code in data.sides.items():
            kaldi.write_table(data.file("text", role), TEXTS[code])
        decode, vocode = root / "decode", root / "vocode"
        wrong = {k: "错" + v[1:] for k, v in TEXTS[src].items()}
        kaldi.write_table(decode / "transcript", wrong)
        kaldi.write_table(decode / "translation", TEXTS[tgt])
        wav = tmp_path / "x.wav"
        wav.write_bytes(b"RIFF")
        kaldi.write_table(vocode / "wav.scp", dict.fromkeys(TEXTS[tgt], str(wav)))
        if not (data.path / "stage.json").exists():
            move_and_finish(data.path, "data")
        move_and_finish(decode, "decode", checkpoint="last")
        move_and_finish(vocode, "vocode")
        trained = TrainFacts("last", "last", 1, 1, 1.0)
        heard = {k: v + ("。" if "zh" in tgt else "!") for k, v in TEXTS[tgt].items()}
        monkeypatch.setattr(answers, "recognise", lambda *_: heard)
        monkeypatch.setattr(score, "describe", lambda _: ASR)
        return score.Options(
            data_dir=data.path,
            train_dir=finished(root / name, "train", **trained.to_json()),
            decode_dir=decode,
            vocode_dir=vocode,
            out_dir=decode / "score",
            num_resamples=20,
        )

    return options


def move_and_finish(folder: Path, stage: str, **facts: object) -> None:
    files = {p.name: p.read_bytes() for p in folder.iterdir()}
    for name in files:
        (folder / name).unlink()
    finished(folder, stage, **facts)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def test_a_chinese_transcript_has_a_character_error_rate_and_the_table_says_so(made):
    options = made("zh-CN", "es")
    score.run(options)
    found = read_json(options.decode_dir / "score.json")
    assert found["src_wer"] is None
    assert found["src_cer"] == pytest.approx(100 * 3 / 19)
    record = records.from_json(SystemScore, found, "score.json")
    page = render(record)
    assert "| transcript CER |" in page and "WER" not in page and "| 15.8 |" in page


def test_a_spanish_transcript_has_a_word_error_rate_as_before(made):
    options = made("es", "zh-CN")
    score.run(options)
    found = read_json(options.decode_dir / "score.json")
    assert found["src_cer"] is None
    assert found["src_wer"] == pytest.approx(100 * 3 / 12)
    assert "| transcript WER |" in render(
        records.from_json(SystemScore, found, "score.json")
    )


def test_speech_in_chinese_is_scored_by_its_characters(made):
    options = made("es", "zh-CN")
    score.run(options)
    found = read_json(options.decode_dir / "score.json")
    assert found["asr_bleu"] == found["text_bleu"] == pytest.approx(100)
    assert "tok:zh|" in found["signature"]
    other = made("es", "zh-CN", "scheduled")
    score.run(other)
    told = compare.Options(
        data_dir=options.data_dir,
        system_dir=other.decode_dir,
        baseline_dir=options.decode_dir,
        num_resamples=20,
    )
    compare.run(told)
    assert read_json(other.decode_dir / "compare.json")["delta"] == 0
    sides.write(options.data_dir, {"src": "es", "tgt": "es"})
    with pytest.raises(UserError, match=r"has tgt speak es, which wants .*tok:13a"):
        compare.run(replace(told, overwrite=True, num_resamples=21))


def test_systems_scored_by_other_references_are_not_compared(made):
    """Ids alone were compared: a mended reference of one recipe was a difference of systems."""
    options = made("zh-CN", "es")
    score.run(options)
    other = made("zh-CN", "es", "scheduled")
    (texts,) = other.data_dir.glob("text.tgt")
    first, *rest = texts.read_text().splitlines(keepends=True)
    texts.write_text("".join([first.rstrip() + " besides\n", *rest]))
    score.run(other)
    told = compare.Options(
        data_dir=options.data_dir,
        system_dir=other.decode_dir,
        baseline_dir=options.decode_dir,
        num_resamples=20,
    )
    with pytest.raises(UserError, match="1 utterances differ in their reference"):
        compare.run(told)


def test_scores_in_words_and_in_characters_do_not_share_a_table(made):
    options = made("zh-CN", "es")
    score.run(options)
    record = records.read(SystemScore, options.decode_dir / "score.json")
    old = dataclasses.asdict(record) | {"src_cer": None, "src_wer": 90, "metrics": {}}
    before = records.from_json(SystemScore, old, "x")
    with pytest.raises(ValueError, match="run stage 9 again"):
        render(record, before)


def render(*records: SystemScore) -> str:
    one = records[0]
    topline = ToplineScore(
        "test", 90.0, 80.0, 95.0, None, None, one.signature, 3, ASR, one.normalizer, "x"
    )
    environment = Environment("2026-01-02", "3.11", (), "x", False, 1, "run.sh")
    return render_markdown(
        Results("zh to es", "zh-CN", "", environment, topline, records, ())
    )


def test_scores_by_rules_of_an_earlier_version_are_not_up_to_date(made):
    """Systems that were scored before and after were refused, and could not be scored anew."""
    options = made("es", "zh-CN")
    score.run(options)
    path = options.out_dir / "stage.json"
    record = read_json(path)
    assert "spellings alike" in record["inputs"].pop("normalizer")
    write_json(path, record)
    with pytest.raises(
        ValueError, match=r"made with other options or inputs:\n.*normali"
    ):
        score.run(options)
    score.run(replace(options, overwrite=True))
    assert "normalizer" in read_json(path)["inputs"]
    assert normalizer_inputs(["es", "en"]) == {}  # whose rules are what they were
