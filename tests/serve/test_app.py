"""`POST /translate` and its neighbours: what is answered, and how bad input is told."""

import base64
import io
import re
import tempfile
import wave
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
import tiny_pack
from serving import WAIT_SEC, running, until

from s2st_interleave.pack import speech_file
from s2st_interleave.pack.translator import Translator
from s2st_interleave.serve.models import Model


def test_an_answer_is_what_the_translator_says(place, translator, speech):
    body = speech(1.5)
    reply = place.translate(body)
    said = translator(body)
    wanted = said.to_json()
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert (reply.json["seconds"], reply.json["source"]) == (1.5, None)
    (answer,) = reply.json["answers"]
    assert answer["model"] == "scheduled" and answer["times"] == wanted["times"]
    assert answer["translation"] == wanted["translation"] != ""
    wav = base64.b64decode(answer["speech"])
    assert wav == speech_file.encoded(said.samples, said.rate)
    assert answer["remarks"] == said.answer_remarks  # what was cut among them


def test_the_recording_comes_back_as_the_model_heard_it(place, translator, speech):
    body = speech(1.0, form="OGG")
    reply = place.translate(body, "?source=true").json
    samples, rate = soundfile.read(
        io.BytesIO(base64.b64decode(reply["source"])), dtype="float32"
    )
    assert rate == 16_000 and np.array_equal(samples, translator(body).clip.samples)


def test_several_models_answer_side_by_side_also_one_without_speech(
    tmp_path, translator, speech
):
    tiny_pack.write(tmp_path / "texts", "src_speech -> src_text tgt_text")
    texts = Translator.from_pretrained(tmp_path / "texts", device="cpu")
    with running([Model("a", translator), Model("b", texts)]) as place:
        body = speech(1.2)
        one, other = place.translate(body).json["answers"]
        assert (one["model"], other["model"]) == ("a", "b")
        assert one["translation"] == translator(body).translation
        assert other["translation"] == texts(body).translation
        assert one["speech"] and other["speech"] is None
        models = place.ask("/health").json["models"]
        assert [m["name"] for m in models] == ["a", "b"]
        assert {(m["from"], m["to"]) for m in models} == {("es", "en")}


def test_requests_at_the_same_time_get_each_its_own_answer(place, translator, speech):
    bodies = [speech(0.5 + 0.1 * k) for k in range(8)]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(place.translate, bodies))
    for body, reply in zip(bodies, replies, strict=True):
        said, (answer,) = translator(body), reply.json["answers"]
        assert answer["transcript"] == said.transcript
        assert answer["times"] == said.to_json()["times"]
        wav = base64.b64decode(answer["speech"])
        assert wav == speech_file.encoded(said.samples, said.rate)


def header_alone() -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
    return stream.getvalue()


