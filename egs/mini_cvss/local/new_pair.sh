#!/usr/bin/env bash
# A language's recipe, beside those of the paper's: new_pair.sh nl
# Nothing is made for a lexicon in which something is missing.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

python local/check_lexicon.py "$1" >/dev/null
mkdir -p "$1_en"
cat >"$1_en/.run.sh.$$" <<END
#!/usr/bin/env bash
# One language to English in miniature, from nothing, on a laptop: ./run.sh
# A first look in minutes, below ./quick: ./run.sh --quick true
# Options come last and win: ./run.sh --stage 3 --stop_stage 6
exec "\$(dirname -- "\${BASH_SOURCE[0]}")/../run.sh" --src $1 "\$@"
END
chmod +x "$1_en/.run.sh.$$"
mv "$1_en/.run.sh.$$" "$1_en/run.sh"
