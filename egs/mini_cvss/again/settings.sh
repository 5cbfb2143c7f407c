# shellcheck shell=bash
# Sourced by ../paper.sh: as in the grid confirm, a pair has models of its own.
. confirm/settings.sh
