#!/usr/bin/env bash
# Makes the pictures of the docs from a finished recipe: its report, the page of `show`, and
# the page of `serve` with its first test sentence. Wants Chromium (tools/setup.sh --chromium)
# and the test packages (tools/setup.sh --dev).
#
#   tools/docs_pictures.sh [EXP] [OUT]
#
#   EXP   default: egs/mini_cvss/es_en/quick/exp, with exp/pack of stage 11
#   OUT   default: docs/pictures; dark and narrow ones, to look at, go to build/pictures
set -euo pipefail
case "${1:-}" in
  -*)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
exp="$(realpath -- "${1:-egs/mini_cvss/es_en/quick/exp}")"
out="$(realpath -m -- "${2:-docs/pictures}")"
. tools/activate.sh
PYTHONPATH="$PWD/tests:$PWD" python tools/docs_pictures.py "$exp" "$out"
