#!/usr/bin/env bash
# Real voices: recorded telephone prompts with their texts, from Debian's packages of them, as a
# corpus of one's own on a laptop.
#   ./prompts.sh             221 pairs of Spanish and English, one speaker a language
#   ./prompts.sh --lang ru   246 pairs of Russian and English; fr: 258, it: 248
#   ./prompts.sh --stop_stage 1 --local_models ""   only the corpus, and no text LLM from it
# Options of ./run.sh come last and win.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

lang=es
if [[ ${1:-} == --lang ]]; then
  if (($# < 2)); then echo "prompts.sh: --lang wants es, fr, it or ru" >&2 && exit 1; fi
  lang="$2" && shift 2
fi
for word in "$@"; do # before anything is fetched
  case "$word" in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' prompts.sh && exit 0 ;;
    --lang | --lang=*) echo "prompts.sh: --lang comes first: ./prompts.sh --lang fr" >&2 && exit 1 ;;
  esac
done
. ../cvss/utils/environment.sh
python local/fetch_prompts.py --lang "$lang" --out_dir "downloads/prompts_$lang"
exec ./run.sh --preset laptop --tsv "downloads/prompts_$lang/prompts.tsv" --src_lang "$lang" --tgt_lang en \
  --datadir "data/prompts_$lang" --dumpdir "dump/prompts_$lang" --expdir "exp/prompts_$lang" "$@"
