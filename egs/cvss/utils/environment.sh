# shellcheck shell=bash
# Sourced in a recipe's directory: its own path.sh and cmd.sh where it has them, else those
# of egs/, which all recipes share.
_s2st_egs="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
for _s2st_name in path cmd; do
  if [[ -f $_s2st_name.sh ]]; then
    . "./$_s2st_name.sh"
  else
    . "$_s2st_egs/$_s2st_name.sh"
  fi
done
unset _s2st_egs _s2st_name
