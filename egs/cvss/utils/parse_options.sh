# shellcheck shell=bash
# Reads `--name value` options into variables. Set the defaults, then source it:
#
#   stage=1
#   skip_train=false
#   help_message="Usage: $0 [--stage 1] [--skip_train false]"
#   . utils/parse_options.sh
#
# - An option is a lower-case variable that is set at this point; `-` and `_` are the
#   same. A variable that is `true` or `false` takes only these, one that is a whole
#   number only such, 010 being 10. `--name=value`, an unknown option, a missing value
#   and a left-over argument are errors (exit 1).
# - `--config FILE`, anywhere on the line, is read before the other options, so the
#   line wins; of several files the later wins. Its lines are `name=value` or
#   `--name value`, `#` starts a comment, quotes around a value are taken off. It is
#   read, never executed: `$(...)` and `$x` stay as they are.
# - An option `*_args` that is given again goes on: its words are added to those of before. An
#   empty one takes them away.
# - `--help` or `-h` prints $help_message, calls more_help where there is such a function,
#   and exits 0.
# - `stage` and `stop_stage` take names as well, those of egs/cvss/stages: `--stage align`.
#   A driver that does not have them all sets the array own_stages to the numbers of its own.
#   Nothing to do is an error.
# - An option of a stage's command, such as --lr, is no option: the error says in which
#   `*_args` of the driver it is passed on. S2ST_PASSES and S2ST_TAKES tell commands of the
#   driver's options, so that their errors can say it too (s2st_interleave/passing.py).
#
# Own names start with _po_: bash functions see their callers' variables, so any other
# name could be an option's.

_po_letters=abcdefghijklmnopqrstuvwxyz
_po_texts=''
_po_root="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd -P)"
_po_stages=() # 03_align
for _po_name in "$_po_root"/egs/cvss/stages/[0-9]*_*.sh; do
  [[ -f $_po_name ]] || continue
  _po_name="${_po_name##*/}"
  _po_stages+=("${_po_name%.sh}")
done

_po_fail() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit 1
}

# Is $1 the name of an option: a plain lower-case variable that is set?
_po_is_option() {
  [[ $1 =~ ^[$_po_letters][${_po_letters}0-9_]*$ && $1 != help_message ]] || return 1
  [[ -n ${!1+set} ]] || return 1
  # Attributes other than exported: an array or a constant takes no value.
  [[ ! "$(declare -p -- "$1")" =~ ^declare\ -[a-zA-Z]*[aArn] ]]
}

