"""A recording holds what its file promises, on the scale of 1, or is refused by name."""

import os
import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio
from s2st_interleave.data.channels import Channels

RATE, SECONDS = 16_000, 4.0


@pytest.fixture(scope="module")
def signal() -> np.ndarray:
    """A tone that glides, with noise: no part of it is like another."""
    t = np.arange(round(RATE * SECONDS)) / RATE
    noise = np.random.default_rng(0).standard_normal(len(t))
    return (0.3 * np.sin(2 * np.pi * (200 + 100 * t) * t) + 0.01 * noise).astype("f4")


def seconds(path: Path) -> float:
    return len(audio.read(path)) / RATE


def wav(content: bytes, size: int, *, code: int = 1, bits: int = 16) -> bytes:
    """Mono at 16 kHz, whose header says that it has `size` bytes of samples."""
    width = bits // 8
    form = struct.pack("<HHIIHH", code, 1, RATE, RATE * width, width, bits)
    head = (
        b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size)
    )
    return b"RIFF" + struct.pack("<I", min(size + 36, 2**32 - 1)) + head + content


def piped(samples: np.ndarray, kind: str, codec: str, rate: int = RATE) -> bytes:
    """As ffmpeg writes where it cannot go back to complete the header."""

    class Pipe:
        def __init__(self) -> None:
            self.content = b""

        def write(self, data: bytes) -> int:
            self.content += bytes(data)
            return len(data)

    pipe = Pipe()
    with av.open(pipe, "w", format=kind) as container:
        mux(container, samples, codec, rate)
    return pipe.content


def mux(container, samples: np.ndarray, codec: str, rate: int) -> None:
    track = container.add_stream(codec, rate=rate, layout="mono")
    values = np.rint(samples * 32768).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(values, format="s16", layout="mono")
    frame.sample_rate = RATE
    resampler = av.AudioResampler(
        format=track.codec_context.format,
        layout="mono",
        rate=rate,
        frame_size=track.codec_context.frame_size or 1024,
    )
    for part in resampler.resample(frame) + resampler.resample(None):
        container.mux(track.encode(part))
    container.mux(track.encode(None))


WHOLE = [
    ("WAV", "PCM_U8"),
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_32"),
    ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"),
    ("WAV", "ULAW"),
    ("WAV", "MS_ADPCM"),
    ("WAV", "GSM610"),
    ("WAVEX", "PCM_24"),
    ("RF64", "PCM_16"),
    ("W64", "PCM_24"),
    ("AIFF", "PCM_16"),
    ("AU", "PCM_16"),
    ("NIST", "PCM_16"),
    ("CAF", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]


@pytest.mark.parametrize(("kind", "subtype"), WHOLE)
def test_a_file_that_is_cut_breaks_off(tmp_path, signal, kind, subtype):
    path = tmp_path / "cut short.audio"
    soundfile.write(path, signal, RATE, format=kind, subtype=subtype)
    assert seconds(path) == pytest.approx(SECONDS, abs=0.05)
    content = path.read_bytes()
    for kept in (0.4, 0.9):
        path.write_bytes(content[: round(kept * len(content))])
        with pytest.raises(
            ValueError, match=r"cut short\.audio: breaks off after \d\."
        ):
            audio.read(path)


def test_it_says_how_much_of_it_is_there(tmp_path, signal):
    path = tmp_path / "cut.wav"
    soundfile.write(path, signal, RATE)
    content = path.read_bytes()
    path.write_bytes(content[: round(0.4 * len(content))])
    with pytest.raises(ValueError, match=r"cut\.wav: breaks off after 1\.6 of 4\.0 s$"):
        audio.read(path)
    path.write_bytes(content[:-1000])  # a thirtieth of a second
    with pytest.raises(ValueError, match=r"breaks off after 3\.97 of 4\.00 s"):
        audio.read(path)
    path.write_bytes(content[:-44])  # a header that counts itself is no damage
    assert seconds(path) == pytest.approx(SECONDS, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "codec"),
    [("mp4", "aac"), ("mp4", "alac"), ("webm", "libopus"), ("matroska", "pcm_s16le")],
)
def test_what_only_pyav_reads_is_read_whole_or_not_at_all(
    tmp_path, signal, kind, codec
):
    path = tmp_path / "telephone.m4a"
    options = {"movflags": "faststart"} if kind == "mp4" else {}
    with av.open(str(path), "w", format=kind, options=options) as container:
        mux(container, signal, codec, 48_000 if codec == "libopus" else RATE)
    assert seconds(path) == pytest.approx(SECONDS, abs=0.1)
    content = path.read_bytes()
    path.write_bytes(content[: round(0.4 * len(content))])
    with pytest.raises(
        ValueError, match=r"m4a: breaks off after 1\.[456] of 4\.[01] s"
    ):
        audio.read(path)


