# For checks by hand: `cd x_en && . ./path.sh`, as paper/notes.md has it.
. ../../path.sh
