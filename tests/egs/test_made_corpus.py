"""A made corpus is taken up only whole, and of one synthesiser."""

import importlib
import json
import sys
from pathlib import Path

import pytest

MINI = Path(__file__).parents[2] / "egs" / "mini_cvss" / "local"


@pytest.fixture
def maker(monkeypatch):
    """make_corpus.py, whose clips are their names: no synthesiser is needed."""
    monkeypatch.syspath_prepend(str(MINI))
    module = importlib.import_module("make_corpus")
    monkeypatch.setattr(module, "versions", lambda options: {"flite": "2.2"})
    spoken: list[str] = []

    def speak(todo, worker, nj):
        layout = worker[1]
        for pair in todo:
            spoken.append(pair.utt_id)
            for path in (layout.mp3(pair), layout.wav(pair)):
                module.write_bytes(path, pair.utt_id.encode())
            voices = module.load_language("es").voices
            record = {"voice": min(voices), "es": [["a", 0, 1]], "en": [["a", 0, 1]]}
            times = layout.partial / f"{pair.utt_id}.json"
            module.write_text(times, json.dumps(record))

    monkeypatch.setattr(module, "speak", speak)
    module.spoken = spoken
    yield module
    for path in MINI.glob("*.py"):
        sys.modules.pop(path.stem, None)


def make(maker, out: Path, *more: str) -> list[str]:
    """Ids that were spoken."""
    maker.spoken.clear()
    sizes = "--num_train 3 --num_dev 2 --num_test 2 --num_text 8".split()
    assert maker.main(["--src", "es", "--out", str(out), *sizes, *more]) == 0
    return list(maker.spoken)


@pytest.mark.parametrize(
    "gone",
    [
        "cv-corpus-4-2019-12-10/es/clips/common_voice_es_2000001.mp3",
        "cvss_c_es_en_v1.0/train/common_voice_es_3000000.mp3.wav",
        "word_times.es.jsonl",
        "text/dev.en",
    ],
)
def test_a_made_corpus_is_complete_only_while_all_of_it_is_there(
    maker, tmp_path, capsys, gone
):
    assert len(make(maker, tmp_path)) == 7
    assert make(maker, tmp_path) == []
    (tmp_path / gone).unlink()
    assert len(make(maker, tmp_path)) == 7
    assert "is gone" in capsys.readouterr().out
    assert (tmp_path / gone).is_file()
    assert make(maker, tmp_path) == []


def test_half_a_corpus_is_not_finished_by_another_synthesiser(
    maker, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(maker, "write_tables", interrupt)
        make(maker, tmp_path)
    monkeypatch.setattr(maker, "versions", lambda options: {"flite": "2.3"})
    with pytest.raises(ValueError, match=r"other options \(versions .*2\.2.*2\.3"):
        make(maker, tmp_path)
    assert len(make(maker, tmp_path, "--overwrite", "true")) == 7


def test_a_pair_whose_clip_is_gone_is_spoken_again(maker, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(maker, "write_tables", interrupt)
        make(maker, tmp_path)
    (tmp_path / "cvss_c_es_en_v1.0/dev/common_voice_es_1000001.mp3.wav").unlink()
    assert make(maker, tmp_path) == ["common_voice_es_1000001"]


def interrupt(*_):
    raise KeyboardInterrupt
