"""Whole files of every kind that the package reads: where fuzzing starts, and mutates."""

import io
import json
import tarfile
import tempfile
from pathlib import Path

import kaldiio
import numpy as np
import safetensors.numpy
import soundfile
import tiny_parts

TSV = (
    b"id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text\tsplit\n"
    b"u1\ta.wav\thola\tb.wav\thello\ttrain\nu2\ta.wav\ttu\tb.wav\tyou\tdev\n"
    b"u3\ta.wav\tyo\tb.wav\tme\ttest\n",
    b'"id"\t"src_audio"\t"src_text"\t"tgt_audio"\t"tgt_text"\t"split"\n'
    b'"u1"\t"a.wav"\t"a ""b"""\t"b.wav"\t"c, d"\t"train"\n'
    b'"u2"\t""\t""\t"b"\t"c"\t"dev"\n"u3"\t"a"\t"b"\t"c"\t"d"\t"test"\n',
)
WORDS = (
    b'{"id": "u1", "words": [["hola", 0.0, 0.5, -0.1], ["tu", 0.5, 1, null]]}\n'
    b'{"id": "u2", "words": [["el", 0, 1, null]], "fault": "no audio"}\n',
)
YAML = (
    b"lr: 1e-4\nseed: 1\nlist: [a, b]\nblock:\n  x: ~\n  'y': \"q\"\n",
    b"- &a {x: 1}\n- *a\n- |\n  text\n- >-\n  more\n- !!str 5\n- true\n- 0x1f\n",
    b"? key\n: value\n<<: {a: 1}\nd: 2026-01-01\nt: 24:00:00\nn: null\n",
)
OPTIONS = (
    b"llm: a\ntrain_dir: a\ndev_dir: a\nout_dir: a\nlr: 1e-4\nmax_steps: 3000\n"
    b"batch_size: 64\ntext_ratio: 0.9\nschedule: step\n",
    b"llm: a/b\ntrain_dir: [a, b]\ndev_dir: c\nout_dir: d\nlr: 1\nwithout_effect:\n  seed: 1\n",
)
SLURM = (
    b"partition: gpu\ncuda_cmd:\n  num_nodes: 2\n  gpus_per_node: 8\n  minutes: 60\n"
    b"  memory_per_gpu: 48G\ndecode_cmd:\n  memory: 32G\n",
)
RECIPE = (
    b"tgt_lang: en\npair: '{src}_en'\nmodels: a/{shared}\nshared: shared/{grid}\n"
    b"parts: [exp/encoder]\n"
    b"sources: [a.yaml]\ntrain: t.yaml\ntest: test\n"
    b"system: '{system}.yaml'\noptions:\n  stage: 6\n  systems: '{system}'\n"
    b"notes:\n  title: x\n  claims: y\n  corpus: z\n"
)
GRID = (
    b"version: 1\nrecipe: replication.yaml\npage: ..\ncommand: x\napart: [a]\npairs: [fr_en]\n"
    b"groups:\n  - {table: 2, pairs: all, systems: [scheduled], seeds: [1]}\n",
)
VALUES = (b"1e-3", b"true", b"cuda:1", b"1 2 3", b"none")
JSON = (b'{"a": [1, 2.5, null, true, "\\u00e9"], "b": {"c": {}}}',)
FACTS = (
    b'{"last": "checkpoint-3", "best": "checkpoint-3", "num_steps": 3, "tokens_seen": 9,'
    b' "train_sec": 1.5, "tasks": {"": "src"}}',
)
PROGRESS = (
    b'{"step": 1, "tokens_seen": 2, "train_sec": 0.5, "best_step": 1, "best_loss": 2.5}',
)
METRICS = (
    b'{"step": 0, "loss": 2.5, "text_ratio": 0.9}\n{"step": 1, "loss": 2.25}\n'
    b'{"step": 1, "dev_loss": NaN, "sec": 3}\n',
)
SCORE = (
    json.dumps(
        {
            "system": "scheduled",
            "split": "test",
            "asr_bleu": 20.5,
            "chrf": 40.0,
            "ci95": [18.5, 22.0],
            "signature": "x",
            "num_utterances": 2,
            "num_missing": 0,
            "text_bleu": None,
            "src_wer": 12.0,
            "mos": None,
            "asr": None,
            "checkpoint": "last",
            "normalizer": "basic",
            "seed": 1,
            "git": "0",
            "tokens_seen": 9,
            "train_sec": 1.5,
            "layout": "src",
            "primary": "asr_bleu",
            "metrics": {
                "asr_bleu": {
                    "value": 20.5,
                    "ci95": [18.5, 22],
                    "signature": "x",
                    "num_utterances": 2,
                }
            },
        }
    ).encode(),
)
ANSWERS = (
    b'{"id": "u1", "texts": {"tgt": "hello"}, "units": {"tgt": [1, 2, 3]}}\n'
    b'{"id": "u2", "texts": {}, "units": {}}\n',
)
UNITS = (
    b"u1 71 8 8\nu2\t4 5\nu3|1 2\n",
    b"{'audio': 'a/u1.wav', 'hubert': '71 8 8', 'duration': 1.5}\n",
)
CTM = (b";; comment\nu1 1 0.00 0.25 hola 0.9\nu1 1 0.25 0.5 mundo\nu2 A 0 1 a\n",)
WHISPER = (
    b'{"segments": [{"words": [{"word": " hola", "start": 0.0, "end": 0.5,'
    b' "probability": 0.9}, {"word": "x", "score": 0.5}]}], "text": "hola"}',
)
TEXTGRIDS = (
    b'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 1\n'
    b'tiers? <exists>\nsize = 1\nitem []:\n    item [1]:\n        class = "IntervalTier"\n'
    b'        name = "words"\n        xmin = 0\n        xmax = 1\n'
    b"        intervals: size = 2\n        intervals [1]:\n            xmin = 0\n"
    b'            xmax = 0.5\n            text = "hola"\n        intervals [2]:\n'
    b'            xmin = 0.5\n            xmax = 1\n            text = ""\n',
    b'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n1\n<exists>\n1\n'
    b'"IntervalTier"\n"words"\n0\n1\n1\n0\n1\n"hola"\n',
    b'{"start": 0, "end": 1, "tiers": {"words": {"type": "interval", "entries":'
    b' [[0, 1, "hola"]]}}}',
)
PACK = (
    json.dumps(
        {
            "sides": {"src": "es", "tgt": "en"},
            "system": "scheduled",
            "checkpoint": "last",
            "layer": 2,
            "layout": "src_speech -> tgt_speech",
            "prompt": "",
            "num_beams": 1,
            "max_text_tokens": 99,
            "max_unit_ratio": 3.0,
            "base_llm": "a/b",
            "base_encoder": "c/d",
            "git": "0",
            "version": 3,
        }
    ).encode(),
    b"0" * 64 + b"  llm/model.safetensors\n",
)