# Sets $1 to the number of edits that turn $2 into $3.
_po_distance() {
  local _po_i _po_j _po_cost _po_best _po_left=() _po_row=()
  for ((_po_j = 0; _po_j <= ${#3}; _po_j++)); do
    _po_row[_po_j]=$_po_j
  done
  for ((_po_i = 1; _po_i <= ${#2}; _po_i++)); do
    _po_left=("${_po_row[@]}")
    _po_row[0]=$_po_i
    for ((_po_j = 1; _po_j <= ${#3}; _po_j++)); do
      _po_cost=1
      [[ ${2:_po_i-1:1} != "${3:_po_j-1:1}" ]] || _po_cost=0
      _po_best=$((_po_left[_po_j - 1] + _po_cost))
      ((_po_best <= _po_left[_po_j] + 1)) || _po_best=$((_po_left[_po_j] + 1))
      ((_po_best <= _po_row[_po_j - 1] + 1)) || _po_best=$((_po_row[_po_j - 1] + 1))
      _po_row[_po_j]=$_po_best
    done
  done
  printf -v "$1" '%d' "${_po_row[${#3}]}"
}

# Sets _po_nearest to the one of the words $2... that $1 resembles most, or to nothing.
_po_resemble() {
  local _po_known _po_edits _po_fewest=$((${#1} / 3 + 1))
  _po_nearest=''
  for _po_known in "${@:2}"; do
    _po_distance _po_edits "$1" "$_po_known"
    if ((_po_edits <= _po_fewest)); then
      _po_fewest=$((_po_edits - 1))
      _po_nearest=$_po_known
    fi
  done
}

# Prints the names of variables that may be options, or those that end in $1.
_po_names() {
  local _po_known
  for _po_known in $(compgen -v); do
    if [[ $_po_known == ["$_po_letters"]*"${1:-}" ]]; then printf '%s ' "$_po_known"; fi
  done
}

# Prints how the driver passes on the option $1 with the value $2, if a stage's command has
# it, and the environment is there: it is not made for this.
_po_passed() {
  local _po_args _po_python="${VIRTUAL_ENV:-${S2ST_VENV:-$_po_root/.venv}}/bin/python"
  read -ra _po_args <<<"$(_po_names _args)"
  if ((${#_po_args[@]})) && [[ -x $_po_python ]]; then
    PYTHONPATH="$_po_root${PYTHONPATH:+:$PYTHONPATH}" \
      "$_po_python" -m s2st_interleave.passing "$1" "$2" "${_po_args[@]}" 2>/dev/null || true
  fi
}

# Says that $1 is no option, and which one it resembles, or which stage has it. $2: where it
# was found; $3: its value.
_po_unknown() {
  local _po_known _po_options=() _po_nearest _po_hint=''
  for _po_known in $(_po_names); do
    if _po_is_option "$_po_known"; then _po_options+=("$_po_known"); fi
  done
  _po_resemble "${1//-/_}" "${_po_options[@]}"
  if [[ -n $_po_nearest ]]; then
    _po_hint=", did you mean --$_po_nearest?"
  elif [[ $1 =~ ^[a-zA-Z0-9_.-]+$ ]]; then
    _po_hint="$(_po_passed "$1" "${3:-}")"
    _po_hint="${_po_hint:+; $_po_hint}"
  fi
  _po_fail "$2unknown option --$1$_po_hint"
}

# Sets _po_new to the number of the stage $2, a number or a name. $1: where it was found, and
# the option.
_po_stage() {
  local _po_known _po_nearest _po_all=()
  if [[ $2 =~ ^[0-9]{1,18}$ ]]; then
    _po_new=$((10#$2))
    if ((${#_po_stages[@]} && _po_new > ${#_po_stages[@]})); then
      _po_fail "$1 $2: the stages are 1 to ${#_po_stages[@]}"
    fi
    return
  fi
  for _po_known in "${_po_stages[@]}"; do
    _po_all+=("${_po_known#*_}")
    if [[ ${_po_known#*_} == "$2" ]]; then
      _po_new=$((10#${_po_known%%_*}))
      return
    fi
  done
  _po_resemble "$2" "${_po_all[@]}"
  _po_fail "$1 takes a whole number or a name (${_po_all[*]}), not '$2'${_po_nearest:+; did you mean $_po_nearest?}"
}

# Fails unless there is a stage from $stage to $stop_stage.
_po_check_stages() {
  local _po_known
  _po_is_option stage && _po_is_option stop_stage || return 0
  for _po_known in "${own_stages[@]-}"; do
    if ((_po_known && stage <= _po_known && _po_known <= stop_stage)); then return 0; fi
  done
  if ((stage > stop_stage)); then
    _po_fail "nothing to do: --stage $stage comes after --stop_stage $stop_stage; set both"
  elif [[ -n ${own_stages[*]-} ]]; then
    _po_fail "nothing to do: the stages here are ${own_stages[*]}"
  elif ((stop_stage < 1)); then
    _po_fail "nothing to do: the stages are 1 to ${#_po_stages[@]}"
  fi
}

# Sets option $1 to value $2. $3: where it was found, "" or "FILE, line N: ".
_po_set() {
  local _po_name="${1//-/_}"
  _po_is_option "$_po_name" || _po_unknown "$1" "$3" "$2"
  local _po_new="$2"
  if [[ $_po_name == stage || $_po_name == stop_stage ]] && [[ ${!_po_name} =~ ^[0-9]+$ ]]; then
    _po_stage "$3--$1" "$2"
  elif [[ $_po_texts == *" $_po_name "* ]]; then
    :
  elif [[ ${!_po_name} == true || ${!_po_name} == false ]]; then
    [[ $2 == true || $2 == false ]] ||
      _po_fail "$3--$1 takes true or false, not '$2'"
  elif [[ ${!_po_name} =~ ^[0-9]+$ ]]; then
    [[ $2 =~ ^[0-9]{1,18}$ ]] || _po_fail "$3--$1 takes a whole number, not '$2'"
    _po_new=$((10#$2)) # to bash 010 would be 8
  else
    _po_texts+=" $_po_name " # whatever it is set to first
  fi
  # Words for a stage's command, where the last of an option wins: what a recipe says stays.
  if [[ $_po_name == *_args && -n ${!_po_name} && -n $2 ]]; then _po_new="${!_po_name} $2"; fi
  printf -v "$_po_name" '%s' "$_po_new"
}

_po_no_equals() {
  _po_fail "$2write '--${1%%=*} ${1#*=}', with a space: options take no '='"
}

# Sets _po_value to what the text $1 of a config line means: quotes taken off, or
# without a comment behind it. $2: where it was found.
_po_unquote() {
  local _po_rest
  case "$1" in
    [\"\']*)
      _po_value="${1:1}"
      [[ $_po_value == *"${1:0:1}"* ]] || _po_fail "$2the quote is not closed: $1"
      _po_rest="${_po_value#*"${1:0:1}"}"
      _po_value="${_po_value%%"${1:0:1}"*}"
      [[ $_po_rest =~ ^[[:space:]]*$ || $_po_rest =~ ^[[:space:]]+# ]] ||
        _po_fail "$2text behind the closing quote: $1"
      ;;
    '#'*) _po_value='' ;;
    *)
      _po_value="${1%%[[:space:]]#*}"
      _po_value="${_po_value%"${_po_value##*[![:space:]]}"}"
      ;;
  esac
}

_po_read_config() {
  local _po_line _po_where _po_value _po_number=0
  [[ -f $1 && -r $1 ]] || _po_fail "--config: no such file: $1"
  while IFS= read -r _po_line || [[ -n $_po_line ]]; do
    _po_number=$((_po_number + 1))
    _po_where="$1, line $_po_number: "
    _po_line="${_po_line%$'\r'}"
    _po_line="${_po_line#"${_po_line%%[![:space:]]*}"}"
    case "$_po_line" in
      '' | '#'*) continue ;;
    esac
    if [[ $_po_line =~ ^--([^[:space:]=]+)[[:space:]]+([^#[:space:]].*)$ ]] ||
      [[ $_po_line =~ ^([a-zA-Z_][a-zA-Z0-9_-]*)=(.*)$ ]]; then
      local _po_name="${BASH_REMATCH[1]}"
      _po_unquote "${BASH_REMATCH[2]}" "$_po_where"
      _po_set "$_po_name" "$_po_value" "$_po_where"
    elif [[ $_po_line =~ ^--([^[:space:]]+=.*)$ ]]; then
      _po_no_equals "${BASH_REMATCH[1]}" "$_po_where"
    elif [[ $_po_line == --* ]]; then
      _po_fail "${_po_where}${_po_line%%[[:space:]]*} needs a value"
    else
      _po_fail "${_po_where}write name=value or --name value, not: $_po_line"
    fi
  done <"$1"
}

# Is $1, in the place of a value, clearly the next option?
_po_looks_like_option() {
  [[ $1 == --* ]] || return 1
  local _po_name="${1#--}"
  [[ $_po_name == config || $_po_name == help ]] || _po_is_option "${_po_name//-/_}"
}

_po_parse() {
  local _po_given=() _po_values=() _po_index _po_name
  # 1. the shape of the line, and the config files in their order
  while (($# > 0)); do
    case "$1" in
      -h | --help)
        printf '%s\n' "${help_message:-${0##*/}: no help_message is set}"
        if declare -F more_help >/dev/null; then more_help; fi
        exit 0
        ;;
      --*=*) _po_no_equals "${1#--}" "" ;;
      --?*) ;;
      -?*) _po_fail "unknown option $1: options start with --" ;;
      *) _po_fail "unexpected argument '$1': values come as --name value" ;;
    esac
    if (($# < 2)) || _po_looks_like_option "$2"; then
      _po_name="${1#--}"
      [[ $1 == --config ]] || _po_is_option "${_po_name//-/_}" ||
        _po_unknown "$_po_name" ""
      _po_fail "$1 needs a value"
    fi
    if [[ $1 == --config ]]; then
      _po_read_config "$2"
    else
      _po_given+=("${1#--}")
      _po_values+=("$2")
    fi
    shift 2
  done
  # 2. the line itself, which wins
  for ((_po_index = 0; _po_index < ${#_po_given[@]}; _po_index++)); do
    _po_set "${_po_given[_po_index]}" "${_po_values[_po_index]}" ""
  done
}

_po_parse "$@"
_po_check_stages
S2ST_PASSES="$(_po_names _args)" S2ST_TAKES="$(_po_names)"
export S2ST_PASSES S2ST_TAKES
set --
unset -f _po_fail _po_is_option _po_distance _po_resemble _po_names _po_passed _po_unknown \
  _po_stage _po_check_stages _po_set _po_no_equals _po_unquote _po_read_config \
  _po_looks_like_option _po_parse
unset _po_letters _po_texts _po_root _po_stages _po_name
