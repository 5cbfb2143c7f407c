"""Made sentences, and the same with wrong words, by utterance id."""

import numpy as np

SENTENCE = "the a black dog cat reads sees under over house garden old new book"
WORDS = SENTENCE.split()


def references(num_utterances: int = 80) -> dict[str, str]:
    rng = np.random.default_rng(7)
    return {
        f"utt{index:04d}": " ".join(rng.choice(WORDS, size=rng.integers(5, 12)))
        for index in range(num_utterances)
    }


def corrupted(texts: dict[str, str], share: float, seed: int) -> dict[str, str]:
    rng = np.random.default_rng(seed)
    return {
        key: " ".join(
            "wrong" if rng.random() < share else word for word in text.split()
        )
        for key, text in texts.items()
    }


def reversed_order(texts: dict[str, str]) -> dict[str, str]:
    return dict(reversed(texts.items()))
