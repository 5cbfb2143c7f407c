"""Steps whose loss or gradient is not finite: kept on disk, and left out up to a limit.

A learner raises `NotFiniteError` before it changes a weight, on all ranks alike, because
losses and norms are summed over them. The rule: such a step is left out (weights and
optimizer stay as they are, its line in metrics.jsonl has `bad`), `--max_bad_steps` times
in a training, however often that is resumed; one more, and the training stops. What the
step has read is written to `bad_steps/step-<n>`:

    step.json           step, reason, learning rate, and of each micro-batch its rank, its
                        loss and the ids of its utterances
    rank0.safetensors   the tensors of rank 0's micro-batches, `<number>.<name>`
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.distributed.tensor import DTensor

from s2st_interleave import parallel
from s2st_interleave.errors import UserError
from s2st_interleave.files import remove_tree, write_json
from s2st_interleave.progress import named
from s2st_interleave.promises import and_more

FOLDER = "bad_steps"
KEY = "bad"  # of a step that was left out, in metrics.jsonl
NUM_NAMED = 3
Contents = tuple[Sequence[str], Mapping[str, torch.Tensor]]  # ids and tensors


@dataclass(frozen=True)
class MicroBatch:
    """What one pass of a step has read, and its share of the loss."""

    ids: Sequence[str]
    tensors: Mapping[str, torch.Tensor]
    loss: float


class NotFiniteError(UserError):
    """Loss or gradient of a step is not finite; no weight was changed."""

    def __init__(self, reason: str, parts: Sequence[MicroBatch]) -> None:
        super().__init__(reason)
        self.reason, self.parts = reason, parts


def micro_batches(
    contents: Sequence[Contents], losses: Sequence[float]
) -> list[MicroBatch]:
    """What a step has read with the losses of its passes, of which there may be more."""
    pairs = zip(contents, losses, strict=False)
    return [
        MicroBatch(tuple(ids), dict(tensors), loss) for (ids, tensors), loss in pairs
    ]


@dataclass
class BadSteps:
    """The bad steps of a training in `directory`, of which `most` may be left out."""

    directory: Path
    most: int
    count: int = 0

    def leave_out(self, step: int, lr: float, error: NotFiniteError) -> None:
        """Keep what the step has read; UserError where it is one too many.

        All ranks must call this together.
        """
        place, ids = self._keep(step, lr, error)
        more = and_more(max(0, len(ids) - NUM_NAMED))
        names = f"{' '.join(ids[:NUM_NAMED])}{more}"
        told = f"step {step}: {error.reason}: not finite, utterances {names}: {place}"
        if self.count >= self.most:
            limit = f"--max_bad_steps is {self.most}; " if self.most else ""
            raise UserError(
                f"{told}; {limit}lower --lr or add --warmup_steps, with another tag; or "
                f"--max_bad_steps {self.most + 10} leaves such steps out, from the last "
                "checkpoint on"
            )
        self.count += 1
        parallel.say(named(f"warning: {told}; left out, {self.count} of {self.most}"))

    def _keep(
        self, step: int, lr: float, error: NotFiniteError
    ) -> tuple[Path, list[str]]:
        """Write the folder, by rename; return it, and ids of the bad micro-batches."""
        place = self.directory / FOLDER / f"step-{step}"
        temporary = place.with_name(f".{place.name}.tmp")
        me = parallel.ranks().index

        def begin() -> None:
            for left in (temporary, place):
                remove_tree(left)
            temporary.mkdir(parents=True)

        parallel.on_first(begin)
        tensors = {
            f"{number}.{name}": tensor.detach().cpu().contiguous()
            for number, part in enumerate(error.parts)
            for name, tensor in part.tensors.items()
        }
        save_file(tensors, temporary / f"rank{me}.safetensors")
        mine = [
            (me, n, part.loss, list(part.ids)) for n, part in enumerate(error.parts)
        ]
        rows = [row for share in parallel.gathered(mine) for row in share]

        def end() -> None:
            keys = ("rank", "number", "loss", "ids")
            parts = [dict(zip(keys, _plain(row), strict=True)) for row in rows]
            about = {"step": step, "reason": error.reason, "lr": lr}
            write_json(temporary / "step.json", about | {"micro_batches": parts})
            temporary.rename(place)

        parallel.on_first(end)
        bad = [ids for _, _, loss, ids in rows if not abs(loss) < float("inf")]
        return place, [name for ids in bad or [row[3] for row in rows] for name in ids]


def _plain(
    row: tuple[int, int, float, list[str]],
) -> tuple[int, int, float | str, list[str]]:
    """A row for JSON, which knows no nan."""
    rank, number, loss, ids = row
    return rank, number, loss if abs(loss) < float("inf") else str(loss), ids


def check_weights(model: nn.Module, step: int) -> None:
    """UserError where a weight is not finite, which no checkpoint may keep; on all ranks."""
    local = {
        name: weight.to_local() if isinstance(weight, DTensor) else weight
        for name, weight in model.named_parameters()
    }
    finite = torch.stack(
        [weight.detach().isfinite().all() for weight in local.values()]
    )
    bad = [name for name, fine in zip(local, finite.tolist(), strict=True) if not fine]
    names = [name for share in parallel.gathered(bad) for name in share]
    if names:
        raise UserError(
            f"step {step}: {len(names)} weights are not finite, first {names[0]}: not saved;"
            " earlier checkpoints are good; lower --lr or weight decay, or add --warmup_steps,"
            " with another tag"
        )
