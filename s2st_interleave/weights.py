"""Files of weights and arrays, and what is wrong with one that cannot be read."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from s2st_interleave.errors import UserError


@contextmanager
def reading(
    path: Path, remedy: str = "make it anew, or copy it again"
) -> Iterator[None]:
    """Raise UserError naming `path` where it is broken, or of another model.

    For one call of a library that reads it: numpy and torch have no errors of their own.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, pickle.UnpicklingError, EOFError, ValueError) as error:
        raise UserError(f"{path} is broken: {remedy}") from error
    except OSError as error:
        if error.filename:
            raise
        raise UserError(f"{path} is broken: {remedy}") from error
    except KeyError as error:
        raise UserError(f"{path} is another file: it holds no {error}") from error
    except RuntimeError as error:
        said = str(error)
        if "PytorchStreamReader" in said or "model_proto" in said:
            raise UserError(f"{path} is broken: {remedy}") from error
        if "loading state_dict" not in said:
            raise
        first = said.partition("\n")[2].partition("\n")[0].strip()
        raise UserError(
            f"{path} holds the weights of another model: {first}"
        ) from error