@pytest.mark.parametrize("size", [0, 2**32 - 1, 0x7FFFF000, 0x80000000])
def test_a_wav_from_a_pipe_promises_nothing(tmp_path, signal, size):
    """ffmpeg, sox and arecord cannot go back to say how long it became."""
    path = tmp_path / "piped.wav"
    values = np.rint(signal * 32768).astype("<i2")
    path.write_bytes(wav(values.tobytes(), size))
    assert np.array_equal(audio.read(path), (values / 32768).astype(np.float32))


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        ("flac", "flac"),
        ("wav", "pcm_s16le"),
        ("w64", "pcm_s16le"),
        ("aiff", "pcm_s16be"),
        ("au", "pcm_s16be"),
        ("caf", "pcm_s16le"),
    ],
)
def test_what_ffmpeg_writes_to_a_pipe_is_read_whole(tmp_path, signal, kind, codec):
    path = tmp_path / f"piped.{kind}"
    path.write_bytes(piped(signal, kind, codec))
    wanted = np.rint(signal * 32768) / 32768
    assert np.array_equal(audio.read(path), wanted.astype(np.float32))


def flac(path: Path, signal: np.ndarray, total: int, md5: bytes | None = None) -> bytes:
    """With another number of samples in STREAMINFO."""
    soundfile.write(path, signal, RATE)
    content = bytearray(path.read_bytes())
    fields = int.from_bytes(content[18:26], "big") >> 36 << 36 | total
    content[18:26] = fields.to_bytes(8, "big")
    content[26:42] = md5 or content[26:42]
    path.write_bytes(content)
    return bytes(content)


def test_a_flac_whose_header_holds_no_length_is_read_whole_but_not_cut(
    tmp_path, signal
):
    path = tmp_path / "no length.flac"
    content = flac(path, signal, total=0)
    assert np.array_equal(audio.read(path), np.float32(np.rint(signal * 32768) / 32768))
    path.write_bytes(content[: round(0.4 * len(content))])
    with pytest.raises(ValueError, match=r"no length\.flac: breaks off after 1\.\d s"):
        audio.read(path)


@pytest.mark.parametrize(
    ("total", "message"),
    [
        (70_000, "breaks off after 4.0 of 4.4 s"),
        (30_000, "not those that its header has the MD5 of"),
        (2**36 - 1, r"lasts \d+ s, more than the 43200 s"),
    ],
)
def test_a_flac_whose_header_is_wrong_is_refused(tmp_path, signal, total, message):
    path = tmp_path / "wrong.flac"
    flac(path, signal, total)
    with pytest.raises(ValueError, match=rf"wrong\.flac: .*{message}"):
        audio.read(path)


def test_a_flac_that_is_damaged_in_the_midst_is_refused(tmp_path, signal):
    path = tmp_path / "flipped.flac"
    for total in (len(signal), 0):
        content = bytearray(flac(path, signal, total))
        content[len(content) // 2] ^= 0x10
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"flipped\.flac: breaks off after"):
            audio.read(path)
    flac(path, signal, len(signal), md5=bytes(15) + b"\1")
    with pytest.raises(ValueError, match="MD5"):
        audio.read(path)
    flac(path, signal, len(signal), md5=bytes(16))  # nobody reckoned it
    assert seconds(path) == SECONDS


