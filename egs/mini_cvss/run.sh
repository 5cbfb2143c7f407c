#!/usr/bin/env bash
# A language to English in miniature, from nothing, on a laptop: ./run.sh --src nl
# All that is of the language is local/lexicon/nl.yaml; see the README.md there. The first
# run makes the recipe's folder with nl_en/run.sh, which is this for Dutch.
# Options come last and win: ./run.sh --src nl --stage 3 --stop_stage 6
# --quick true: a first look in minutes, at a corpus of forty words, below nl_en/quick.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

usage="Usage: ./run.sh --src nl [--quick true] [--name value ...]
nl stands for a language of local/lexicon. Options and stages: es_en/run.sh --help"
src= quick=false options=()
while (($# > 0)); do
  if [[ $1 == --src && $# -gt 1 ]]; then
    src="$2"
    shift
  elif [[ $1 == --quick ]]; then
    if [[ ! ${2:-} =~ ^(true|false)$ ]]; then
      echo "run.sh: --quick takes true or false, not '${2:-}'" >&2
      exit 1
    fi
    quick="$2"
    shift
  else
    options+=("$1")
  fi
  shift
done
if [[ -z $src && " ${options[*]} " =~ " "(-h|--help)" " ]]; then
  echo "$usage"
  exit
elif [[ -z $src ]]; then
  echo "run.sh: --src is not set: the language of the source speech, such as es" >&2
  echo "$usage" >&2
  exit 1
fi

if [[ ! -f ${src}_en/run.sh ]]; then
  (. ../path.sh && bash local/new_pair.sh "$src")
fi
cd "${src}_en"
if [[ $quick == true ]]; then unset MINI_SHARED; fi # its models are the pair's own
. ../local/pair.sh "$src"

command="egs/mini_cvss/${src}_en/run.sh"
takes="28 to 46 min"
if [[ $quick == true ]]; then command+=" --quick true" takes="6 min"; fi
command+="${options[*]:+ ${options[*]@Q}}"
exec ../../cvss/s2st.sh "${recipe[@]}" --takes "$takes on 2 free cores" --command "$command" "${options[@]}"
