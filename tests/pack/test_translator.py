"""A packed model in Python: what it says of a recording, alone and in a batch."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_pack
from tiny_pack import noise

import s2st_interleave
from s2st_interleave import __main__ as command_line
from s2st_interleave.align.words import Word
from s2st_interleave.decode import generate
from s2st_interleave.encoder.speech_encoder import SpeechEncoder
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.pack.clips import Refused
from s2st_interleave.pack.translator import Translator


@pytest.fixture(scope="module")
def said(translator):
    return translator(noise(1.5), rate=16_000)


def test_an_answer_has_texts_units_speech_and_times(said, translator, tmp_path):
    assert said.transcript == said.answer.texts["src_text"] != ""
    assert said.translation == said.answer.texts["tgt_text"] != ""
    assert said.rate == translator.rate == 16_000
    assert said.units.dtype == np.int32 and len(said.samples) == 640 * len(said.units)
    path = said.save(tmp_path / "out.wav")
    samples, rate = soundfile.read(path)
    assert rate == said.rate and np.abs(samples - said.samples.clip(-1, 1)).max() < 1e-4
    assert said.clip.seconds == 1.5 and "Said(the array: " in repr(said)


def test_words_have_times_within_recording_and_answer(said):
    """By the encoder, which hears nothing here: only the borders mean something."""
    times = said.times
    assert times.unit_sec == 0.04
    for words, text, end in (
        (times.transcript, said.transcript, 1.5),
        (times.translation, said.translation, len(said.samples) / said.rate),
    ):
        assert words is not None
        assert [word.text for word in words] == text.split()
        borders = [x for word in words for x in (word.start_sec, word.end_sec)]
        assert borders == sorted(borders) and borders[0] >= 0 and borders[-1] <= end
    line = said.to_json()
    assert line["times"]["transcript"][0] == list(vars(times.transcript[0]).values())
    assert line["seconds"] == 1.5 and line["languages"] == {"src": "es", "tgt": "en"}


def test_a_transcript_that_does_not_fit_the_recording_is_doubted(said):
    """A model of made speech answered recorded voices with sentences of its corpus."""
    whole = replace(said, answer=replace(said.answer, cut=()))
    fits, does_not, too_long = replace(whole), replace(whole), replace(whole)
    vars(too_long)["_transcript_words"] = None  # more tokens than frames
    assert "recording (its words have no room there)" in too_long.doubt
    vars(fits)["_transcript_words"] = (Word("ja", 0.0, 0.5, -0.4),)
    vars(does_not)["_transcript_words"] = (Word("ja", 0.0, 0.5, -6.3),)
    assert fits.doubt == "" and fits.remarks == list(said.clip.remarks)
    assert "does not fit the recording (mean word score -6.3; usual" in does_not.doubt
    assert does_not.remarks[-1] == does_not.to_json()["remarks"][-1] == does_not.doubt


def test_an_answer_that_was_cut_says_so(said):
    """Stage 7 warned of a limit that was met, a packed model did not."""
    cut = replace(said, answer=replace(said.answer, cut=("tgt_text", "tgt_speech")))
    told = [remark for remark in cut.remarks if "may be cut" in remark]
    assert [remark.split(" ended")[0] for remark in told] == [
        "the translation",
        "speech",
    ]
    assert told == cut.answer_remarks[:2]
    other = Layout.parse("src_speech -> reply_text")
    cut = replace(said, layout=other, answer=replace(said.answer, cut=("reply_text",)))
    assert cut.answer_remarks[0].startswith("the reply_text ended at its limit")


def test_a_task_without_speech_has_none(text_translator, tmp_path):
    said = text_translator(noise(1), rate=16_000)
    assert said.translation and said.times.transcript
    assert (said.samples, said.rate, said.units) == (None, None, None)
    assert (said.times.translation, said.times.unit_sec) == (None, None)
    assert said.to_json()["translation_seconds"] is None
    with pytest.raises(UserError, match="answers in text: nothing to save"):
        said.save(tmp_path / "out.wav")


def test_a_task_without_texts_has_none(tmp_path):
    tiny_pack.write(tmp_path / "direct", "src_speech -> tgt_speech")
    said = Translator.from_pretrained(tmp_path / "direct", device="cpu")(
        (noise(1), 16_000)
    )
    assert (said.transcript, said.translation) == (None, None)
    assert said.times.transcript is None and said.times.translation is None
    assert said.times.unit_sec == 0.04 and said.doubt == ""


def test_a_batch_says_what_each_says_alone(translator):
    """To the last unit and sample: 12 recordings of 0.4 to 2.6 s."""
    recordings = [(noise(0.4 + 0.2 * k, seed=k), 16_000) for k in range(12)]
    together = translator.batch(recordings)
    assert len({said.translation for said in together}) > 6
    for recording, said in list(zip(recordings, together, strict=True))[::3]:
        alone = translator(recording)
        assert alone.answer.texts == said.answer.texts
        assert np.array_equal(alone.units, said.units)
        assert np.array_equal(alone.source_units, said.source_units)
        assert np.array_equal(alone.samples, said.samples)


def test_encoder_batches_of_a_gpu_give_the_units_of_one_by_one(translator, tiny_model):
    """By its code, on the CPU: at most one unit of 250 changes, by rounding."""
    encoder = SpeechEncoder.load(tiny_model / "encoder", batched=True)
    assert encoder.may_pad
    batched = replace(translator, encoder=encoder, batch_sec=8.0)
    read = [translator.read(noise(0.4 + 0.2 * k, seed=k), 16_000) for k in range(12)]
    pairs = zip(translator._units(read), batched._units(read), strict=True)
    differ = [(a != b).sum() for a, b in pairs]
    assert sum(differ) <= 1


def test_how_the_llm_may_be_batched_is_tried_once_for_lengths_that_were_seen(
    translator, monkeypatch
):
    """A trial costs a quarter of a short answer."""
    fresh, tried = replace(translator), []
    real = generate.batching

    def counted(model, prompts, *more):
        tried.append([len(ids) for ids in prompts])
        return real(model, prompts, *more)

    monkeypatch.setattr(generate, "batching", counted)
    for seconds in (1, 1, 2, 1.5, 1, 0.5):
        fresh(noise(seconds), 16_000)
    assert tried == [[27, 27], [27, 52], [14, 52]]


def test_no_recording_is_no_answer(translator):
    assert translator.batch([]) == []


def test_a_bad_recording_of_a_batch_is_named(translator, record, tmp_path):
    good, bad = record(tmp_path / "a.wav"), record(tmp_path / "b.wav", silent=True)
    with pytest.raises(Refused, match=r"b\.wav: silent"):
        translator.batch([good, bad])


def test_a_recording_without_room_for_an_answer_is_refused(translator, monkeypatch):
    monkeypatch.setattr(translator.llm.model.config, "max_position_embeddings", 40)
    assert translator(noise(1.4), 16_000).translation is not None
    with pytest.raises(Refused, match="the LLM has positions for 40") as refused:
        translator(noise(1.6), 16_000)
    assert refused.value.kind == "too long"


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("none", {}, "none: no such folder, and no name of the hub"),
        ("a/b/c", {}, "a/b/c: no such folder, and no name of the hub"),
        (Path(), {}, r"\.: no packed model here, SHA256SUMS is missing"),
        ("x/y@1", {"revision": "2"}, "revision '2' is another one"),
        ("none", {"device": "gpu"}, "device is 'gpu', wants: auto, cpu"),
        ("none", {"dtype": "fp16"}, "dtype is 'fp16', wants"),
        ("none", {"channels": "both"}, "channels is 'both', wants: mix"),
    ],
)
def test_what_cannot_be_loaded_says_why(name, more, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        Translator.from_pretrained(name, **more)


def test_a_package_that_its_vocoder_lacks_is_one_line_before_any_answer(
    tiny_model, record, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "pyworld", None)
    words = ["translate", "--model", str(tiny_model), str(record(tmp_path / "in.wav"))]
    assert command_line.main([*words, "--out", str(tmp_path / "out.wav")]) == 1
    line = capsys.readouterr().err
    assert line.startswith("error: translate: ") and line.count("\n") == 1
    assert "pyworld" in line and "`pip install 's2st_interleave[vocoder]'`" in line


def test_the_model_card_may_be_edited_and_nothing_else(tiny_model, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    (copy / "README.md").write_text("edited on the hub's page")
    assert Translator.from_pretrained(copy, device="cpu").languages["tgt"] == "en"
    (copy / "NOTICE").write_text("")
    with pytest.raises(UserError, match="NOTICE is not what was packed"):
        Translator.from_pretrained(copy)


def test_the_package_and_its_translator_are_imported_without_torch():
    code = (
        "import sys, s2st_interleave as s; assert 'numpy' not in sys.modules; "
        "s.Translator; assert 'torch' not in sys.modules; assert s.__version__"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'Translater'"):
        _ = s2st_interleave.Translater