def test_more_than_was_promised_is_not_left_out_in_silence(tmp_path, signal):
    path = tmp_path / "crashed.wav"
    samples = np.rint(signal * 32768).astype("<i2").tobytes()
    path.write_bytes(wav(samples, len(samples) // 2))
    with pytest.raises(ValueError, match=r"goes on after the 2\.0 s that its header"):
        audio.read(path)
    for tail in (b"LIST\4\0\0\0abcd", b"TAG" + bytes(125), bytes(50_000)):
        path.write_bytes(wav(samples, len(samples)) + tail)
        assert seconds(path) == SECONDS


def test_what_is_too_long_is_refused_unread(tmp_path):
    """Terabytes cost nothing where a file system leaves out what is zero."""
    path = tmp_path / "bomb.wav"
    long = b"ds64" + struct.pack("<IQQQI", 28, 2**38, 2**38 - 80, 2**37 - 40, 0)
    head = wav(bytes(100), 2**32 - 1)[12:]
    for content in (
        b"RF64" + b"\xff" * 4 + b"WAVE" + long + head,
        wav(b"\1" * 100, 2**32 - 1),
        wav(b"\1" * 100, 0),
    ):
        path.write_bytes(content)
        os.truncate(path, 2**38)
        with pytest.raises(
            ValueError, match=r"bomb\.wav: lasts \d+ s, more than the 600"
        ):
            audio.load(path, longest_sec=600)
    path.write_bytes(b"RF64" + b"\xff" * 4 + b"WAVE" + long + head)
    with pytest.raises(ValueError, match=r"bomb\.wav: breaks off after 0\.0 of \d+"):
        audio.read(path)


@pytest.mark.parametrize(("kind", "codec"), [("flac", "flac"), ("webm", "libopus")])
def test_what_does_not_say_that_it_is_too_long_is_not_read_to_its_end(
    tmp_path, signal, kind, codec
):
    path = tmp_path / "endless"
    path.write_bytes(piped(signal, kind, codec, 48_000 if kind == "webm" else RATE))
    with pytest.raises(ValueError, match=r"endless: lasts \d s, more than the 1 s"):
        audio.load(path, longest_sec=1.0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"cannot be read as audio \(empty file\)"),
        (b"<html>404 not found</html>", "it is text: '<html>404 not found</html>'"),
        ("versión https://git-lfs".encode(), "it is text: 'versión https://git-lfs'"),
        (b"#EXTM3U\n#EXTINF:4\nother.m4a\n", "it is text: '#EXTM3U #EXTINF:4 other"),
        (bytes(5000), "cannot be read as audio"),
        (wav(b"", 0), "not one sample"),
        (wav(b"", 128_000), "its header promises 128000 bytes"),
        (wav(b"", 0) + b"LIST\4\0\0\0abcd", "not one sample"),
        (wav(b"", 0)[:30], "cannot be read as audio"),
    ],
)
def test_what_is_no_audio_is_named(tmp_path, content, message):
    path = tmp_path / "a clip.mp3"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"a clip\.mp3: .*{message}"):
        audio.read(path)


def test_what_is_no_file_is_named(tmp_path):
    os.mkfifo(tmp_path / "fifo.wav")
    (tmp_path / "samples.raw").write_bytes(bytes(1000))
    for name, message in {
        "": "is a folder",
        "nobody.wav": "no such file",
        "fifo.wav": "is no plain file",
        "samples.raw": "raw samples have no header",
    }.items():
        with pytest.raises(ValueError, match=f"{name}: .*{message}"):
            audio.read(tmp_path / name)


@pytest.mark.parametrize("rate", [0, 1, 100, 1_000_000, 2**31 - 1, 2**32 - 1])
def test_an_absurd_sampling_rate_is_refused(tmp_path, signal, rate):
    path = tmp_path / "rate.wav"
    soundfile.write(path, signal, RATE)
    content = bytearray(path.read_bytes())
    content[24:28] = struct.pack("<I", rate)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"rate\.wav: (a sampling rate of|cannot be)"):
        audio.read(path)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_samples_that_are_no_numbers_are_refused(tmp_path, signal, subtype, odd):
    path = tmp_path / "odd.wav"
    soundfile.write(
        path, np.where(np.arange(64_000) == 8000, odd, signal), RATE, subtype
    )
    with pytest.raises(ValueError, match=r"odd\.wav: 1 of 64000 .* first at 0\.50 s"):
        audio.read(path)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize(
    ("bits", "peak"), [(16, 1.0), (16, 0.001), (24, 1.0), (32, 1.0)]
)
def test_integers_in_floating_point_are_refused(tmp_path, signal, subtype, bits, peak):
    path = tmp_path / "scale.wav"
    scaled = np.rint(peak * signal.astype(float) * 2 ** (bits - 1))
    soundfile.write(path, scaled, RATE, subtype=subtype)
    with pytest.raises(
        ValueError, match=rf"scale\.wav: .* that of {bits}-bit integers"
    ):
        audio.read(path)


