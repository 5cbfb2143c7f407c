"""A recording holds what its file promises, on the scale of 1, or is refused by name."""

import os
import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio

RATE, SECONDS = 16_000, 4.0


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


@pytest.mark.parametrize(
    ("ending", "form"),
    [
        ("ogg", "VORBIS"),
        ("opus", "OPUS"),
        ("flac", "PCM_16"),
        ("au", "PCM_16"),
        ("caf", "PCM_16"),
        ("caf", "ALAC_16"),
    ],
)
def test_a_recording_behind_another_is_not_left_out_in_silence(
    tmp_path, signal, ending, form
):
    """As web radio writes them, and recorders that pause; decoders read the first."""
    path = tmp_path / f"chained.{ending}"
    kind = "OGG" if ending == "opus" else ending.upper()
    soundfile.write(path, signal, RATE, form, format=kind)
    assert abs(seconds(path) - SECONDS) < 0.01
    path.write_bytes(2 * path.read_bytes())
    with pytest.raises(ValueError, match=rf"chained\.{ending}: goes on after .*4\.0 s"):
        audio.read(path)


def test_a_cut_caf_and_one_with_a_chunk_behind_its_samples(tmp_path, signal):
    path = tmp_path / "x.caf"
    soundfile.write(path, signal, RATE)
    content = path.read_bytes()
    path.write_bytes(content + b"info" + (4).to_bytes(8, "big") + bytes(4))
    assert seconds(path) == SECONDS
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"x\.caf: breaks off after 1\.9 of 4\.0 s"):
        audio.read(path)


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
        (wav(bytes(30), 30), "no audio in it, 15 samples at 16000 Hz"),
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


def test_an_mp3_in_a_wav_is_whole(tmp_path, signal):
    """Its header counts the codec's delay: it was refused as cut off."""
    path = tmp_path / "u.wav"
    with av.open(str(path), "w", format="wav") as container:
        mux(container, signal, "libmp3lame", RATE)
    seconds = len(signal) / RATE
    assert len(audio.read(path)) / 16_000 == pytest.approx(seconds, abs=0.15)
