#!/usr/bin/env bash
# Builds the wheel, installs it with all extras into a fresh environment, as a user does,
# and runs from there the tests of what is no recipe. Some minutes; 3 GB of disk.
#
#   tools/wheel_test.sh [DIR]     DIR (default: build/wheel) is emptied
set -euo pipefail
case "${1:-}" in
  -*)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
root="$PWD"
work="$(realpath -m -- "${1:-build/wheel}")"
rm -rf -- "$work"
mkdir -p -- "$work"
python="${PYTHON:-python3}"
"$python" -m venv "$work/venv"
pip() { "$work/venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }

# From a copy: a build leaves folders where it is, and takes what it finds in them.
mkdir -- "$work/source"
cp -r -- setup.py pyproject.toml README.md LICENSE THIRD_PARTY.md s2st_interleave \
  "$work/source"
pip wheel --no-deps -w "$work/dist" "$work/source"
wheels=("$work"/dist/*.whl)
pip install -c tools/requirements.txt "${wheels[0]}[all]" # in the versions of setup.sh
pip install --no-deps -r tools/requirements-nodeps.txt
pip check || true # espnet's own pins contradict ours: it was installed without them
pip install -r tools/requirements-dev.txt

# From another folder: the package is the wheel's, and only the tests are the repository's.
cd -- "$work"
unset PYTHONPATH
. "$work/venv/bin/activate"
where="$(python -c 'import s2st_interleave as s; print(s.__file__)')"
[[ $where == "$work"/venv/* ]] || {
  echo "wheel_test: the package is that of $where, not the wheel's" >&2
  exit 1
}
export OMP_WAIT_POLICY=passive PYTHONHASHSEED=0 LC_ALL=C.UTF-8 TOKENIZERS_PARALLELISM=false
s2st-translate --help >/dev/null
python -m pytest -q -c "$root/pyproject.toml" --rootdir "$root" -p no:cacheprovider \
  "$root/tests/pack" "$root/tests/serve" "$root/tests/vocoder" "$root/tests/units" "$root/tests/score"
