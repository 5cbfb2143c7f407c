#!/usr/bin/env bash
# Fuzzes every parser of the package under atheris, which follows what an input reaches:
# tests/reliability/fuzz_run.py. atheris goes into an environment of its own, build/fuzz_env.
#
#   tools/fuzz.sh --minutes 60        all targets, each its share
#   tools/fuzz.sh --minutes 2 --only CTM "own TSV"
#
# It ends with executions, covered edges and findings, and with 1 where there are findings;
# they lie in build/fuzz/<target>/findings.
set -euo pipefail
case "${1:-}" in
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
bash tools/setup.sh --dev --quiet >/dev/null
. tools/activate.sh

env=build/fuzz_env
if [[ ! -x $env/bin/python ]]; then
  python -m venv "$env"
  "$env/bin/pip" install --quiet --requirement tools/requirements-fuzz.txt
  # What the package needs lies in its own environment.
  python - "$env" <<'END'
import pathlib, site, sys
(folder,) = pathlib.Path(sys.argv[1]).glob("lib/python*/site-packages")
(folder / "package.pth").write_text("\n".join(site.getsitepackages()) + "\n")
END
fi
exec "$env/bin/python" tests/reliability/fuzz_run.py "$@"
