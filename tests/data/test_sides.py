"""A side is a role, and the language that it speaks is a fact of it."""

from pathlib import Path

import pytest

from s2st_interleave.data import kaldi, sides
from s2st_interleave.data.sides import Side
from s2st_interleave.errors import UserError
from s2st_interleave.files import write_json
from s2st_interleave.stage_dir import Input


def data_of(folder: Path, spoken: dict[str, str], *ids: str) -> kaldi.DataDir:
    sides.write(folder, spoken)
    for role in spoken:
        table = {name: f"{folder.name}/{role}/{name}.flac" for name in ids}
        kaldi.write_table(folder / f"wav.scp.{role}", table)
    return kaldi.DataDir(folder)


def test_roles_keep_the_order_in_which_they_speak(tmp_path):
    named = {"user": "en", "agent": "en"}
    sides.write(tmp_path, named)
    assert (tmp_path / "sides").read_text() == "user en\nagent en\n"
    assert list(sides.read(tmp_path)) == ["user", "agent"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user", "'user' is no side"),
        ("=en", "'=en' is no side"),
        ("a b=en", "'a b=en' is no side"),
        ("../x=en", "is no side"),
        ("user=EN", "did you mean 'en'"),
    ],
)
def test_what_is_no_side_is_refused(text, message):
    with pytest.raises(UserError, match=message):
        Side(text)


def test_a_role_is_named_once_and_beside_another():
    with pytest.raises(UserError, match="side 'a' occurs twice"):
        sides.by_role([Side("a=en"), Side("a=es")])
    with pytest.raises(UserError, match="two sides or more"):
        sides.by_role([Side("a=en")])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("src es\nsrc en\n", "sides: side 'src' occurs twice"),
        ("src es\ntgt\n", "sides:2: 'tgt' is no side"),
    ],
)
def test_a_table_that_was_edited_names_file_and_line(tmp_path, table, message):
    (tmp_path / "sides").write_text(table)
    with pytest.raises(UserError, match=message):
        sides.read(tmp_path)


def test_a_side_is_found_by_its_role_or_by_a_language_that_it_alone_speaks(tmp_path):
    pair = data_of(tmp_path / "pair", {"src": "es", "tgt": "en"}, "u")
    assert pair.wavs("en") == pair.wavs("tgt") == {"u": Path("pair/tgt/u.flac")}
    talk = data_of(tmp_path / "talk", {"user": "en", "agent": "en"}, "u")
    assert talk.wavs("agent") == {"u": Path("talk/agent/u.flac")}
    with pytest.raises(UserError, match=r"no one side 'en'; it has user \(en\), agent"):
        talk.wavs("en")
    with pytest.raises(UserError, match="no one side 'tgt'"):
        talk.file("text", "tgt")


def test_a_model_of_a_language_reads_all_that_speak_it(tmp_path):
    """Labels, of which draws and batches are made, are as ever where nothing clashes."""
    pair = data_of(tmp_path / "pair", {"src": "es", "tgt": "en"}, "u")
    talk = data_of(tmp_path / "talk", {"user": "en", "agent": "en"}, "u", "v")
    dirs = kaldi.DataDirs((pair.path, talk.path))
    assert dirs.languages() == ("es", "en")
    assert dirs.wavs("es") == {("es", "u"): Path("pair/src/u.flac")}
    assert [":".join(voice) for voice in dirs.wavs("en")] == [
        "en:u",
        "en.user:u",
        "en.user:v",
        "en.agent:u",
        "en.agent:v",
    ]
    assert kaldi.DataDirs((pair.path,)).wavs_of_side("tgt") == pair.wavs("tgt")


def test_a_directory_that_says_nothing_asks_to_be_made_anew(tmp_path):
    with pytest.raises(FileNotFoundError, match="stage 1"):
        sides.read(tmp_path)
    record = {"options": {"languages": ["es", "en", "fr"]}}
    write_json(tmp_path / "stage.json", record)
    with pytest.raises(UserError, match="--overwrite true"):
        sides.read(tmp_path)


def test_the_recipe_that_makes_missing_data_is_named(tmp_path, monkeypatch):
    """A pair whose vocoder learns from another one's English was told to make its own."""
    for pair in ("pt_en", "fr_en"):
        (tmp_path / pair).mkdir()
        (tmp_path / pair / "run.sh").touch()
    monkeypatch.chdir(tmp_path / "pt_en")
    with pytest.raises(FileNotFoundError, match=r"\.\./fr_en/run\.sh --stage 1 "):
        sides.read(Path("../fr_en/data/train"))
    for here in ("data/train", "../data/train"):
        with pytest.raises(FileNotFoundError, match=r": \./run\.sh --stage 1 "):
            sides.read(Path(here))
    with pytest.raises(FileNotFoundError, match=r": \.\./fr_en/run\.sh --stage 4 "):
        Input(Path("../fr_en/dump/units/train"), "units").fingerprint()
