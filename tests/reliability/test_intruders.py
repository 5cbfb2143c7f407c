"""`serve` answers requests that are made to do harm in a sentence, and goes on."""

import socket
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "serve"))

import media_table
import tiny_pack
from cases import Reads
from serving import running

from s2st_interleave.pack.translator import Translator
from s2st_interleave.serve import server
from s2st_interleave.serve.models import Model


@pytest.fixture(scope="module")
def translator(tmp_path_factory) -> Translator:
    folder = tmp_path_factory.mktemp("packed")
    tiny_pack.write(folder)
    return Translator.from_pretrained(folder, device="cpu")


@pytest.fixture(scope="module")
def place(translator):
    with running([Model("a", translator)]) as running_place:
        yield running_place


UPLOADS = [
    (kind, name, content() if callable(content) else content)
    for kind in ("WAV", "FLAC", "Ogg", "MP3")
    for name, content, expected in media_table.READERS[kind].rows
    if not isinstance(expected, Reads)
]


@pytest.mark.parametrize(
    ("kind", "name", "content"), UPLOADS, ids=[f"{a}: {b}" for a, b, _ in UPLOADS]
)
def test_a_malformed_upload_is_told_in_a_sentence(kind, name, content, place):
    content = content.encode() if isinstance(content, str) else content
    reply = place.translate(content)
    assert reply.status == 422 and reply.json["kind"]
    assert "/tmp" not in reply.json["error"] and reply.json["error"].count("\n") == 0


PATHS = (
    "/../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "//etc/passwd",
    "/page.css/../app.py",
)
PATHS += (
    "/..%2fapp.py",
    "/page.css%00",
    "/\\..\\app.py",
    "/static/app.py",
    "/a" + "a" * 9000,
)


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_a_path_leads_to_no_file_but_those_of_the_page(path, place):
    with place.connect() as sock:
        sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost:{place.port}\r\n\r\n".encode()
        )
        answer = sock.recv(60_000)
    assert answer.split()[1] in (b"404", b"400", b"431")
    assert b"root:" not in answer and b"import" not in answer
    assert place.ask("/health").status == 200


def test_a_head_that_drips_is_cut_off_in_time(translator, monkeypatch, count):
    monkeypatch.setattr(server, "PATIENCE_SEC", 0.5)
    with running([Model("a", translator)]) as place:
        socks = [place.connect() for _ in range(20)]
        left = set(socks)
        for _ in range(200):
            for sock in list(left):
                try:
                    sock.sendall(b"X")
                except OSError:
                    left.discard(sock)
            if not left:
                break
            time.sleep(0.05)
        assert place.ask("/health").status == 200
        for sock in socks:
            sock.close()
    count(
        "intruders",
        uploads=len(UPLOADS),
        paths=len(PATHS),
        dripping=len(socks),
        left=len(left),
    )
    assert not left


def test_it_listens_on_loopback_unless_told_otherwise():
    from s2st_interleave.serve.command import Options

    assert Options.__dataclass_fields__["host"].default == "127.0.0.1"
    sock = server.bind("127.0.0.1", 0)
    try:
        assert server.is_loopback(sock) and sock.family == socket.AF_INET
    finally:
        sock.close()
