"""The codebook: scikit-learn's mini-batch k-means, centroids in safetensors."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy

from s2st_interleave import keyed
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.weights import reading

if TYPE_CHECKING:
    import torch

FILE = "centroids.safetensors"


@dataclass(frozen=True)
class Codebook:
    """float32 centroids (num_units, width); unit k is the k-th row."""

    centroids: np.ndarray

    @property
    def num_units(self) -> int:
        return len(self.centroids)

    def assign(self, features: np.ndarray) -> np.ndarray:
        """The unit of each frame, its nearest centroid.

        `features` are float (num_frames, width), units int32 (num_frames,).
        """
        dots = features.astype(np.float32) @ self.centroids.T
        distances = self._squares - 2 * dots
        return distances.argmin(axis=1).astype(np.int32)

    def on_device(self) -> "Callable[[torch.Tensor], torch.Tensor]":
        """A function that does the same to a tensor, on the device where that lies.

        It takes float32 features (..., width) and returns int32 units (...).
        """
        import torch

        @cache
        def placed(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
            both = (self.centroids.T.copy(), self._squares)
            weights, squares = (torch.from_numpy(each).to(device) for each in both)
            return weights, squares

        def assign(features: torch.Tensor) -> torch.Tensor:
            weights, squares = placed(features.device)
            distances = torch.add(squares, features @ weights, alpha=-2)
            return distances.argmin(-1).to(torch.int32)

        return assign

    @cached_property
    def _squares(self) -> np.ndarray:
        return (self.centroids**2).sum(axis=1)

    def save(self, directory: Path) -> None:
        with atomic_write(directory / FILE, "wb") as stream:
            stream.write(safetensors.numpy.save({"centroids": self.centroids}))

    @classmethod
    def load(cls, directory: Path) -> "Codebook":
        """Load a codebook; UserError where its file is broken."""
        with reading(directory / FILE):
            centroids = safetensors.numpy.load_file(directory / FILE)["centroids"]
            if centroids.ndim != 2 or not np.isfinite(centroids).all():
                raise ValueError("no table of numbers")
        return cls(centroids)


def fit(features: np.ndarray, num_units: int, seed: int) -> tuple[Codebook, int]:
    """Cluster frames (num_frames, width); return how many units some frame has, too.

    Raises UserError where fewer frames than `num_units` differ from each other: clusters
    would be empty, or twice the same. scikit-learn is imported here, because the pack
    command reads the names above for its `--help`.
    """
    from sklearn.cluster import MiniBatchKMeans

    features = features.astype(np.float32, copy=False)
    different = num_different(features, num_units)
    if different < num_units:
        raise UserError(
            f"{len(features)} frames cannot make {num_units} units: {different} of them "
            "are different. Is the audio silent, or the same again and again? Else take "
            "more of it, or a lower --num_units"
        )
    model = MiniBatchKMeans(
        num_units,
        random_state=keyed.stable_hash(seed, "kmeans", bits=32),
        batch_size=10_000,
        n_init=3,
        max_no_improvement=20,
        reassignment_ratio=0.0,
    )
    model.fit(features)
    centroids = model.cluster_centers_.astype(np.float32)
    return Codebook(centroids), len(np.unique(model.labels_))


def num_different(features: np.ndarray, enough: int) -> int:
    """Count the rows that differ from each other, up to `enough`.

    In speech, about that many rows suffice. Rows are visited in strides, because
    neighbours belong to one utterance, which may be silent.
    """
    seen: set[bytes] = set()
    stride = max(1, len(features) // enough)
    for start in range(stride):
        for row in features[start::stride]:
            # Adding 0 makes -0.0 the same as 0.0; a digest takes less room than a row.
            seen.add(hashlib.blake2b((row + 0.0).tobytes(), digest_size=16).digest())
            if len(seen) >= enough:
                return enough
    return len(seen)
