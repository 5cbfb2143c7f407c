"""Case, punctuation and digits must not count, on either side."""

import subprocess
import sys

import pytest

from s2st_interleave.score.metrics.bleu import bleu_counts, bleu_of
from s2st_interleave.score.normalize import Normalizer

CVSS = "the train doesn't leave at nine from mister smith's grey house"
WHISPER = "The train does not leave at 9, from Mr. Smith's gray house!"


@pytest.mark.parametrize(("left", "right"), [(CVSS, WHISPER), (WHISPER, CVSS)])
def test_english_notation_does_not_count(left: str, right: str) -> None:
    normalize = Normalizer("en").normalize
    counts = bleu_counts({"u": left}, {"u": right}, normalize=normalize)
    assert bleu_of(counts.sum(0)) == pytest.approx(100)


def test_other_languages_lose_case_and_punctuation_but_no_accent() -> None:
    spanish = Normalizer("es")
    upper = "\u00bfD\u00d3NDE est\u00e1 la casa, hoy?"
    assert spanish.normalize(upper) == "d\u00f3nde est\u00e1 la casa hoy"


def test_dots_of_whisper_are_no_words() -> None:
    normalize = Normalizer("en").normalize
    assert normalize(" ... ") == normalize("") == ""
    assert normalize("Yes... and no...") == "yes and no"
    assert normalize("It costs 5% of $3.20.") == "it costs 5% of $3.20"


def test_name_tells_rules_and_version_without_loading_them() -> None:
    code = (
        "import sys\n"
        "from s2st_interleave.score import asr, metrics, normalize, records, results\n"
        "print(normalize.Normalizer('en').name)\n"
        "print(normalize.Normalizer('es').name)\n"
        "heavy = {'torch', 'whisper', 'sacrebleu', 'faster_whisper', 'tqdm'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert output[0].startswith("EnglishTextNormalizer (openai-whisper 20")
    assert output[1].startswith("BasicTextNormalizer (openai-whisper 20")


def test_the_rules_are_whispers_own_and_take_no_torch() -> None:
    texts = ["Nine o'clock, isn't it?", "It's coloured twenty-two.", "Mr. Ñandú can't."]
    code = (
        "import sys\n"
        "from s2st_interleave.score.normalize import Normalizer\n"
        f"for text in {texts!r}: print(Normalizer('en').normalize(text))\n"
        "assert 'torch' not in sys.modules\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    from whisper.normalizers import EnglishTextNormalizer

    assert output == [EnglishTextNormalizer()(text) for text in texts]


@pytest.mark.parametrize(
    ("code", "left", "right"),
    [
        ("uk", "пʼять друзів", "п'ять друзів"),
        ("uz", "o\u02bbzbek tilida", "o'zbek tilida"),
        ("fr", "l\u02bchomme", "l\u2019homme"),
        ("en", "they don\u2019t go", "they don't go"),
        ("tr", "I\u0307stanbul", "\u0130stanbul"),
    ],
)
def test_kinds_of_apostrophes_and_dots_are_no_other_words(code, left, right) -> None:
    """A perfect translation scored 6.6 where its apostrophe was another sign."""
    normalize = Normalizer(code).normalize
    assert normalize(left) == normalize(right)


@pytest.mark.parametrize(
    ("code", "left", "right"),
    [
        ("ar", "الســـلام ٣", "السلام 3"),
        ("hi", "१२ दिन", "12 दिन"),
        ("fa", "كتاب يك", "کتاب یک"),
        ("ro", "şi Ţară", "și țară"),
    ],
)
def test_digits_and_letters_of_other_keyboards_are_no_errors(code, left, right) -> None:
    """A perfect transcript had a word error rate of 100 by the k of another keyboard."""
    normalizer = Normalizer(code)
    assert normalizer.normalize(left) == normalizer.normalize(right) != ""
    assert "digits and spellings alike" in normalizer.name


def test_letters_of_other_languages_stay() -> None:
    assert Normalizer("tr").normalize("şey") == "şey"
    assert Normalizer("ar").normalize("كي") == "كي"
    assert "spellings" not in Normalizer("es").name


@pytest.mark.parametrize(
    ("code", "left", "right"),
    [
        ("af", "daar is \u0149 man", "daar is 'n man"),
        ("de", "Windows\u2122 in \u0130stanbul", "windows in istanbul"),
        ("de", "Auf\u200clage", "Auflage"),
        ("th", "น้ำ", "น\u0e4d\u0e49า"),
        ("lo", "ນ້ຳ", "ນ\u0ecd\u0ec9າ"),
        ("ml", "അവന\u0d4d\u200d", "അവ\u0d7b"),
        ("bn", "ত\u09cd\u200d", "\u09ce"),
        ("si", "ශ්\u200dරී", "ශ්රී"),
        ("te", "సాఫ్ట్\u200cవేర్", "సాఫ్ట్వేర్"),
        ("fa", "می\u200cخوانم", "می خوانم"),
        ("ar", "\u061cسلام", "سلام"),
    ],
)
def test_spellings_of_one_letter_are_no_errors(code, left, right) -> None:
    """A perfect translation into Afrikaans scored 15 by the letter of its article."""
    normalize = Normalizer(code).normalize
    assert normalize(left) == normalize(right) != ""


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("zh", "东京（日本首都）很大。", "东京 日本首都 很大"),
        ("ko", "서울（수도）은", "서울 수도 은"),
        ("ja", "㈱東京［注］", "株 東京 注"),
        ("de", "Haus (Hof) [Lärm]", "haus"),
    ],
)
def test_what_stands_in_wide_brackets_is_spoken(code, text, words) -> None:
    """Whisper drops what is in brackets; NFKC had made them of wide ones before."""
    assert Normalizer(code).normalize(text) == words


def test_a_capital_i_has_no_dot_in_turkic_languages_that_are_written_in_latin() -> None:
    assert Normalizer("tt-Latn").normalize("QIZIL alma") == "qızıl alma"
    assert Normalizer("kk-Latn").normalize("QIZIL") == "qızıl"
    assert Normalizer("uz-Latn").normalize("QIZIL") == "qizil"
