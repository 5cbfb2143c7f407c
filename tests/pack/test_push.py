"""`push` uploads a packed folder, and `from_pretrained` reads it back, by a stand-in hub."""

import shutil
from pathlib import Path

import hub_stand_in
import huggingface_hub
import numpy as np
import pytest
import tiny_pack

from s2st_interleave import __main__ as command_line
from s2st_interleave import hub
from s2st_interleave.errors import UserError
from s2st_interleave.pack import folder
from s2st_interleave.pack.translator import Translator

REPO = "me/llama-es-en"


@pytest.fixture
def served(monkeypatch, tmp_path):
    """The library talks to the stand-in, with a token and a cache of its own."""
    with hub_stand_in.serving() as stand_in:
        hub_stand_in.use(monkeypatch, stand_in.endpoint, tmp_path / "cache")
        monkeypatch.setenv("HF_TOKEN", hub_stand_in.TOKEN)
        yield stand_in


@pytest.fixture
def model(tiny_model, tmp_path) -> Path:
    """A copy with a model card."""
    copy = tmp_path / "packed"
    shutil.copytree(tiny_model, copy)
    (copy / "README.md").write_text("---\nlicense: other\n---\n# a model\n")
    folder.write_sums(copy)
    return copy


def push(model: Path, *words: str) -> int:
    return command_line.main(["push", "--model", str(model), "--repo", REPO, *words])


def test_what_was_pushed_is_loaded_from_the_hub_and_says_the_same(
    served, model, translator, capsys
):
    assert push(model) == 0
    repo = served.repos[REPO]
    names = {str(p.relative_to(model)) for p in model.rglob("*") if p.is_file()}
    assert repo.commits[repo.branches["main"]].keys() == names | {".gitattributes"}
    assert len(served.objects) == 4  # the weights
    line = capsys.readouterr().out.splitlines()[-1]
    name = line.split()[3]
    assert line == f"push: s2st-translate --model {REPO}@{repo.branches['main']} in.wav"
    question = (tiny_pack.noise(1), 16_000)
    expected = translator(question)
    for source, more in ((name, {}), (REPO, {}), (REPO, {"revision": "main"})):
        said = Translator.from_pretrained(source, device="cpu", **more)(question)
        assert said.answer.texts == expected.answer.texts
        assert np.array_equal(said.samples, expected.samples)


def test_a_card_that_was_edited_goes_up_as_it_is(served, model):
    """docs/using.md said to edit it as one likes, and `push` refused it."""
    (model / "README.md").write_text("---\nlicense: other\n---\n# a better text\n")
    assert push(model) == 0
    repo = served.repos[REPO]
    sums = repo.commits[repo.branches["main"]]["SHA256SUMS"]
    assert "README.md" not in str(sums)
    assert Translator.from_pretrained(REPO, device="cpu")


def test_a_branch_is_made_and_read(served, model):
    assert push(model, "--revision", "beta") == 0
    commits = served.repos[REPO].branches
    assert commits["beta"] != commits["main"]
    assert folder.Description.read(hub.snapshot(f"{REPO}@beta")).system == "scheduled"
    with pytest.raises(UserError, match="has no revision 'v9' of it"):
        hub.snapshot(f"{REPO}@v9")


def test_files_of_an_earlier_version_are_removed(served, model):
    assert push(model) == 0
    (model / "vocoder" / "model.safetensors").rename(
        model / "vocoder" / "other.safetensors"
    )
    folder.write_sums(model)
    assert push(model) == 0
    repo = served.repos[REPO]
    files = repo.commits[repo.branches["main"]]
    assert "vocoder/other.safetensors" in files
    assert "vocoder/model.safetensors" not in files and ".gitattributes" in files


def test_records_of_the_machine_that_packed_stay_there(served, model):
    (model / "stage.json").write_text('{"paths": "somewhere at home"}')
    assert push(model) == 0
    repo = served.repos[REPO]
    assert "stage.json" not in repo.commits[repo.branches["main"]]


