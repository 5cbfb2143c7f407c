"""The encoder's training computes what it did, stopped in the middle or not."""

import torch
from same_bits import STEPS, assert_same
from test_kinds import KINDS, pretrained


def test_a_training_that_is_resumed_computes_what_was_recorded(train_encoder, tmp_path):
    torch.set_num_threads(1)
    source = pretrained(tmp_path / "source", KINDS["w2v-bert-2.0"])
    options = {"spec_augment": True, "lr": 1e-3, "accum_grad": 2, "seed": 3}
    for max_steps in (10, 20):
        steps = STEPS | {"max_steps": max_steps}
        train_encoder(source, tmp_path / "exp", **options, **steps)
    assert_same("encoder", tmp_path / "exp")
