"""The passes of the recipe's networks by their shapes, counted without weights or data."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2st_interleave.hub import load
from s2st_interleave.plan import sizes
from s2st_interleave.plan.passes import Pass, added, count

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from s2st_interleave.vocoder.hifigan import HifiganSizes
    from s2st_interleave.vocoder.world import WorldSizes

# Width, layers of encoder and decoder, heads, mel bands (Radford et al. 2022, Table 1, and
# the cards of large-v3 and large-v3-turbo).
WHISPERS = {
    "turbo": (1280, 32, 4, 20, 128),
    "large": (1280, 32, 32, 20, 128),
    "medium": (1024, 24, 24, 16, 80),
    "small": (768, 12, 12, 12, 80),
    "base": (512, 6, 6, 8, 80),
    "tiny": (384, 4, 4, 6, 80),
}
WINDOW_FRAMES = 3000  # 30 s, to which Whisper pads each clip
GIVEN_TOKENS = 4  # with which Whisper's decoder begins


@lru_cache
def encoder(source: Path, num_pieces: int) -> "PreTrainedModel":
    """The CTC encoder at `source`; the hub is not asked for the dimensions of w2v-BERT 2.0."""
    import torch
    from transformers import AutoConfig, AutoModelForCTC, Wav2Vec2BertConfig

    if not source.exists() and source.name.startswith("w2v-bert-2.0"):
        config = Wav2Vec2BertConfig()  # whose defaults are those
    else:
        config = load(AutoConfig, source)
    config.vocab_size, config.apply_spec_augment, config.layerdrop = (
        num_pieces,
        False,
        0.0,
    )
    with torch.device("meta"):
        return AutoModelForCTC.from_config(config)


def frame_sec(source: Path) -> float:
    """Seconds of an encoder's frame, which is a unit."""
    config = encoder(source, 100).config
    strides = getattr(config, "conv_stride", None)
    if strides is None:  # filter banks of 10 ms, 80 bands each
        return 0.01 * config.feature_projection_input_dim / 80
    samples = 1
    for stride in strides:
        samples *= stride
    return samples / 16_000


@lru_cache(maxsize=1024)
def encoder_pass(
    source: Path, num_pieces: int, rows: int, seconds: float, *, training: bool
) -> Pass:
    """A batch of recordings, all layers and the CTC layer; CTC's own loss is left out."""
    model, meta = encoder(source, num_pieces), _meta()
    config = model.config
    if hasattr(config, "feature_projection_input_dim"):
        frames = max(1, round(seconds / frame_sec(source)))
        shape = (rows, frames, config.feature_projection_input_dim)
        name = "input_features"
    else:
        shape, name = (rows, round(seconds * 16_000)), "input_values"
    batch = {name: meta.empty(*shape)}
    return _counted(lambda: model(**batch).logits, training)


@lru_cache(maxsize=1024)
def llm_pass(
    source: Path,
    vocabulary: int,
    rows: int,
    length: int,
    targets: int,
    heads: sizes.Heads = sizes.NO_HEADS,
    *,
    training: bool,
) -> Pass:
    """A micro-batch of stage 6: logits and cross-entropy where there is a loss."""
    from torch.nn.functional import cross_entropy, linear

    from s2st_interleave.llm.unit_heads import UnitHeads

    model, meta = _llm(source, vocabulary), _meta()
    ids, labels = meta.ids(rows, length), meta.ids(targets)
    layer = model.get_output_embeddings()
    of_units = layer.weight[-heads.num_units :]
    with meta.device():
        further = UnitHeads(heads.number, layer.weight.shape[1])

    def loss() -> Any:
        output = model.base_model(input_ids=ids, use_cache=False)
        hidden = output.last_hidden_state.flatten(0, 1)[:targets]
        loss = cross_entropy(layer(hidden).float(), labels, reduction="sum")
        for states in further(hidden) if heads.number else ():
            logits = linear(states, of_units).float()
            loss = loss + cross_entropy(logits, labels, reduction="sum")
        return loss

    return _counted(loss, training)


@lru_cache(maxsize=1024)
def llm_step(source: Path, vocabulary: int, rows: int, past: int) -> Pass:
    """A token more of each of `rows` answers, `past` tokens being in the cache."""
    model, meta = _llm(source, vocabulary), _meta()
    with meta.no_grad():
        before = model(input_ids=meta.ids(rows, past), use_cache=True, logits_to_keep=1)
    cache = before.past_key_values
    return _counted(
        lambda: model(input_ids=meta.ids(rows, 1), past_key_values=cache).logits, False
    )


