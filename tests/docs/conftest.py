"""The programs in tools/ that make the documentation can be imported."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
