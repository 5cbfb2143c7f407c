"""Bad models: folders of Hugging Face, codebooks, checkpoints, packed folders."""

import json
import pickle
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import safetensors.numpy
import tiny_parts
from cases import Reader, Reads
from unit_table import Evil

from s2st_interleave.llm.model import load_text_llm

EVIL = pickle.dumps(Evil())
CODE = "from pathlib import Path\nPath('ran').touch()\nclass Model: pass\n"


@cache
def llm() -> Mapping[str, bytes]:
    """The files of a tiny LLM."""
    with tempfile.TemporaryDirectory() as place:
        tiny_parts.write_text_llm(Path(place))
        return {f"llm/{p.name}": p.read_bytes() for p in Path(place).iterdir()}


def changed(name: str = "", content: bytes = b"", **config: object) -> dict[str, bytes]:
    """The LLM with a file of another content (b"": none), or other values in its config."""
    facts = json.loads(llm()["llm/config.json"]) | config
    facts = {k: v for k, v in facts.items() if v != "left out"}
    files = {**llm(), "llm/config.json": json.dumps(facts).encode()}
    files |= {f"llm/{name}": content} if name else {}
    return {k: v for k, v in files.items() if v or k != f"llm/{name}"}


def without_weights(**files: bytes) -> dict[str, bytes]:
    more = {
        f"llm/{name.replace('__', '.')}": content for name, content in files.items()
    }
    return changed("model.safetensors") | more


def index(shard: str) -> bytes:
    names = safetensors.numpy.load(llm()["llm/model.safetensors"])
    return json.dumps(
        {"metadata": {}, "weight_map": dict.fromkeys(names, shard)}
    ).encode()


def read_llm(path: Path) -> str:
    try:
        return type(load_text_llm(path)[0]).__name__
    finally:
        assert not Path("ran").exists(), "code beside the weights was run"


def weights(**arrays: np.ndarray) -> bytes:
    return safetensors.numpy.save({k.replace("__", "."): v for k, v in arrays.items()})


READERS = {
    "model folder": Reader(
        "llm",
        read_llm,
        [
            ("whole", lambda: changed(), Reads("LlamaForCausalLM")),
            (
                "no config",
                lambda: changed("config.json"),
                "llm: no model of Hugging Face here",
            ),
            (
                "a config that is a page",
                lambda: changed("config.json", b"<html>"),
                "not JSON",
            ),
            (
                "a deep config",
                lambda: changed("config.json", b"[" * 99999),
                "too deep to read",
            ),
            (
                "no kind",
                lambda: changed(model_type="left out"),
                "'model_type' is missing",
            ),
            (
                "a kind of nobody",
                lambda: changed(model_type="lama"),
                "llm: no Config here",
            ),
            (
                "a kind that is a number",
                lambda: changed(model_type=5),
                "llm: no Config here",
            ),
            ("a width of words", lambda: changed(hidden_size="wide"), "llm: no "),
            ("a width below 0", lambda: changed(hidden_size=-8), "llm: "),
            ("heads of nothing", lambda: changed(num_attention_heads=0), "llm: no "),
            (
                "another vocabulary",
                lambda: changed(vocab_size=999),
                "llm: its weights are brok",
            ),
            (
                "another depth",
                lambda: changed(num_hidden_layers=3),
                "9 weights of LlamaForCausal",
            ),
            ("no weights", lambda: without_weights(), "llm: no ModelForCausalLM here"),
            (
                "weights that are cut",
                lambda: changed("model.safetensors", b"\x99" * 99),
                "llm: its weights are broken",
            ),
            (
                "a header beyond all",
                lambda: changed(
                    "model.safetensors", (10**12).to_bytes(8, "little") + b"{}"
                ),
                "llm: its weights are broken",
            ),
            (
                "a shard that is missing",
                lambda: without_weights(
                    model__safetensors__index__json=index("a.safetensors")
                ),
                "llm: no ModelForCausalLM here",
            ),
            (
                "an index of nothing",
                lambda: without_weights(model__safetensors__index__json=b"{}"),
                "llm: no ",
            ),
            ("a pickle", lambda: without_weights(pytorch_model__bin=EVIL), "llm: "),
            (
                "code beside the weights",
                lambda: changed(
                    "evil.py",
                    CODE.encode(),
                    auto_map={"AutoModelForCausalLM": "evil.Model"},
                ),
                Reads("LlamaForCausalLM"),
            ),
            (
                "code in place of a model",
                lambda: changed(
                    "evil.py",
                    CODE.encode(),
                    model_type="evil",
                    auto_map={"AutoConfig": "evil.Model"},
                ),
                "llm: no Config here",
            ),
            (
                "no tokenizer",
                lambda: {
                    k: v
                    for k, v in changed("tokenizer.json").items()
                    if "tokenizer" not in k
                },
                "llm: no Tokenizer here",
            ),
            (
                "a tokenizer that is a page",
                lambda: changed("tokenizer.json", b"<html>"),
                "llm: no Tokenizer here",
            ),
            (
                "a tokenizer of nothing",
                lambda: changed("tokenizer.json", b"{}"),
                "llm: no Tokenizer here",
            ),
        ],
    ),
}
