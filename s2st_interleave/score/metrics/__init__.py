"""The metrics, each in a file of its own: see `metric.py` for what one is.

A new one is a file beside these and a line here; options, score.json, utterances.tsv,
comparisons and tables know it by that.
"""

from s2st_interleave.score.metrics.blaser import BLASER
from s2st_interleave.score.metrics.bleu import ASR_BLEU, TEXT_BLEU
from s2st_interleave.score.metrics.chrf import CHRF
from s2st_interleave.score.metrics.comet import COMET
from s2st_interleave.score.metrics.duration import DURATION_RATIO, SOURCE_DURATION_RATIO
from s2st_interleave.score.metrics.error_rate import CER, WER
from s2st_interleave.score.metrics.exact import EXACT
from s2st_interleave.score.metrics.loops import LOOPS
from s2st_interleave.score.metrics.metric import Metric
from s2st_interleave.score.metrics.mos import MOS
from s2st_interleave.score.metrics.real_time import REAL_TIME_FACTOR
from s2st_interleave.score.metrics.ter import TER

_ALL = (
    ASR_BLEU,
    TEXT_BLEU,
    CHRF,
    WER,
    CER,
    TER,
    EXACT,
    MOS,
    DURATION_RATIO,
    SOURCE_DURATION_RATIO,
    LOOPS,
    REAL_TIME_FACTOR,
    COMET,
    BLASER,
)
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