@lru_cache
def optimizer_pass(num_weights: int) -> Pass:
    """Clipping, and AdamW: it reads and writes weights, gradients and two moments."""
    return Pass({(0.0, 4.0 * num_weights * 10): 1})


@lru_cache
def gan_pass(block: "HifiganSizes", num_units: int, per_unit: int, rows: int) -> Pass:
    """A step of HiFi-GAN: the generator's, then that of the discriminators."""
    from s2st_interleave.vocoder.base import UnitTiming
    from s2st_interleave.vocoder.hifigan_net import Gan

    meta = _meta()
    with meta.device():
        gan = Gan(UnitTiming(num_units, per_unit, 16_000), block)
    units = meta.ids(rows, block.crop_units)
    real = meta.empty(rows, 1, block.crop_units * per_unit)

    def generator() -> Any:
        judged = gan.discriminator(gan.generator(units))
        with meta.no_grad():
            gan.discriminator(real)
        return _sum(judged)

    def discriminator() -> Any:
        with meta.no_grad():
            fake = gan.generator(units)
        return _sum(gan.discriminator(fake)) + _sum(gan.discriminator(real))

    weights = sum(p.numel() for p in gan.parameters())
    taken = [_counted(generator, True), _counted(discriminator, True)]
    return added([*taken, optimizer_pass(weights)])


@lru_cache
def generator_pass(
    block: "HifiganSizes", num_units: int, per_unit: int, n: int
) -> Pass:
    """Speech of one utterance of `n` units by HiFi-GAN."""
    from s2st_interleave.vocoder.base import UnitTiming
    from s2st_interleave.vocoder.hifigan_net import UnitGenerator

    meta = _meta()
    with meta.device():
        network = UnitGenerator(UnitTiming(num_units, per_unit, 16_000), block)
    return _counted(lambda: network(meta.ids(1, n)), False)


@lru_cache
def world_pass(
    block: "WorldSizes",
    num_units: int,
    per_unit: int,
    rows: int,
    n: int,
    *,
    training: bool,
) -> Pass:
    """Crops of `n` units through the light vocoder's network."""
    from s2st_interleave.vocoder.base import UnitTiming
    from s2st_interleave.vocoder.world_net import WorldNet

    meta = _meta()
    with meta.device():
        network = WorldNet(UnitTiming(num_units, per_unit, 16_000), block)
    return _counted(lambda: network(meta.ids(rows, n)), training)


@lru_cache
def whisper_passes(name: str, rows: int, num_tokens: int) -> tuple[Pass, Pass]:
    """Of `rows` clips: the encoder over 30 s, and `num_tokens` steps of the decoder."""
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    kind = next((kind for kind in WHISPERS if kind in name.lower()), "large")
    width, layers, decoder_layers, heads, bands = WHISPERS[kind]
    config = WhisperConfig(
        vocab_size=51866,
        num_mel_bins=bands,
        d_model=width,
        encoder_layers=layers,
        decoder_layers=decoder_layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
    )
    meta = _meta()
    with meta.device():
        model = WhisperForConditionalGeneration(config).eval()
    hearing = _counted(
        lambda: model.model.encoder(meta.empty(rows, bands, WINDOW_FRAMES)), False
    )
    heard = {"encoder_hidden_states": meta.empty(rows, WINDOW_FRAMES // 2, width)}
    decoder = model.model.decoder
    with meta.no_grad():
        given = meta.ids(rows, GIVEN_TOKENS + num_tokens // 2)
        cache = decoder(input_ids=given, use_cache=True, **heard).past_key_values

    def token() -> Any:
        output = decoder(input_ids=meta.ids(rows, 1), past_key_values=cache, **heard)
        return model.proj_out(output.last_hidden_state)

    return hearing, _counted(token, False).times(num_tokens)


@lru_cache
def _llm(source: Path, vocabulary: int) -> Any:
    return sizes.build(source, vocabulary)


def _counted(run: Callable[[], Any], training: bool) -> Pass:
    if training:
        return count(lambda: run().sum().backward())
    with _meta().no_grad():
        return count(run)


def _sum(judged: Any) -> Any:
    outputs = [each.sum() for layers in judged for each in layers]
    return sum(outputs[1:], outputs[0])


class _meta:
    """Makes tensors on the device "meta"; torch is imported when they are wanted."""

    def __init__(self) -> None:
        import torch

        self.torch = torch
        self.no_grad = torch.no_grad

    def device(self) -> "torch.device":
        return self.torch.device("meta")

    def empty(self, *shape: int) -> "torch.Tensor":
        return self.torch.empty(*shape, device="meta")

    def ids(self, *shape: int) -> "torch.Tensor":
        return self.torch.zeros(*shape, dtype=self.torch.long, device="meta")