def test_integers_that_were_worked_upon_are_refused_as_well(tmp_path, signal):
    path = tmp_path / "denoised.wav"
    soundfile.write(path, 3276.8 * signal, RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"denoised\.wav: samples reach .* full scale"):
        audio.read(path)


@pytest.mark.parametrize("peak", [1e-4, 1.0, 1.3, 4.0])
def test_headroom_is_read_as_it_is(tmp_path, signal, peak):
    path = tmp_path / "float.wav"
    scaled = (peak * signal / np.abs(signal).max()).astype(np.float32)
    soundfile.write(path, scaled, RATE, subtype="FLOAT")
    assert np.array_equal(audio.read(path), scaled)


@pytest.mark.parametrize("count", range(1, 9))
def test_one_signal_in_all_channels_is_that_signal(tmp_path, signal, count):
    path = tmp_path / "same.wav"
    soundfile.write(path, np.stack([signal] * count, 1), RATE, subtype="FLOAT")
    recording = audio.load(path)
    assert recording.note == ""
    assert np.abs(recording.samples - signal).max() < 1e-6


def test_two_channels_of_one_microphone_are_the_same(tmp_path, signal):
    """Lossy codecs, a turned knob and the noise of two amplifiers make no difference."""
    path = tmp_path / "stereo.mp3"
    noise = 0.001 * np.random.default_rng(1).standard_normal((len(signal), 2))
    for other in (signal, 0.9 * signal):
        stereo = np.stack([signal, other], 1) + noise
        soundfile.write(path, stereo, RATE, format="MP3")
        assert audio.load(path).note == ""


def speakers(signal: np.ndarray) -> np.ndarray:
    return np.stack([signal, signal[::-1]], 1)


def test_channels_that_differ_are_said_and_can_be_chosen(tmp_path, signal):
    path = tmp_path / "interpreter.wav"
    both = speakers(signal)
    soundfile.write(path, both, RATE, subtype="FLOAT")
    mixed = audio.load(path)
    assert mixed.note == "its 2 channels differ (-13, -13 dBFS): all are mixed"
    assert np.array_equal(mixed.samples, both.mean(axis=1))
    for name, side in {"left": 0, "right": 1, "1": 0, "2": 1}.items():
        picked = audio.load(path, channels=Channels(name))
        assert np.array_equal(picked.samples, both[:, side]) and not picked.note
    with pytest.raises(ValueError, match=r"interpreter\.wav: its 2 channels differ"):
        audio.load(path, channels=Channels("refuse"))
    with pytest.raises(ValueError, match=r"interpreter\.wav: has 2 channels, not '3'"):
        audio.load(path, channels=Channels("3"))
    for word in ("both", "0", "-1", "1.5", ""):
        with pytest.raises(ValueError, match="mix, refuse, left, right or a number"):
            Channels(word)


def test_a_channel_that_nobody_used_takes_nothing_from_the_other(tmp_path, signal):
    path = tmp_path / "one plug.wav"
    hum = 1e-4 * np.random.default_rng(0).standard_normal(len(signal))
    for silent in (0 * signal, hum):
        soundfile.write(path, np.stack([silent, signal], 1), RATE, subtype="FLOAT")
        recording = audio.load(path)
        assert np.array_equal(recording.samples, signal)
        assert "only 2 is heard" in recording.note


def test_channels_that_cancel_each_other_are_no_silence(tmp_path, signal):
    path = tmp_path / "polarity.wav"
    soundfile.write(path, np.stack([signal, -signal], 1), RATE)
    with pytest.raises(ValueError, match=r"polarity\.wav: .* cancel each other"):
        audio.load(path)
    assert len(audio.load(path, channels=Channels("left")).samples) == len(signal)