BAD = {
    "nothing": (lambda speech: b"", "empty file"),
    "text": (lambda speech: b"hello", "it is text: 'hello'"),
    "a page": (lambda speech: b"<html><script>alert(1)</script>", "it is text"),
    "zeros": (lambda speech: bytes(5000), "cannot be read as audio"),
    "half a WAV": (lambda speech: speech(2.0)[:30_000], "breaks off"),
    "half a FLAC": (lambda speech: speech(2.0, form="FLAC")[:30_000], "breaks off"),
    "a header": (lambda speech: header_alone(), "no audio in it"),
    "an archive": (lambda speech: b"PK\3\4" + bytes(99), "cannot be read as audio"),
    "a playlist": (
        lambda speech: b"#EXTM3U\n#EXTINF:9,\n/etc/hostname\n",
        "cannot be read as audio",
    ),
    "silence": (lambda speech: speech(1.0, 0.0), "silent: its level is -120.0 dBFS"),
    "a click": (lambda speech: speech(0.1), "0.10 s is too short"),
    "a speech": (
        lambda speech: speech(31.0, 1.0, "FLAC"),
        "31 s is more than the 30 s",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_recording_that_is_not_translated_is_told_why(
    name, place, speech, tmp_path, monkeypatch, capfd
):
    """In one sentence of its own, without a path of the server, and no file is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    make, sentence = BAD[name]
    reply = place.translate(make(speech))
    logged = capfd.readouterr().err.splitlines()
    assert reply.status == 422 and reply.json.keys() == {"error", "kind"}
    assert sentence in reply.json["error"] and "\n" not in reply.json["error"]
    assert reply.json["error"].startswith("the recording: ")
    assert not re.search("(min|max)_", reply.json["error"])  # no visitor can set these
    assert str(tmp_path) not in reply.json["error"]
    # The line about the answer before this one may come as late as now.
    assert all(" answered in " in line for line in logged)
    assert list(tmp_path.iterdir()) == []
    assert place.translate(speech(0.5)).status == 200


def test_remarks_name_no_option_that_a_visitor_cannot_set(place):
    """They named one of the command line."""
    channels = np.random.default_rng(0).uniform(-0.1, 0.1, (16_000, 2))
    upload = io.BytesIO()
    soundfile.write(upload, channels, 16_000, format="WAV")
    (remark,) = place.translate(upload.getvalue()).json["remarks"]
    assert "its 2 channels differ" in remark and "--" not in remark


def test_no_file_of_an_upload_is_kept(place, speech, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert place.translate(speech(0.7, form="OGG")).status == 200
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "sentence"),
    [
        ("/none", None, {}, 404, "There is no such page"),
        ("/../command.py", None, {}, 404, "There is no such page"),
        ("/page.js/../../command.py", None, {}, 404, "There is no such page"),
        ("/%2e%2e/command.py", None, {}, 404, "There is no such page"),
        ("/translate", None, {}, 405, "POST /translate"),
        ("/health", b"", {}, 405, "GET /health"),
        ("/translate?source=maybe", b"x", {}, 422, "'source' is true or false"),
        (
            "/translate",
            b"--x--",
            {"Content-Type": "multipart/form-data; boundary=x"},
            415,
            "Send the bytes of the file alone",
        ),
    ],
)
def test_a_request_that_is_none_of_ours_is_one_sentence(
    path, body, headers, status, sentence, place
):
    reply = place.ask(path, body, headers)
    assert reply.status == status and sentence in reply.json["error"]


def test_what_is_no_http_is_refused(place):
    with place.connect() as sock:
        sock.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 400 ")
    assert place.ask("/health").json["status"] == "ok"


def test_a_fault_is_one_sentence_and_its_traceback_is_in_the_log(held, speech, capfd):
    """Recordings in the same batch are answered, and so are later ones."""
    held.fault_sec.append(0.6)
    with running([Model("a", held)]) as place:
        first = place.begin(speech(0.5))
        assert held.busy.wait(WAIT_SEC)
        others = [place.begin(speech(0.6)), place.begin(speech(0.7))]
        until(lambda: place.worker.num_waiting == 2)
        held.go.set()
        statuses = [wait().status for wait in (first, *others)]
        assert statuses == [200, 500, 200] and held.batches == [1, 2, 1, 1]
        bad = others[0]()
        assert bad.json == {
            "error": "A fault of the server: its log tells more.",
            "kind": "fault",
        }
        assert bad.headers["x-content-type-options"] == "nosniff"
        assert place.translate(speech(0.8)).status == 200
    assert capfd.readouterr().err.count("RuntimeError: a fault") == 1


def test_the_page_and_its_parts_are_there(place):
    for path, kind in (
        ("/", "text/html"),
        ("/page.css", "text/css"),
        ("/page.js", "javascript"),
    ):
        reply = place.ask(path)
        assert reply.status == 200 and kind in reply.headers["content-type"]
        assert b"http://" not in reply.content and b"https://" not in reply.content


def test_health_tells_the_limits(place):
    health = place.ask("/health").json
    assert health["status"] == "ok" and health["num_waiting"] == 0
    limits = {"max_bytes": 16_000_000, "queue": 16, "min_sec": 0.3, "max_sec": 30.0}
    assert health["limits"] == limits
