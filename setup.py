"""Installs the package. `tools/setup.sh` pins versions; here is only what it needs."""

import runpy
from pathlib import Path

from setuptools import find_packages, setup

WANTED = runpy.run_path(str(Path(__file__).parent / "s2st_interleave" / "extras.py"))

setup(
    name="s2st_interleave",
    version="0.1.0",
    description=(
        "Recipes that train a speech-to-speech translation LLM on speech units "
        "interleaved with text"
    ),
    license="Apache-2.0",
    license_files=["LICENSE", "THIRD_PARTY.md"],  # `pack` copies both from the wheel
    # Said for `pip install -e`: it then puts this folder on the path. Its own finder comes
    # after a folder of the package's name in the working directory, such as a clone.
    package_dir={"": "."},
    packages=find_packages(include=["s2st_interleave", "s2st_interleave.*"]),
    package_data={"s2st_interleave.serve": ["static/*"]},
    python_requires=">=3.11,<3.14",
    install_requires=list(WANTED["REQUIRED"]),
    extras_require={extra: list(names) for extra, names in WANTED["EXTRAS"].items()},
    entry_points={
        "console_scripts": [
            "s2st-interleave = s2st_interleave.__main__:console",
            "s2st-translate = s2st_interleave.__main__:console_translate",
        ]
    },
)
