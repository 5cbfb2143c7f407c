"""Bad codebooks, checkpoints and packed folders."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
from cases import Reader, Reads
from model_table import EVIL, weights
from seeds import PACK, PROGRESS, codebook
from torch import nn

from s2st_interleave.pack import folder
from s2st_interleave.train import checkpoint
from s2st_interleave.units.kmeans import Codebook


def load_linear(path: Path) -> int:
    return checkpoint.load_model(path, nn.Linear(2, 2)).step


def resume(path: Path) -> None:
    import torch

    network = nn.Linear(2, 2)
    try:
        checkpoint.load_optimizer(
            path, network, torch.optim.AdamW(network.parameters())
        )
    finally:
        assert not Path("ran").exists(), "a pickle was run"


LINEAR = weights(weight=np.zeros((2, 2), np.float32), bias=np.zeros(2, np.float32))


def saved(content: bytes, meta: bytes = PROGRESS[0]) -> dict[str, bytes]:
    return {"c/model.safetensors": content, "c/meta.json": meta}


def packed(**files: bytes) -> dict[str, bytes]:
    """A packed folder of a description and some weights, with its sums."""
    contents = {"pack.json": PACK[0], "llm/w": b"weights"}
    sums = "".join(
        f"{hashlib.sha256(v).hexdigest()}  {k}\n" for k, v in contents.items()
    )
    contents |= {"SHA256SUMS": sums.encode()}
    contents |= {k.replace("_of_", "/").replace("__", "."): v for k, v in files.items()}
    return {f"p/{k}": v for k, v in contents.items()}


def described(**values: object) -> dict[str, bytes]:
    text = json.dumps(json.loads(PACK[0]) | values).encode()
    sums = f"{hashlib.sha256(text).hexdigest()}  pack.json\n".encode()
    return {"p/pack.json": text, "p/SHA256SUMS": sums}


def check(path: Path) -> str:
    if Path("outside").is_file():  # a link takes the place of the weights
        (path / "llm" / "w").unlink()
        os.symlink(Path("outside").absolute(), path / "llm" / "w")
    folder.check_sums(path)
    return folder.Description.read(path).system


READERS = {
    "codebook": Reader(
        ".",
        lambda path: Codebook.load(path).centroids.shape,
        [
            ("whole", {"centroids.safetensors": codebook()}, Reads((3, 3))),
            (
                "cut off",
                {"centroids.safetensors": codebook()[:-4]},
                "centroids.safetensors is broken",
            ),
            (
                "empty",
                {"centroids.safetensors": b""},
                "centroids.safetensors is broken: make it anew",
            ),
            (
                "of another",
                {"centroids.safetensors": weights(x=np.eye(2))},
                "it holds no 'centroids'",
            ),
            (
                "a vector",
                {"centroids.safetensors": weights(centroids=np.zeros(3))},
                "is broken: ",
            ),
            (
                "no numbers",
                {
                    "centroids.safetensors": weights(
                        centroids=np.full((2, 2), np.nan, np.float32)
                    )
                },
                "is broken: ",
            ),
        ],
    ),
    "checkpoint": Reader(
        "c",
        load_linear,
        [
            ("whole", saved(LINEAR), Reads(1)),
            (
                "cut off",
                saved(LINEAR[:-4]),
                "is broken: remove c, and training goes on from the",
            ),
            (
                "a weight missing",
                saved(weights(bias=np.zeros(2, np.float32))),
                "1 weights are mis",
            ),
            (
                "of another shape",
                saved(weights(weight=np.zeros((3, 2), np.float32))),
                "of another",
            ),
            (
                "of another name",
                saved(weights(w=np.zeros(2, np.float32))),
                "of another model: w",
            ),
            ("a step of words", saved(LINEAR, b"{}"), "meta.json: 'step' is missing"),
        ],
    ),
    "optimizer": Reader(
        "c",
        resume,
        [
            (
                "missing",
                {"c/x": b""},
                "c: no optimizer state, which a finished training keeps",
            ),
            ("a pickle", {"c/optimizer.pt": EVIL}, "optimizer.pt is broken: remove c"),
            (
                "cut off",
                {"c/optimizer.pt": b"PK\3\4" + bytes(99)},
                "optimizer.pt is broken",
            ),
        ],
    ),
    "packed folder": Reader(
        "p",
        check,
        [
            ("whole", packed(), Reads("scheduled")),
            (
                "no sums",
                {"p/pack.json": PACK[0]},
                "p: no packed model here, SHA256SUMS is missing",
            ),
            (
                "a line that is none",
                packed(SHA256SUMS=b"x\n"),
                "SHA256SUMS:1: no line '<sha256>",
            ),
            (
                "sums that are no text",
                packed(SHA256SUMS=b"\xff\n"),
                "SHA256SUMS:1: not UTF-8",
            ),
            (
                "weights of another",
                packed(llm_of_w=b"others"),
                "llm/w is not what was packed",
            ),
            ("a file more", packed(llm_of_x=b"x"), "llm/x is not listed in SHA256SUMS"),
            (
                "a name that climbs",
                packed(SHA256SUMS=b"0" * 64 + b"  ../../x\n"),
                "SHA256SUMS:1: ../../x leads out of the folder",
            ),
            (
                "a name from the root",
                packed(SHA256SUMS=b"0" * 64 + b"  /etc/passwd\n"),
                "SHA256SUMS:1: /etc/passwd leads out of the folder",
            ),
            (
                "a link that leads out",
                packed() | {"outside": b"weights"},
                "p/llm/w is a link that leads out of the folder",
            ),
            (
                "of a later version",
                described(version=9),
                "pack.json is not of version 3: pack it",
            ),
            (
                "a key more",
                described(x=1),
                "pack.json is not of version 3: pack it again",
            ),
            (
                "a layer of words",
                described(layer="2"),
                "pack.json: layer: expected int, not '2'",
            ),
            (
                "sides in a list",
                described(sides=["es"]),
                "pack.json: sides: expected an object",
            ),
            (
                "an earlier version without its keys",
                described(version=1),
                "pack.json: no 'cot'",
            ),
        ],
    ),
}
