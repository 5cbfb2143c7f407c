"""The model card says what the stages know, as the hub's library reads it."""

from dataclasses import replace

import pytest
import tiny_pack
import yaml
from huggingface_hub import ModelCard

from s2st_interleave.errors import UserError
from s2st_interleave.pack import card
from s2st_interleave.pack.command import without_paths
from s2st_interleave.pack.folder import Description
from s2st_interleave.score.records import AsrDescription, MetricScore, SystemScore

METHOD = card.method({"text_ratio": 0.9})
TRAINING = card.Training(600, 1500, 2_050_599, 424.0, 1, METHOD)
ASR = AsrDescription("faster-whisper", "1.2.1", "tiny.en", "1a5a", "float32", "en")


def metric(value: float | None, ci95: tuple[float, float] | None = None) -> MetricScore:
    return MetricScore(value, ci95, "a signature", 200)


SCORE = SystemScore(
    system="scheduled",
    split="test",
    asr_bleu=46.7,
    chrf=66.9,
    ci95=(42.0, 51.3),
    signature="nrefs:1",
    num_utterances=200,
    num_missing=3,
    text_bleu=70.8,
    src_wer=18.4,
    mos=None,
    asr=ASR,
    normalizer="English",
    checkpoint="last",
    seed=1,
    git="e67aae1",
    tokens_seen=2_050_599,
    train_sec=424.0,
    metrics={
        "asr_bleu": metric(46.7123, (42.0, 51.3)),
        "chrf": metric(66.9, (63.0, 70.0)),
        "wer:src_text": metric(18.4, (15.0, 22.0)),
        "text_bleu": metric(70.8),
        "mos": metric(None),
    },
)


def rendered(**changes) -> ModelCard:
    description = replace(tiny_pack.description(), **changes)
    text = card.render(description, TRAINING, SCORE, "CVSS-C es-en", "world")
    return ModelCard(text)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"text_ratio": 0.9}, "by scheduled interleaved speech-text training (Futami"),
        ({"text_ratio": 0.0}, "without interleaving"),
        ({"text_ratio": 0.9, "sides": "none"}, "without interleaving"),
        ({"text_ratio": 0.3, "schedule": "constant"}, "(a share of 0.3 throughout)"),
        ({"text_ratio": 0.9, "sides": "src"}, "training, on the src side alone,"),
        ({"text_ratio": 0.9, "fill": "mask"}, "with masks in place of text"),
    ],
)
def test_the_card_says_what_the_options_made_of_the_method(options, said):
    """A baseline's card said that it was trained by the paper's schedule."""
    assert said in card.method(options)
    training = replace(TRAINING, method=card.method(options))
    assert said in card.render(
        tiny_pack.description(), training, SCORE, "CVSS", "world"
    )


def test_the_card_says_what_the_corpus_is_and_how_long_it_took():
    """A model of made speech was one of 'recordings of one's own', after 0.0 hours."""
    training = replace(TRAINING, seconds=153.2)
    parts = (
        tiny_pack.description(),
        training,
        SCORE,
        "mini CVSS",
        "world",
        "Made speech.",
    )
    text = card.render(*parts)
    assert "of mini CVSS, test" in text and "\nMade speech.\n" in text
    assert "- time: 3 min\n" in text and "hours" not in text


def test_scores_are_its_model_index_with_intervals():
    results = {each.metric_name: each for each in rendered().data.eval_results}
    name = "ASR-BLEU, 95% interval [42.0, 51.3]"
    assert results[name].metric_value == 46.7123
    assert results[name].metric_type == "bleu"
    assert results[name].metric_args == {"ci95": [42.0, 51.3]}
    assert results[name].dataset_name == "CVSS-C es-en"
    assert results[name].dataset_split == "test"
    assert "transcript WER, 95% interval [15.0, 22.0]" in results
    assert "translation BLEU" in results and len(results) == 4


