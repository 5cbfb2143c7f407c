"""The codebook: scikit-learn's mini-batch k-means, centroids in safetensors."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.artifact import atomic_write
from s2st_interleave.errors import UserError
from s2st_interleave.weights import reading

FILE = "centroids.safetensors"


@dataclass(frozen=True)
class Codebook:
    """float32 centroids (num_units, dim); unit k is the k-th row."""

    centroids: np.ndarray

    @property
    def num_units(self) -> int:
        return len(self.centroids)

    def assign(self, features: np.ndarray) -> np.ndarray:
        """Nearest centroid of each frame: (num_frames, dim) -> int32 (num_frames,)."""
        dots = features.astype(np.float32) @ self.centroids.T
        distances = (self.centroids**2).sum(axis=1) - 2 * dots
        return distances.argmin(axis=1).astype(np.int32)

    def save(self, directory: Path) -> None:
        from safetensors.numpy import save

        with atomic_write(directory / FILE, "wb") as stream:
            stream.write(save({"centroids": self.centroids}))

    @classmethod
    def load(cls, directory: Path) -> "Codebook":
        from safetensors.numpy import load_file

        with reading(directory / FILE):
            return cls(load_file(directory / FILE)["centroids"])


def fit(features: np.ndarray, num_units: int, seed: int) -> Codebook:
    """Cluster frames (num_frames, dim); raises UserError with fewer frames than units."""
    from sklearn.cluster import MiniBatchKMeans

    if len(features) < num_units:
        raise UserError(f"{len(features)} frames cannot make {num_units} units")
    model = MiniBatchKMeans(
        num_units,
        random_state=keyed.stable_hash(seed, "kmeans", bits=32),
        batch_size=10_000,
        n_init=3,
        max_no_improvement=20,
        reassignment_ratio=0.0,
    )
    model.fit(features.astype(np.float32, copy=False))
    return Codebook(model.cluster_centers_.astype(np.float32))
