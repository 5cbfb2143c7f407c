"""egs/own/local/fetch_prompts.py on packages that are built here, of a few prompts."""

import gzip
import hashlib
import importlib.util
import shutil
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from s2st_interleave.errors import UserError

SCRIPT = Path(__file__).parents[2] / "egs/own/local/fetch_prompts.py"
pytestmark = pytest.mark.skipif(
    not shutil.which("dpkg-deb"), reason="dpkg-deb builds the packages of this test"
)
TEXTS = {
    "es": {
        "dir-nomatch": "Nadie en el directorio  corresponde.",
        "digits/0": "cero",
        "vm-intro": "Deje su mensaje [pausa] ahora",
        "vm-full": "El buzon esta lleno",
        "vm-lost": "No hay tal mensaje",
    },
    "en": {
        "dir-nomatch": "No directory entries match.",
        "digits/0": "zero",
        "vm-intro": "Please leave your message",
        "vm-full": "The mailbox is full",
        "vm-lost": "There is no message",
        "vm-only": "Only in this language",
    },
}


def test_nothing_is_fetched_for_help_or_a_wrong_option():
    """Packages of Spanish were fetched before --help and --lang=fr were read."""
    for words, status, told in (
        (["--help"], 0, "./prompts.sh --lang ru"),
        (["--lang=fr"], 1, "--lang comes first"),
        (["--stop_stage", "1", "--lang", "fr"], 1, "--lang comes first"),
        (["--lang"], 1, "--lang wants es, fr, it or ru"),
    ):
        command = ["bash", SCRIPT.parents[1] / "prompts.sh", *words]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert ended.returncode == status and told in ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def fetcher():
    spec = importlib.util.spec_from_file_location("fetch_prompts", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def packages(tmp_path_factory, fetcher) -> tuple[Path, dict[str, str]]:
    """A folder of packages like Debian's, and their hashes."""
    folder = tmp_path_factory.mktemp("the packages")
    for lang, texts in TEXTS.items():
        root = folder / lang
        document = root / f"usr/share/doc/asterisk-core-sounds-{lang}"
        document.mkdir(parents=True)
        lines = ["; a comment", "", *(f"{k}: {v}" for k, v in texts.items())]
        path = document / f"core-sounds-{lang}.txt.gz"
        path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
        build(folder, root, lang, fetcher.VERSION)
        sounds = folder / f"{lang}-g722"
        for prompt in texts:
            if (lang, prompt) != ("en", "vm-lost"):
                tone(
                    sounds / f"usr/share/asterisk/sounds/{lang}_voice/{prompt}.g722",
                    300 if lang == "es" else 600,
                )
        build(folder, sounds, f"{lang}-g722", fetcher.VERSION)
    hashes = {
        path.name.split("_")[0].removeprefix("asterisk-core-sounds-"): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in folder.glob("*.deb")
    }
    return folder, hashes


def build(folder: Path, root: Path, end: str, version: str) -> None:
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(
        f"Package: asterisk-core-sounds-{end}\nVersion: {version}\nArchitecture: all\n"
        "Maintainer: nobody <nobody@example.org>\nDescription: prompts\n"
    )
    name = f"asterisk-core-sounds-{end}_{version}_all.deb"
    subprocess.run(
        ["dpkg-deb", "--build", "-Zgzip", root, folder / name],
        check=True,
        capture_output=True,
    )


def tone(path: Path, hertz: int) -> None:
    """Write half a second of a tone as raw G.722."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = 8000 * np.sin(2 * np.pi * hertz * np.arange(8000) / 16_000)
    with av.open(str(path), "w", format="g722") as container:
        stream = container.add_stream("g722", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            samples.astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate = 16_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def options(fetcher, out: Path, debs: Path):
    return fetcher.Options(out_dir=out, debs=debs)


def test_pairs_are_written_and_all_others_have_a_reason(tmp_path, fetcher, packages):
    debs, hashes = packages
    out = tmp_path / "my prompts"
    fetcher.run(options(fetcher, out, debs), hashes)
    header, *rows = (
        line.split("\t") for line in (out / "prompts.tsv").read_text().splitlines()
    )
    assert header == list(fetcher.COLUMNS)
    table = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert sorted(table) == ["dir-nomatch", "vm-full"]
    assert table["dir-nomatch"]["src_text"] == "Nadie en el directorio corresponde."
    for side, hertz in (("src_audio", 300), ("tgt_audio", 600)):
        samples, rate = soundfile.read(out / table["vm-full"][side])
        assert rate == 16_000 and abs(len(samples) - 8000) < 100
        peak = np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples)
        assert abs(peak - hertz) < 5
    reasons = dict(
        line.split("\t") for line in (out / "dropped.tsv").read_text().splitlines()
    )
    assert "fewer than 3 words" in reasons["digits/0"]
    assert "brackets" in reasons["vm-intro"]
    assert "text in one language" in reasons["vm-only"]
    assert "recording in one language" in reasons["vm-lost"]


def test_a_package_of_another_hash_is_refused(tmp_path, fetcher, packages):
    debs, hashes = packages
    with pytest.raises(UserError, match="not the pinned 0000"):
        fetcher.run(options(fetcher, tmp_path, debs), hashes | {"es-g722": "0" * 64})
    assert not (tmp_path / "prompts.tsv").exists()


def test_a_missing_package_is_named(tmp_path, fetcher):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match="0 files asterisk-core-sounds-es_"):
        fetcher.run(options(fetcher, tmp_path / "out", empty))


def test_splits_follow_names_alone(fetcher):
    prompts = [f"prompt-{number}" for number in range(80)]
    splits = fetcher._splits(prompts)
    assert splits == fetcher._splits(prompts[::-1])
    counts = [list(splits.values()).count(name) for name in ("train", "dev", "test")]
    assert counts == [30, 25, 25]
