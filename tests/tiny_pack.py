"""A packed folder of tiny random models, made in a second: what it says is nonsense.

python tests/tiny_pack.py tiny/pack
"""

import io
import sys
from pathlib import Path

import numpy as np
import soundfile
import tiny_parts
from safetensors.torch import save_file

from s2st_interleave.encoder import bpe, ctc
from s2st_interleave.files import atomic_write
from s2st_interleave.interleave.layout import S2ST, Layout
from s2st_interleave.llm import model
from s2st_interleave.pack import folder, notice
from s2st_interleave.pack.folder import Description
from s2st_interleave.units.kmeans import Codebook
from s2st_interleave.vocoder import base, world

ENCODER = Path(__file__).parents[1] / "egs" / "mini_cvss" / "conf" / "w2v_bert"
NUM_UNITS, LAYER = 20, 2


def noise(seconds: float, rate: int = 16_000, seed: int = 0) -> np.ndarray:
    """Samples (num_samples,) that a model can be asked about."""
    draw = np.random.default_rng(seed)
    return 0.1 * draw.standard_normal(round(seconds * rate))


def recording(
    seconds: float, rate: int, level: float = 1.0, form: str = "WAV"
) -> bytes:
    """The content of a file of noise, another for each length; level 0 is silence."""
    stream = io.BytesIO()
    samples = level * noise(seconds, rate, round(1000 * seconds))
    soundfile.write(stream, samples, rate, format=form)
    return stream.getvalue()


def description(layout: str = S2ST) -> Description:
    return Description(
        sides={"src": "es", "tgt": "en"},
        system="scheduled",
        checkpoint="checkpoint-3",
        layer=LAYER,
        layout=layout,
        prompt="",
        num_beams=1,
        max_text_tokens=6,
        max_unit_ratio=1.2,
        base_llm="tiny/llm",
        base_encoder="w2v_bert",
        git="unknown",
    )


def write(root: Path, layout: str = S2ST) -> None:
    """A folder of the files of stage 11, but for the model card and the options."""
    _write_encoder(root / "encoder")
    draw = np.random.default_rng(0)
    features = draw.standard_normal((NUM_UNITS, 144)).astype(np.float32)
    Codebook(features).save(root / "kmeans")
    tiny_parts.write_text_llm(root / "text llm")
    llm = model.extend(root / "text llm", NUM_UNITS, new_rows="normal", seed=3)
    for value in llm.model.parameters():
        value.data *= 4  # wide apart, so that answers differ
    llm.save(root / "llm")
    for path in (root / "text llm").iterdir():
        path.unlink()
    (root / "text llm").rmdir()
    if Layout.parse(layout).speaks:
        _write_vocoder(root / "vocoder")
    about = description(layout)
    about.write(root)
    for path in notice.licences():
        (root / path.name).write_bytes(path.read_bytes())
    with atomic_write(root / "NOTICE") as stream:
        stream.write(notice.render(about))
    folder.write_sums(root)


def _write_encoder(root: Path) -> None:
    import sentencepiece

    root.mkdir(parents=True)
    bpe.train_bpe([" ".join(tiny_parts.WORDS)], root / bpe.BPE_FILE, 24)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(root / bpe.BPE_FILE))
    network, front = ctc.build(ENCODER, pieces, scratch=True, seed=1)
    network.save_pretrained(root)
    front.extractor.save_pretrained(root)


def _write_vocoder(root: Path) -> None:
    import torch

    from s2st_interleave.vocoder.world_net import WorldNet

    timing = base.UnitTiming(NUM_UNITS, 640, 16_000)
    sizes = world.WorldSizes(unit_channels=8, frame_channels=8, embedding_dim=8)
    root.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_file(WorldNet(timing, sizes).state_dict(), root / base.WEIGHTS_FILE)
    base.save_description(root, "world", timing, sizes)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
