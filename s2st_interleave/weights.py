"""Turns the errors of reading a file of weights or arrays into a UserError naming it."""

import pickle
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from s2st_interleave.errors import UserError

# In the messages of torch (of a zip that is cut, and of what is no zip) and sentencepiece.
SIGNS = ("PytorchStreamReader", "mmap can only be used", "model_proto")
# What numpy, torch and others raise for bytes that make no sense. A number in a header may
# ask for more memory than there is; headers of numpy are read as Python's own source.
BROKEN = (
    *(SafetensorError, pickle.UnpicklingError, EOFError, ValueError, OverflowError),
    *(tokenize.TokenError, SyntaxError, struct.error, zipfile.BadZipFile, zlib.error),
    *(IndexError, MemoryError, RecursionError, TypeError),
)


@contextmanager
def reading(
    path: Path, remedy: str = "make it anew, or copy it again"
) -> Iterator[None]:
    """Raise UserError naming `path` where it is broken, or of another model.

    The block must hold only the call that reads the file: numpy and torch report a broken
    file by ValueError, RuntimeError and the like.
    """
    try:
        yield
    except UserError:
        raise
    except BROKEN as error:
        raise UserError(f"{path} is broken: {remedy}") from error
    except OSError as error:
        if error.errno:  # of the machine, such as too many open files
            error.filename = error.filename or str(path)
            raise
        if not path.exists():
            raise UserError(f"{path} is missing: {remedy}") from None
        raise UserError(f"{path} is broken: {remedy}") from error
    except KeyError as error:
        raise UserError(f"{path} is another file: it holds no {error}") from error
    except RuntimeError as error:
        message = str(error)
        if any(sign in message for sign in SIGNS):
            raise UserError(f"{path} is broken: {remedy}") from error
        if "loading state_dict" not in message:
            raise
        first = message.partition("\n")[2].partition("\n")[0].strip()
        raise UserError(
            f"{path} holds the weights of another model: {first}"
        ) from error
