"""Made utterances in the shape of CVSS: ten words and 190 units of 40 ms a side."""

from collections.abc import Iterator, Sequence

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.interleave.segments import Side
from s2st_interleave.interleave.utterance import Utterance

FRENCH = """la le les de des un une et est en que qui dans pour pas sur il elle nous vous
avec son ses plus par au cette mais où être fait comme tout deux même aussi leur bien sans
peut entre encore sous après contre temps ville années groupe pays monde première guerre
histoire département école village président région siècle équipe championnat politique
située famille naissance université littérature aujourd'hui cependant également plusieurs
Ensoleillé préfecture d'arrondissement Châteauroux qu'elle s'écoule""".split()
ENGLISH = """the a of and in to is was he she it for on with as his her they at by from this
that are be were which or not has have its but also after first their one two who new other
year time city university during school state team season world national family century
north population between several village however received located known against government
development international neighbouring headquarters Shakespeare doesn't weren't""".split()


def utterances(count: int, num_units: int = 190) -> Iterator[Utterance]:
    """Utterances sorted by id, with about `num_units` units a side."""
    rng = keyed.generator("made speech")
    for number in range(count):
        sides = {
            "src": _side(rng, FRENCH, num_units),
            "tgt": _side(rng, ENGLISH, num_units),
        }
        yield Utterance(f"common_voice_fr_{number:08}", sides)


def _side(rng: np.random.Generator, known: Sequence[str], num_units: int) -> Side:
    count = int(np.clip(rng.normal(10, 3), 3, 20))
    words = [known[k] for k in rng.integers(len(known), size=count)]
    words[0], words[-1] = words[0].capitalize(), f"{words[-1]}."
    width = max(3, num_units // 10)
    starts = np.arange(count) * width + rng.integers(0, 3, count)
    ends = np.arange(1, count + 1) * width
    units = rng.integers(0, 2000, count * width + 2).astype(np.int32)
    return Side(units, tuple(words), np.stack([starts, ends], axis=1).astype(np.int32))
