"""Archives: read whole or not at all, and nothing outside of their folder."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from s2st_interleave.data.archive import Reading, listed


def pack(
    path: Path, *members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE
) -> Path:
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(content)
            info.linkname = "/etc/hosts" if kind == tarfile.SYMTYPE else ""
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("ending", ["tar.gz", "tgz", "tar"])
@pytest.mark.parametrize("prefix", ["", "./", "cvss_c_pt_en_v1.0/", 'it\'s "v1"/'])
def test_an_archive_is_a_folder_of_which_only_tables_are_unpacked(
    tmp_path, prefix, ending, capsys
):
    archive = pack(
        tmp_path / f"cvss_c_pt_en_v1.0.{ending}",
        (f"{prefix}train.tsv", b"a.mp3\tone\n"),
        (f"{prefix}train/b.mp3.wav", b"RIFFb"),
        (f"{prefix}train/a.mp3.wav", b"RIFFa"),
    )
    content = listed(archive, tmp_path / "un packed")
    folder = content.folder("train.tsv")
    assert (content.tables / folder / "train.tsv").read_bytes() == b"a.mp3\tone\n"
    clips = [archive / folder / "train" / f"{name}.mp3.wav" for name in "ba"]
    names = [str(archive / folder / "train.tsv"), *map(str, clips)]
    assert list(content.members) == names
    member = content.members[str(clips[1])]
    assert member[:3] == (archive, 2, 5)
    assert member.sha256 == hashlib.sha256(b"RIFFa").hexdigest()
    reading = Reading(archive)
    assert [reading.read(clip).content for clip in clips] == [b"RIFFb", b"RIFFa"]
    with pytest.raises(ValueError, match=r"b\.mp3\.wav: the archive has changed"):
        reading.read(clips[0])
    assert listed(archive, tmp_path / "un packed") == content
    assert capsys.readouterr().out.count("listing") == 1
    files = [p for p in (tmp_path / "un packed").rglob("*") if p.is_file()]
    assert sorted(p.name for p in files) == [".unpacked.json", "train.tsv"]


def test_an_archive_that_was_damaged_since_is_said_so(tmp_path):
    noise = [bytes([k]) * 100_000 for k in range(3)]
    archive = pack(tmp_path / "x.tar", *((f"{k}.wav", noise[k]) for k in range(3)))
    listed(archive, tmp_path / "out")
    archive.write_bytes(archive.read_bytes()[:150_000])
    reading = Reading(archive)
    assert reading.read(archive / "0.wav").content == noise[0]
    with pytest.raises(ValueError, match=r"x\.tar is damaged or cut off"):
        reading.read(archive / "1.wav")


def test_what_an_earlier_version_unpacked_gives_way_to_a_list(tmp_path, capsys):
    archive = pack(tmp_path / "x.tar.gz", ("x/a.tsv", b"1"), ("x/a.wav", b"RIFF"))
    content = listed(archive, tmp_path / "out")
    origin = content.tables / ".unpacked.json"
    known = json.loads(origin.read_text())
    known["members"] = list(known.pop("files"))
    origin.write_text(json.dumps(known))
    (content.tables / "x" / "a.wav").write_bytes(b"RIFF")
    assert listed(archive, tmp_path / "out") == content
    assert "unpacked by an earlier version" in capsys.readouterr().out
    assert not (content.tables / "x" / "a.wav").exists()


def test_a_table_that_was_removed_is_made_again(tmp_path, capsys):
    archive = pack(tmp_path / "x.tar.gz", ("x/a.tsv", b"1"), ("x/a.wav", b"RIFF"))
    table = listed(archive, tmp_path).tables / "x" / "a.tsv"
    table.unlink()
    listed(archive, tmp_path)
    assert table.read_bytes() == b"1"
    assert "a.tsv is gone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("../evil", tarfile.REGTYPE, "leads out"),
        ("/tmp/evil", tarfile.REGTYPE, "leads out"),
        ("train.tsv", tarfile.SYMTYPE, "no plain file"),
        ("train.tsv", tarfile.FIFOTYPE, "no plain file"),
    ],
)
def test_a_member_that_leads_elsewhere_is_refused(tmp_path, name, kind, message):
    archive = pack(tmp_path / "x.tar.gz", (name, b""), kind=kind)
    with pytest.raises(ValueError, match=message):
        listed(archive, tmp_path / "out")
    assert not (tmp_path / "out" / "x").exists()
    assert not (tmp_path / "evil").exists()


def test_a_member_that_occurs_twice_is_refused(tmp_path):
    archive = pack(tmp_path / "x.tar.gz", ("a", b"1"), ("./a", b"2"))
    with pytest.raises(ValueError, match=r"'\./a' occurs twice"):
        listed(archive, tmp_path)


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_half_an_archive_leaves_nothing_and_says_so(tmp_path, kept):
    noise = bytes(range(256)) * 400
    archive = pack(tmp_path / "x.tar.gz", *((f"{k}.wav", noise) for k in range(9)))
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(ValueError, match=r"x\.tar\.gz is damaged or cut off"):
        listed(archive, tmp_path / "out")
    assert not (tmp_path / "out" / "x").exists()
    archive.write_bytes(whole)
    assert len(listed(archive, tmp_path / "out").members) == 9


def test_what_is_not_there_or_another_one_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="packed and unpacked"):
        listed(tmp_path / "x.tar.gz", tmp_path)
    archive = pack(tmp_path / "x.tar.gz", ("a", b"1"))
    with pytest.raises(ValueError, match=r"holds no train\.tsv"):
        listed(archive, tmp_path).folder("train.tsv")
    pack(archive, ("a", b"12"), ("b", b""))
    with pytest.raises(ValueError, match="from another archive"):
        listed(archive, tmp_path)
