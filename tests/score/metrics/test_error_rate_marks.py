"""Words that differ in their marks alone are other words, in every script."""

import unicodedata

import pytest

from s2st_interleave.score.metrics.error_rate import (
    character_error_rate,
    word_error_rate,
)
from s2st_interleave.score.normalize import Normalizer

# Pairs of words of one script that differ in their marks alone.
MARKS = {
    "hi": ["दिन दीन", "मेल मैल", "कल काल", "हंस हँस"],
    "mr": ["पिक पीक", "सुत सूत"],
    "ne": ["फुल फूल", "दिन दीन"],
    "bn": ["দিন দীন", "কুল কূল", "চাদ চাঁদ"],
    "as": ["দিন দীন", "কুল কূল"],
    "pa": ["ਦਿਨ ਦੀਨ", "ਕਲ ਕੱਲ"],
    "gu": ["દિન દીન", "સુત સૂત"],
    "ta": ["கல கலை", "பல பல்", "மணி மணீ"],
    "te": ["పలక పిలక", "కల కాల"],
    "kn": ["ಕಲ ಕಾಲ", "ದಿನ ದೀನ"],
    "ml": ["കല കാല", "മല മാല"],
    "si": ["කල කාල", "මල මාල"],
    "th": ["กี กิ", "คน ค้น", "ปา ป่า"],
    "lo": ["ກີ ກິ", "ນັກ ນິກ"],
    "km": ["កិ កី", "គុ គូ"],
    "my": ["ကိ ကီ", "ကု ကူ", "သား သာ"],
    "bo": ["ཀི ཀུ", "མེ མི"],
    "ar": ["كَتَبَ كُتِبَ", "عِلم عَلَم", "مَلِك مُلك"],
    "fa": ["کَرَم کِرم", "گُل گِل"],
    "ur": ["اِس اُس"],
    "he": ["סֵפֶר סַפָּר", "דָּבָר דֶּבֶר"],
    "yi": ["אָן אַן"],
    "dv": ["ބަސް ބިސް"],
    "yo": ["ẹ́ ẹ̀", "ọ́n ọ̀n", "ọ̀wọ̀ ọ́wọ́"],
    "vi": ["ma má", "ma mạ", "bà bả"],
    "ru": ["за́мок замо́к", "му́ка мука́"],
    "be": ["за́мак зама́к"],
    "cv": ["сӑр сар"],
    "am": ["ለ፟ሳ ለሳ"],
    "sr-Latn": ["grȁd grâd"],
    "lt": ["šim̃tas šimtas"],
}


@pytest.mark.parametrize("code", MARKS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_words_that_differ_in_their_marks_alone_are_all_wrong(code, form):
    words = [pair.split() for pair in MARKS[code]]
    said = " ".join(left for left, _ in words)
    heard = " ".join(right for _, right in words)
    for left, right in words:
        bare = [
            "".join(c for c in unicodedata.normalize("NFD", w) if c.isalpha())
            for w in (left, right)
        ]
        assert bare[0] == bare[1] and left != right
    normalize = Normalizer(code).normalize
    one, two = {"u": unicodedata.normalize(form, said)}, {"u": heard}
    assert word_error_rate(one, two, normalize=normalize) == 100
    assert word_error_rate(one, {"u": said}, normalize=normalize) == 0


def test_a_character_is_a_letter_with_its_marks():
    for code, said, heard in (("th", "กี กู", "กิ กุ"), ("my", "ကီကူ", "ကိကု")):
        normalize = Normalizer(code).normalize
        rate = character_error_rate({"u": said}, {"u": heard}, normalize=normalize)
        assert rate == 100