def npy(array: np.ndarray, *, pickled: bool = False) -> bytes:
    """The bytes of an .npy file."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=pickled)
    return stream.getvalue()


NPY = (npy(np.arange(6, dtype=np.int32).reshape(3, 2)),)


def dump_files() -> dict[str, bytes]:
    """The files of a tiny dump, by name, with __ for dots."""
    with tempfile.TemporaryDirectory() as place:
        tiny_parts.write_dump(Path(place))
        paths = sorted(p for p in Path(place).iterdir() if p.name != "stage.json")
        return {p.name.replace(".", "__"): p.read_bytes() for p in paths}


def unit_arks() -> tuple[bytes, ...]:
    """Archives of units: as stage 4 writes them, of floats, of numpy's format, as text."""
    many = []
    forms = ({}, {"compression_method": 2}, {"write_function": "numpy"}, {"text": True})
    for form in forms:
        kind = np.float32 if form else np.int32
        with tempfile.TemporaryDirectory() as place:
            stem = Path(place) / "a"
            units = {"u1": np.arange(5, dtype=kind), "u2": np.arange(3, dtype=kind)}
            if "compression_method" in form:
                units = {k: np.tile(v, (2, 1)) for k, v in units.items()}
            kaldiio.save_ark(f"{stem}.ark", units, scp=f"{stem}.scp", **form)
            scp = Path(f"{stem}.scp").read_text().replace(str(stem), "a").encode()
            many.append(
                Path(f"{stem}.ark").read_bytes() + b"\n-- the next file --\n" + scp
            )
    return tuple(many)


def recordings() -> dict[str, bytes]:
    """A tenth of a second as a file of every kind that soundfile writes."""
    samples = 0.1 * np.sin(np.arange(1600) / 10)
    kinds = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG", "mp3": "MP3", "caf": "CAF"}
    kinds |= {"aiff": "AIFF", "au": "AU", "w64": "W64"}
    contents = {}
    for ending, kind in kinds.items():
        stream = io.BytesIO()
        soundfile.write(stream, samples, 16_000, format=kind)
        contents[ending] = stream.getvalue()
    return contents


def audio_arks() -> tuple[bytes, ...]:
    """Archives of recordings as stage 1 (FLAC) and Kaldi (WAV) write them."""
    made = recordings()
    flac = b"u1 AUDIO\x02" + len(made["flac"]).to_bytes(2, "little") + made["flac"]
    return flac + b"u2 " + made["wav"], b"u1 " + made["wav"]


def tar(compression: str = "") -> bytes:
    """An archive of a table and a recording."""
    stream = io.BytesIO()
    mode = f"w:{compression[1:]}" if compression else "w"
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in (("x/train.tsv", b"a.mp3\tone\n"), ("x/a.wav", b"RIFF")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def codebook() -> bytes:
    """The file of three centroids."""
    return safetensors.numpy.save({"centroids": np.eye(3, dtype=np.float32)})
