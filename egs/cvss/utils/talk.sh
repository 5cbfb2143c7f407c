# shellcheck shell=bash
# Sourced by s2st.sh, and reads its options: what a run says before, between and after the
# stages.
# s2st_plan: prints what will run, what is up to date, and how long it may take.
# s2st_heading NUMBER NAME: the line above a stage.
# s2st_next: the commands that one types after a whole run.
plan_text=
s2st_plan() {
  if ((${#script_names[@]} == 0)); then return; fi
  plan_text="$(python -m s2st_interleave.status.outlook \
    --first "$((10#${script_names[0]%%_*}))" --last "$((10#${script_names[-1]%%_*}))" \
    --splits "${splits[*]}" --test_sets "${test_names[*]}" --systems "$systems" \
    --checkpoints "${checkpoint_names[*]}" --toplines "$toplines" --local_data "$local_data" \
    --datadir "$datadir" --dumpdir "$dumpdir" --expdir "$expdir" --trained "$trained" \
    --encoder_dir "$encoder_dir" --kmeans_dir "$kmeans_dir" --vocoder_dir "$vocoder_dir" \
    --nj "$gpu_nj" --parallel_systems "$((parallel_systems > 1 ? parallel_systems : 1))")"
  echo "$plan_text"
  if [[ $plan_text == *"to make"* && $plan_text != *"~"* ]]; then
    echo "  no times: no stage has run here before${takes:+; a whole first run takes $takes}"
  fi
}
s2st_heading() {
  local time=''
  if [[ $plan_text =~ (^|$'\n')\ *"$1 $2 "[^$'\n']*(~[^$'\n']*) ]]; then
    time=", ${BASH_REMATCH[2]}"
  fi
  echo "== stage $1 of $((stop_stage > 10 ? stop_stage : 10)): $2 ($(date +%T)$time)"
}
s2st_next() {
  local system="${system_names[-1]}" tag="greedy_${checkpoint_names[-1]}" split="${test_names[0]}"
  local decode here root model first again="$command" wav amount
  decode="$(printf %q "$expdir/$system/$tag/$split")" here="$(printf %q "$PWD")"
  root="$(printf %q "$S2ST_ROOT")" model="$(printf %q "$expdir/pack/$system")"
  first="$(printf %q "$expdir/$baseline/$tag/$split")"
  if [[ $again == egs/* ]]; then again="$root/$again"; fi
  # The stages of this run are not those of the next one.
  local stage_of="^(.*) '?--(stop_)?stage'? '?[0-9a-z_]+'?(.*)\$"
  while [[ $again =~ $stage_of ]]; do again="${BASH_REMATCH[1]}${BASH_REMATCH[3]}"; done
  echo "next (cd $here; . $root/tools/activate.sh):"
  if [[ -s $expdir/$system/$tag/$split/vocode/wav.scp ]]; then
    read -r _ wav <"$expdir/$system/$tag/$split/vocode/wav.scp"
    echo "  listen:     $wav"
    if [[ -f ${wav/"$expdir/$system/"/"$expdir/$baseline/"} && $system != "$baseline" ]]; then
      echo "              ${wav/"$expdir/$system/"/"$expdir/$baseline/"}"
    fi
  fi
  echo "  see, hear:  $expdir/report.html"
  # Imported units have neither encoder nor codebook here.
  if [[ -f $encoder_dir/stage.json && -f $kmeans_dir/stage.json ]] &&
    python -m s2st_interleave.pack.packable "$trained/$system" "$expdir/$system/$tag/$split"; then
    echo "  translate:  $again --stage 11 --stop_stage 11 &&"
    echo "              python -m s2st_interleave translate --model $model my.wav"
  fi
  if [[ $system != "$baseline" ]]; then
    echo "  compare:    python -m s2st_interleave compare $first $decode"
  fi
  echo "  look:       python -m s2st_interleave status"
  if [[ -n $worth ]]; then
    amount="$(python -m s2st_interleave.data.amount "$datadir/train")" # one line or two
    echo "${amount%%$'\n'*}: $worth"
  fi
}
