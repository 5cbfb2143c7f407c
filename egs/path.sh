# The environment, nothing else: sets up on first use, or takes the active one. All recipes
# source this file; one that needs more has a path.sh of its own, which begins with
# `. ../../path.sh` (or sets up all by itself).
. "$(dirname -- "${BASH_SOURCE[0]}")/../tools/activate.sh"
