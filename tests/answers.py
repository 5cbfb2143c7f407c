"""Answers of the paper's task to source units, as several tests ask for them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from s2st_interleave.decode.generate import Answer, answer_all
from s2st_interleave.interleave.layout import S2ST, Layout

LAYOUT = Layout.parse(S2ST)


def translate(
    sources: Mapping[str, np.ndarray], llm: Any, **more: Any
) -> dict[str, Answer]:
    given = {name: {"src_speech": units} for name, units in sources.items()}
    return answer_all(given, llm, LAYOUT, **more)


def units_of(answer: Answer) -> np.ndarray:
    return answer.units["tgt_speech"]


def same(a: Answer, b: Answer) -> bool:
    return a.texts == b.texts and np.array_equal(units_of(a), units_of(b))