def test_it_says_languages_terms_base_models_and_use():
    made = rendered(
        base_llm="meta-llama/Llama-3.2-1B@4e20de36",
        base_encoder="facebook/w2v-bert-2.0",
    )
    data = made.data
    assert data.language == ["es", "en"] and data.license == "llama3.2"
    assert data.base_model == ["meta-llama/Llama-3.2-1B", "facebook/w2v-bert-2.0"]
    assert data.pipeline_tag == "audio-to-audio" and data.library_name
    for words in (
        "# Spanish to English, speech to speech: scheduled",
        "**Built with Llama**",
        "Translator.from_pretrained(",
        "s2st_interleave[vocoder]",
        "| transcript WER (lower is better) | 18.4 | [15.0, 22.0] | 200 |",
        "On 200 utterances of CVSS-C es-en, test, seed 1",
        "3 answers are missing",
        "- tokens: 2,050,599",
        "What it is not",
    ):
        assert words in made.text, words


def test_terms_that_are_not_known_are_those_of_the_notice():
    data = rendered().data
    assert data.license == "other" and data.license_link == "NOTICE"
    assert data.base_model == ["tiny/llm"]


@pytest.mark.parametrize(
    ("layout", "tag", "words"),
    [
        (
            "src_speech -> src_text",
            "automatic-speech-recognition",
            "Spanish to Spanish",
        ),
        ("src_speech -> tgt_text", "automatic-speech-recognition", "said.times"),
        ("src_speech -> tgt_speech", "audio-to-audio", "said.save"),
    ],
)
def test_other_tasks_and_a_model_without_scores_have_cards(layout, tag, words):
    description = tiny_pack.description(layout)
    text = card.render(
        description, TRAINING, None, "", "" if "text" in layout else "hifigan"
    )
    made = ModelCard(text)
    assert made.data.pipeline_tag == tag and words in made.text
    assert "It has not been scored." in made.text
    assert ("pip install --no-deps espnet" in text) == (layout.endswith("tgt_speech"))


@pytest.mark.parametrize(
    ("layout", "sides", "does", "speaks"),
    [
        ("src_speech -> src_text", {"src": "de", "tgt": "en"}, "transcribes", False),
        (
            "user_speech -> user_text agent_text agent_speech",
            {"user": "de", "agent": "de"},
            "answers",
            True,
        ),
        ("src_speech -> tgt_speech", {"src": "de", "tgt": "de"}, "answers", True),
    ],
)
def test_the_card_of_what_is_no_translation_says_so(layout, sides, does, speaks):
    """A German ASR was of two languages, translated, and had a voice; `--out` was refused."""
    description = replace(tiny_pack.description(layout), sides=sides)
    text = card.render(description, TRAINING, SCORE, "mini", "world" if speaks else "")
    made = ModelCard(text)
    assert made.data.language == ["de"]
    assert made.data.tags == ["speech-units", "interleaved-speech-text"]
    assert f"\nIt {does} single utterances of German" in text
    assert all("translation" not in x.task_name for x in made.data.eval_results)
    assert ("--out out.wav" in text) == ("the voice that its vocoder" in text) == speaks
    assert "said.translation" not in text and "said.answer.texts" in text


def test_paths_of_a_machine_are_no_facts(tmp_path):
    folder = tmp_path / "it's: data"
    folder.mkdir()
    given = yaml.safe_dump(
        {"llm": "owner/name@1", "train_dir": [str(folder)], "lr": 1e-5, "task": "no"}
    )
    assert yaml.safe_load(without_paths(given)) == {
        "llm": "owner/name@1",
        "train_dir": ["it's: data"],
        "lr": 1e-5,
        "task": "no",
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_beams": 0}, "num_beams below 1: pack it again"),
        ({"sides": {"src": "es"}}, "no language of tgt: pack it again"),
        (
            {"layout": "src_speech tgt_speech -> tgt_text"},
            "not one recording to answer",
        ),
    ],
)
def test_a_description_that_cannot_translate_is_refused_when_it_is_read(
    changes, message, tmp_path
):
    """It was a traceback once the answer had been made."""
    replace(tiny_pack.description(), **changes).write(tmp_path)
    with pytest.raises(UserError, match=message):
        Description.read(tmp_path)
