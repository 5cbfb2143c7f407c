"""Archives: whole or not at all, and nothing outside of their folder."""

import io
import tarfile
from pathlib import Path

import pytest

from s2st_interleave.data.archive import unpacked


def pack(
    path: Path, *members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE
) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(content)
            info.linkname = "/etc/hosts" if kind == tarfile.SYMTYPE else ""
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("prefix", ["", "./", "cvss_c_pt_en_v1.0/"])
def test_an_archive_is_a_folder_once_unpacked(tmp_path, prefix, capsys):
    archive = pack(
        tmp_path / "cvss_c_pt_en_v1.0.tar.gz",
        (f"{prefix}train.tsv", b"a.mp3\tone\n"),
        (f"{prefix}train/a.mp3.wav", b"RIFF"),
    )
    folder = unpacked(archive, tmp_path / "un packed", "train.tsv")
    assert (folder / "train" / "a.mp3.wav").read_bytes() == b"RIFF"
    assert unpacked(archive, tmp_path / "un packed", "train.tsv") == folder
    assert capsys.readouterr().out.count("unpacking") == 1
    assert unpacked(folder, tmp_path, "train.tsv") == folder


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
        unpacked(archive, tmp_path / "out", "train.tsv")
    assert not (tmp_path / "out" / "x").exists()
    assert not (tmp_path / "evil").exists()


def test_a_member_that_occurs_twice_is_refused(tmp_path):
    archive = pack(tmp_path / "x.tar.gz", ("a", b"1"), ("./a", b"2"))
    with pytest.raises(ValueError, match=r"'\./a' occurs twice"):
        unpacked(archive, tmp_path, "a")


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_half_an_archive_leaves_nothing_and_says_so(tmp_path, kept):
    noise = bytes(range(256)) * 400
    archive = pack(tmp_path / "x.tar.gz", *((f"{k}.wav", noise) for k in range(9)))
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(ValueError, match=r"x\.tar\.gz is damaged or cut off"):
        unpacked(archive, tmp_path / "out", "0.wav")
    assert not (tmp_path / "out" / "x").exists()
    archive.write_bytes(whole)
    assert unpacked(archive, tmp_path / "out", "8.wav").is_dir()


def test_what_is_not_there_or_another_one_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="packed and unpacked"):
        unpacked(tmp_path / "x.tar.gz", tmp_path, "a")
    archive = pack(tmp_path / "x.tar.gz", ("a", b"1"))
    with pytest.raises(ValueError, match=r"holds no train\.tsv"):
        unpacked(archive, tmp_path, "train.tsv")
    pack(archive, ("a", b"12"), ("b", b""))
    with pytest.raises(ValueError, match="from another archive"):
        unpacked(archive, tmp_path, "a")
