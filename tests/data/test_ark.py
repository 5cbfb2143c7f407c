"""A recording in a Kaldi archive is what it is in a file of its own."""

import kaldiio
import numpy as np
import pytest
import soundfile

from s2st_interleave.data import ark, audio
from s2st_interleave.errors import UserError

RATE = audio.SAMPLE_RATE


def noise(seed: int, count: int = 20_000) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(count)


@pytest.fixture(params=["plain", 'it\'s "my" ar chive'])
def folder(tmp_path, request):
    folder = tmp_path / request.param
    folder.mkdir()
    return folder


def write(path, flacs):
    """An archive of these files of audio, by utterance; their places."""
    places = {}
    with path.open("wb") as stream:
        for utterance, flac in flacs.items():
            stream.write(f"{utterance} ".encode())
            places[utterance] = f"{path}:{stream.tell()}"
            stream.write(ark.head(len(flac)) + flac)
    return places


def place(folder, places, utterance):
    return folder / places[utterance].rpartition("/")[2]


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
def test_what_kaldiio_wrote_is_read_as_from_a_file(folder, kind):
    """Its WAVs have the bytes of Kaldi's wav-copy, its other formats a length before."""
    signals = {f"u{k}": np.int16(3e4 * noise(k)) for k in range(3)}
    how = {"format": kind}
    if kind == "wav":
        arrays = {k: (RATE, signal) for k, signal in signals.items()}
        kaldiio.save_ark(str(folder / "a.ark"), arrays, scp=str(folder / "scp"))
    else:
        kaldiio.save_ark(
            str(folder / "a.ark"),
            {k: (signal, RATE) for k, signal in signals.items()},
            scp=str(folder / "scp"),
            write_function="soundfile",
            write_kwargs=how,
        )
    places = dict(
        line.split(" ", 1) for line in (folder / "scp").read_text().splitlines()
    )
    assert [name for name, _ in ark.entries(folder / "a.ark")] == list(signals)
    for utterance, signal in signals.items():
        alone = folder / f"{utterance}.{kind}"
        soundfile.write(alone, signal, RATE, **how)
        packed = place(folder, places, utterance)
        assert np.array_equal(audio.read(packed), audio.read(alone))
        assert audio.num_samples(packed) == len(signal)
        assert audio.seconds(packed) == len(signal) / RATE
        assert np.array_equal(
            audio.read_span(packed, 500, 900), audio.read(alone)[500:900]
        )
        if kind != "ogg":  # whose stream has a random number
            assert ark.sha256(packed) == ark.sha256(alone)
            assert ark.size(packed) == alone.stat().st_size


def test_kaldiio_reads_what_stage_1_writes(folder):
    signals = {f"u{k}": noise(k) for k in range(3)}
    flacs = {
        k: audio.encoded(signal, comment="a source") for k, signal in signals.items()
    }
    places = write(folder / "wav.1.ark", flacs)
    for utterance, where in places.items():
        rate, samples = kaldiio.load_mat(where)
        assert rate == RATE
        packed = place(folder, places, utterance)
        assert np.array_equal(samples.astype(np.float32), audio.read(packed))
        assert audio.comment(packed) == "a source"
    archive = kaldiio.load_ark(str(folder / "wav.1.ark"))
    assert [name for name, _ in archive] == ["u0", "u1", "u2"]


def test_a_span_is_sought_and_no_more_of_an_archive_is_read_than_it_needs(tmp_path):
    """The archive has a hole of 64 GB on each side, which no memory would hold."""
    flac = audio.encoded(noise(1, 160_000))
    hole = 1 << 36
    with (tmp_path / "wav.1.ark").open("wb") as stream:
        stream.seek(hole)
        stream.write(ark.head(len(flac)) + flac)
        stream.truncate(2 * hole)
    packed = tmp_path / f"wav.1.ark:{hole}"
    whole = audio.read(packed)
    assert audio.num_samples(packed) == len(whole) == 160_000
    for start in (0, 77_777, 159_000):
        span = audio.read_span(packed, start, start + 1000)
        assert np.array_equal(span, whole[start : start + 1000])


@pytest.mark.parametrize("name", ["talk_12:30", "c:7"])
def test_a_file_that_is_named_like_a_place_is_a_file(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(audio.encoded(noise(1)))
    assert len(audio.read(path)) == audio.num_samples(path) == 20_000
    assert ark.size(path) == path.stat().st_size


DAMAGES = {
    "the archive is cut": (
        lambda data, at: (data[:-50], at),
        "breaks off after .* bytes",
    ),
    "its tail is gone": (lambda data, at: (data[: at - 5], at), "ends before, at byte"),
    "its header is cut": (lambda data, at: (data[: at + 3], at), "no recording starts"),
    "the offset is wrong": (lambda data, at: (data, at + 7), "no recording starts"),
    "it holds a matrix": (
        lambda data, at: (data[:at] + b"\0BFM \4", at),
        "no recording",
    ),
    "it is gone": (lambda data, at: (None, at), "no such archive"),
    "it is text": (
        lambda data, at: (data[:at] + ark.head(9) + b"not audio", at),
        "cannot be read as audio",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "read",
    [
        lambda path: audio.read(path, of="u1"),
        lambda path: audio.num_samples(path, of="u1"),
        lambda path: audio.read_span(path, 5, 10, of="u1"),
        lambda path: audio.seconds(path, of="u1"),
    ],
)
def test_a_damaged_archive_is_an_error_that_names_utterance_and_place(
    folder, damage, read
):
    path = folder / "wav.1.ark"
    places = write(path, {k: audio.encoded(noise(ord(k[1]))) for k in ("u0", "u1")})
    offset = int(places["u1"].rpartition(":")[2])
    change, message = DAMAGES[damage]
    data, at = change(path.read_bytes(), offset)
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UserError, match=message) as error:
        read(folder / f"wav.1.ark:{at}")
    said = str(error.value)
    assert said.startswith(f"u1: {path}:{at}: ") and "\n" not in said


def test_entries_end_where_an_archive_is_not_whole(folder):
    path = folder / "wav.1.ark"
    places = write(path, {k: audio.encoded(noise(1)) for k in ("u0", "u1", "u2")})
    path.write_bytes(path.read_bytes()[:-1])
    assert [name for name, _ in ark.entries(path)] == ["u0", "u1"]
    path.write_bytes(path.read_bytes()[: int(places["u1"].rpartition(":")[2])])
    assert [name for name, _ in ark.entries(path)] == ["u0"]
    path.write_bytes(b"")
    assert list(ark.entries(path)) == []
    path.write_bytes(bytes(5000))
    assert list(ark.entries(path)) == []
