"""A packed folder says what the stages said; a damaged or mixed one is refused."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_recipe

from s2st_interleave import promises
from s2st_interleave.config import to_dict
from s2st_interleave.data import audio, kaldi
from s2st_interleave.files import read_json, write_json
from s2st_interleave.pack import command, folder
from s2st_interleave.pack.translator import Translator
from s2st_interleave.units import store

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow  # all stages, with very little of everything


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, text_llm) -> Path:
    root = tmp_path_factory.mktemp("a user's recipe")
    tiny_recipe.make(root, text_llm)
    return root


@pytest.fixture(scope="module")
def options(recipe) -> command.Options:
    exp = recipe / "exp"
    return command.Options(
        encoder=exp / "encoder",
        kmeans=exp / "kmeans",
        units_dir=recipe / "dump/units",
        dump_dir=recipe / "dump/interleave",
        train_dir=exp / "scheduled",
        decode_dir=exp / "scheduled/greedy_last/test",
        vocoder=exp / "vocoder",
        out_dir=recipe.parent / "the packed folder",
    )


@pytest.fixture(scope="module")
def packed(options) -> Path:
    command.run(options)
    return options.out_dir


def test_a_vocoder_of_another_side_is_told(options, tmp_path, capsys):
    """The codebook alone was compared: one voice was packed to answer for the other."""
    record = options.vocoder / "stage.json"
    done = read_json(record)
    write_json(record, done | {"options": done["options"] | {"side": "src"}})
    try:
        command.run(replace(options, out_dir=tmp_path / "pack"))
    finally:
        write_json(record, done)
    message = "vocoder has learned the voice of src, and speaks for tgt here"
    assert message in capsys.readouterr().out


def test_it_says_what_the_stages_said_from_the_original_recording(recipe, packed):
    model = Translator.from_pretrained(packed, device="cpu")
    out = recipe / "exp/scheduled/greedy_last/test"
    transcripts = kaldi.read_table(out / "text.src")
    translations = kaldi.read_table(out / "text.tgt")
    decoded = store.read_units(out / "units.tgt")
    for utterance, wav in kaldi.read_table(out / "vocode/wav.scp").items():
        original = recipe / "recordings" / f"{utterance}.es.wav"
        said = model(original)
        assert said.transcript == transcripts[utterance]
        assert said.translation == translations[utterance]
        assert np.array_equal(said.units, decoded[utterance])
        again = said.save(packed.parent / "again.wav")
        assert again.read_bytes() == Path(wav).read_bytes()


def test_the_command_line_without_the_recipe(recipe, packed, python, tmp_path):
    """The folder moves to another machine, where only the package is."""
    moved = tmp_path / "a model's folder"
    shutil.copytree(packed, moved)
    (moved / "stage.json").unlink()
    recording = tmp_path / "in put.mp3"
    rng = np.random.default_rng(3)
    soundfile.write(recording, 0.1 * rng.standard_normal((12_000, 1)), 8_000)
    out = tmp_path / "out.wav"
    words = ["--model", str(moved), str(recording), "--out", str(out)]
    run = [python, "-m", "s2st_interleave", "translate", *words]
    done = subprocess.run(
        [*run, "--device", "cpu"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert f"{recording} -> {out}" in done.stdout and "  en: " in done.stdout
    assert len(audio.read(out)) > 0
    again = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path)
    assert again.returncode == 1
    assert f"error: translate: {out} exists" in again.stderr


def test_it_holds_no_state_of_training_and_what_its_user_has_to_know(packed, text_llm):
    names = {str(p.relative_to(packed)) for p in packed.rglob("*") if p.is_file()}
    kept = {"LICENSE", "THIRD_PARTY.md", "NOTICE", "README.md"}
    kept |= {"pack.json", "config.yaml"}
    assert kept <= names
    left = ("optimizer.pt", "meta.json", "metrics.jsonl", "run.sh")
    assert not [name for name in names if name.endswith(left)]
    text = (packed / "NOTICE").read_text()
    assert text_llm.name in text and "w2v_bert" in text
    sums = (packed / "SHA256SUMS").read_text().splitlines()
    assert {line.split("  ")[1] for line in sums} == names - folder.OUTSIDE - {
        folder.CARD
    }


def test_nothing_that_others_read_names_a_path_of_this_machine(recipe, packed):
    for path in packed.rglob("*"):
        if path.is_file() and str(path.relative_to(packed)) not in folder.OUTSIDE:
            assert str(recipe).encode() not in path.read_bytes(), path
            assert str(ROOT).encode() not in path.read_bytes(), path


def test_a_model_card_that_was_edited_was_a_folder_no_longer_whole(packed):
    card, done = packed / "README.md", read_json(packed / "stage.json")
    text = card.read_text()
    try:
        card.write_text(text + "My own words.\n")
        assert not promises.broken(packed, done, reads=True)
    finally:
        card.write_text(text)


def test_the_model_card_has_the_facts_of_the_training(packed):
    text = (packed / "README.md").read_text()
    assert "- steps: 3\n" in text and "- pairs of utterances: 4\n" in text
    assert "es-en recordings of one's own" in text or "has not been scored" in text


def test_the_llm_loads_as_a_plain_one(packed):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(packed / "llm")
    tokenizer = AutoTokenizer.from_pretrained(packed / "llm")
    assert len(tokenizer("la casa").input_ids) and model.config.vocab_size > 20


@pytest.mark.parametrize("damage", ["changed", "missing", "added", "unpacked"])
def test_a_damaged_folder_is_refused(packed, tmp_path, damage):
    copy = tmp_path / "copy"
    shutil.copytree(packed, copy)
    weights = copy / "vocoder" / "model.safetensors"
    if damage == "changed":
        data = bytearray(weights.read_bytes())
        data[-1] ^= 1
        weights.write_bytes(data)
        message = r"vocoder.model.safetensors is not what was packed"
    elif damage == "missing":
        weights.unlink()
        message = r"vocoder.model.safetensors is missing"
    elif damage == "added":
        (copy / "llm" / "adapter_config.json").write_text("{}")
        message = r"adapter_config.json is not listed"
    else:
        (copy / "SHA256SUMS").unlink()
        message = "no packed model here"
    with pytest.raises(ValueError, match=message):
        Translator.from_pretrained(copy)


def test_parts_of_different_recipes_are_not_packed(options, tmp_path):
    other = tmp_path / "kmeans"
    shutil.copytree(options.kmeans, other)
    done = (other / "stage.json").read_text()
    outputs = read_json(other / "stage.json")["outputs"]
    (other / "stage.json").write_text(done.replace(outputs, "0" * 64))
    wrong = replace(options, kmeans=other, out_dir=tmp_path / "out")
    with pytest.raises(ValueError, match=r"dump.units was not made with .*kmeans"):
        command.run(wrong)
    assert not (tmp_path / "out").exists()


def test_packed_again_nothing_is_done(options, packed, capsys):
    before = (packed / "SHA256SUMS").stat().st_mtime_ns
    command.run(options)
    assert "up to date, skipped" in capsys.readouterr().out
    assert (packed / "SHA256SUMS").stat().st_mtime_ns == before


def test_what_the_card_says_of_the_corpus_makes_the_pack(options, packed, tmp_path):
    """A note that was changed was not read, and a missing one was told after all copies."""
    note = tmp_path / "note.txt"
    with pytest.raises(FileNotFoundError, match=r"note\.txt"):
        command.run(replace(options, out_dir=tmp_path / "out", corpus_note=note))
    assert not (tmp_path / "out").exists()
    note.write_text("Made speech.")
    for change in ({"corpus_note": note}, {"corpus": "my talks"}):
        with pytest.raises(ValueError, match="made with other options or inputs"):
            command.run(replace(options, **change))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Where pip has installed a wheel of the package, away from the repository."""
    root = tmp_path_factory.mktemp("a wheel")
    ours = ("setup.py", "pyproject.toml", "LICENSE", "THIRD_PARTY.md", "README.md")
    for name in ours:
        (root / "source").mkdir(exist_ok=True)
        shutil.copy(ROOT / name, root / "source")
    shutil.copytree(
        ROOT / "s2st_interleave",
        root / "source" / "s2st_interleave",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    local = ["--no-deps", "--no-build-isolation"]
    made = [*pip, "wheel", *local, "-w", str(root / "dist"), str(root / "source")]
    subprocess.run(made, check=True)
    (wheel,) = (root / "dist").glob("*.whl")
    site = root / "site"
    kept = [*pip, "install", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(kept, check=True)
    return site


def test_an_installed_wheel_packs_and_translates(
    recipe, options, packed, site, python, tmp_path
):
    """From another folder; the packages of others are those of this environment."""
    recording = recipe / "recordings" / "u0.es.wav"

    def ran(*words: object) -> str:
        done = subprocess.run(
            [str(python), "-m", "s2st_interleave", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(site), "HOME": str(tmp_path)},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    out = tmp_path / "packed"
    values = to_dict(options) | {"out_dir": str(out), "corpus": "four noises"}
    values = {k: "false" if value is False else value for k, value in values.items()}
    values = {k: value for k, value in values.items() if value is not None}
    ran("pack", *(f"--{key}={value}" for key, value in values.items()))
    for name in folder.listed(packed):
        if name not in ("NOTICE", "README.md", "pack.json"):  # which name the commit
            assert (out / name).read_bytes() == (packed / name).read_bytes(), name
    told = ran("translate", "--model", out, recording, "--out", "said.wav")
    said = Translator.from_pretrained(packed, device="cpu")(recording)
    assert told.splitlines()[2] == f"  en: {said.translation}"
    again = said.save(tmp_path / "again.wav")
    assert again.read_bytes() == (tmp_path / "said.wav").read_bytes()


def test_the_console_scripts_of_a_wheel_run(site, tmp_path):
    """`--help` of the plain interpreter, and where the module lies that it is from."""
    for script, words in (
        ("s2st-translate", "RECORDING"),
        ("s2st-interleave", "translate"),
    ):
        done = subprocess.run(
            [site / "bin" / script, "--help"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(site)},
        )
        assert done.returncode == 0 and words in done.stdout, done.stderr
    code = "import s2st_interleave as s; print(s.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(site)},
    )
    assert done.stdout.strip() == str(site / "s2st_interleave" / "__init__.py")