def test_a_private_model_is_read_with_its_token_alone(served, model, monkeypatch):
    assert push(model, "--private", "true") == 0 and served.repos[REPO].private
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(
        UserError, match="no such model, or a private one: set HF_TOKEN"
    ):
        hub.snapshot(REPO)


def test_without_a_hub_the_copy_of_before_serves(served, model, monkeypatch, capsys):
    assert push(model) == 0
    before = hub.snapshot(REPO)
    cache = Path(huggingface_hub.constants.HF_HUB_CACHE)
    hub_stand_in.use(monkeypatch, "http://127.0.0.1:9", cache)
    assert hub.snapshot(REPO) == before
    assert "is out of reach, the copy of before is used" in capsys.readouterr().err
    with pytest.raises(
        UserError,
        match=r"x/y: no such folder, no copy in .*, and the hub \(http.*out of",
    ):
        hub.snapshot("x/y")


def changed(model: Path) -> None:
    (model / "NOTICE").write_text("not what was packed")


def linked_card(model: Path) -> None:
    (model.parent / "secret").write_text("---\nlicense: other\n---\n# top secret\n")
    no_card(model)
    (model / "README.md").symlink_to(model.parent / "secret")


def edited_card_of_an_earlier_version(model: Path) -> None:
    with (model / "SHA256SUMS").open("a") as stream:
        stream.write(f"{'0' * 64}  README.md\n")


def no_card(model: Path) -> None:
    (model / "README.md").unlink()


def at_home(model: Path) -> None:
    (model / "config.yaml").write_text(f"llm: {Path.home()}/llm\n")
    folder.write_sums(model)


def token(model: Path) -> None:
    (model / "llm" / "notes.txt").write_text("hf_" + "a1" * 17)
    folder.write_sums(model)


def llama(model: Path) -> None:
    text = (model / "pack.json").read_text()
    (model / "pack.json").write_text(
        text.replace("tiny/llm", "meta-llama/Llama-3.2-1B")
    )
    folder.write_sums(model)


def nothing(model: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("prepare", "words", "message"),
    [
        (changed, [], "NOTICE is not what was packed"),
        (no_card, [], "README.md, the model card, is missing"),
        (linked_card, [], "README.md is a link that leads out of the folder"),
        (edited_card_of_an_earlier_version, [], "take its line out of SHA256SUMS"),
        (at_home, [], f"config.yaml names {Path.home()}, a path of this machine"),
        (token, [], "notes.txt holds a token of the hub: nothing was uploaded"),
        (llama, ["--repo", "me/es-en"], 'has a name that starts with "Llama"'),
        (nothing, ["--repo", "es-en"], "--repo es-en: wants owner/name"),
    ],
)
def test_what_must_not_be_seen_is_not_uploaded(
    served, model, monkeypatch, capsys, prepare, words, message
):
    monkeypatch.setenv("HOME", str(Path.home()))
    prepare(model)
    assert push(model, *words) == 1
    assert message in capsys.readouterr().err
    assert served.asked == []


def test_no_token_and_a_wrong_one_are_one_line(served, model, monkeypatch, capsys):
    monkeypatch.delenv("HF_TOKEN")
    assert push(model) == 1
    told = capsys.readouterr().err
    assert told == (
        "error: push: the hub wants a token: set HF_TOKEN, or run `hf auth login`\n"
    )
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert push(model) == 1
    told = capsys.readouterr().err.splitlines()
    assert (
        told[-1]
        == f"error: push: {REPO}: the hub says 401: Invalid username or password."
    )


def test_a_hub_out_of_reach_is_one_line(served, model, monkeypatch, capsys):
    cache = Path(huggingface_hub.constants.HF_HUB_CACHE)
    hub_stand_in.use(monkeypatch, "http://127.0.0.1:9", cache)
    assert push(model) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(
        "error: push: the hub (http://127.0.0.1:9) is out of reach: "
    )
