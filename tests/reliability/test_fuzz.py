"""Whatever a file holds, a parser returns a value or raises a UserError: see targets.py."""

import io
import os
import shutil
import tempfile
from pathlib import Path

import pytest
import targets
from fences import outcome
from found import FOUND
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from s2st_interleave.align import words
from s2st_interleave.data import ark, audio, kaldi
from s2st_interleave.interop import unit_files
from s2st_interleave.units import store

# Examples of a target: few in CI, many at night; S2ST_FUZZ_EXAMPLES sets another number.
FEW, MANY = 8, int(os.environ.get("S2ST_FUZZ_EXAMPLES", "1500"))
SAME = {"derandomize": True, "database": None, "deadline": None}
SAME["suppress_health_check"] = list(HealthCheck)
TOKENS = (
    *(
        b"\0",
        b"\xff",
        b"\n",
        b"\t",
        b" ",
        b'"',
        b"NaN",
        b"1e999",
        b"-1",
        b"9" * 400,
        b"{}",
    ),
    *(
        b"[",
        b"{",
        b"null",
        b"\xe9",
        b"\x1b[31m",
        b"../",
        b"|",
        b"$(x)",
        b"*a",
        b"&a ",
        b"1_0",
    ),
    *(
        b"!!python/object:x ",
        b"\r\n",
        b"\xe2\x80\xae",
        b"\x7f\xff\xff\xff",
        b"PKL",
        b"? ",
    ),
)


@st.composite
def mutations(draw, seed: bytes) -> bytes:
    """`seed` with some bytes replaced, taken out, repeated, or with tokens put in."""
    content = bytearray(seed)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(content)))
        length = draw(st.sampled_from([0, 1, 1, 2, 4, 8, 100]))
        put = draw(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=4)))
        again = content[place : place + length]
        kind = draw(st.integers(0, 3))
        content[place : place + length * (kind > 0)] = (put, put, b"", again + again)[
            kind
        ]
    return bytes(content)


def check(name: str, content: bytes) -> None:
    folder = Path(
        tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    )
    try:
        outcome(lambda: targets.TARGETS[name].run(content, folder))
    finally:
        shutil.rmtree(folder)


def fuzz(name: str, max_examples: int) -> int:
    """Run a target on so many mutations; return how many there were."""
    seen = []

    @settings(max_examples=max_examples, **SAME)
    @given(st.sampled_from(targets.TARGETS[name].seeds).flatmap(mutations))
    def run(content: bytes) -> None:
        seen.append(1)
        check(name, content)

    run()
    return len(seen)


@pytest.mark.parametrize("name", targets.TARGETS)
def test_a_mutated_file_is_read_or_told(name):
    fuzz(name, FEW)


@pytest.mark.nightly
def test_many_mutated_files_are_read_or_told(count):
    numbers = {name: fuzz(name, MANY) for name in targets.TARGETS}
    count("fuzzing", examples=sum(numbers.values()), targets=len(numbers), findings=0)


@pytest.mark.parametrize(("name", "content"), FOUND, ids=[k for k, _ in FOUND])
def test_what_fuzzing_once_found_is_told(name, content):
    check(name, content)


IDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=9)
NUMBERS = st.integers(-(2**31), 2**31 - 1)
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20)
TIMES = st.floats(0, 1e6)


def into(name: str) -> Path:
    return Path(tempfile.mkdtemp()) / name


@settings(max_examples=30, **SAME)
@given(st.dictionaries(IDS, TEXTS))
def test_tables_come_back_without_blanks_at_the_end_of_a_line(table):
    path = into("text")
    kaldi.write_table(path, table)
    assert kaldi.read_table(path) == {k: v.rstrip(" ") for k, v in table.items()}


@settings(max_examples=30, **SAME)
@example({"|": []})  # was an empty line
@given(st.dictionaries(IDS, st.lists(NUMBERS)))
def test_units_come_back_from_archives_and_texts(units):
    import numpy as np

    arrays = {k: np.array(v, np.int32) for k, v in units.items()}
    stem, text = into("units"), into("text.km")
    store.write_units(stem, arrays)
    unit_files.write_text(text, arrays)
    assert {k: v.tolist() for k, v in store.read_units(stem).items()} == units
    plain = {k: v for k, v in units.items() if v and not {"|", "{", "\\t"} & set(k)}
    again = unit_files.read(text, "text").units
    assert {k: again[k].tolist() for k in plain} == plain


@settings(max_examples=30, **SAME)
@given(
    st.dictionaries(IDS, st.lists(st.tuples(TEXTS, TIMES, TIMES, st.none() | TIMES)))
)
def test_words_come_back(table):
    path = into("words.jsonl")
    written = {k: [words.Word(*row) for row in rows] for k, rows in table.items()}
    words.write_words(path, written)
    assert words.read_words(path) == written


@settings(max_examples=20, **SAME)
@given(st.lists(NUMBERS.map(lambda n: n % 30_000 / 30_000), min_size=16, max_size=500))
def test_samples_come_back_from_an_archive(values):
    import numpy as np

    flac = audio.encoded(np.array(values, np.float32))
    path = into("wav.1.ark")
    stream = io.BytesIO(b"u1 " + ark.head(len(flac)) + flac)
    path.write_bytes(stream.getvalue())
    ((name, offset),) = ark.entries(path)
    samples = audio.read(Path(f"{path}:{offset}"))
    assert name == "u1" and np.abs(samples - values).max() < 1e-4
