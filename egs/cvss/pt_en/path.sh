# The environment, nothing else: sets up on first use, or takes the active one.
. ../../../tools/activate.sh
