# Stage 10: RESULTS.md, and the same table on the screen; a page for each test set.
for split in $test_sets; do
  decode_tags=
  for checkpoint in $checkpoints; do decode_tags+="greedy_$checkpoint "; done
  page="$results"
  if [[ $split != "${test_sets%% *}" ]]; then page="${results%.md}.$split.md"; fi
  "${s2st[@]}" results --title "$title" --src_lang "$src_lang" --exp_dir "$expdir" \
    --topline_dir "$expdir/topline/$split" --split "$split" --systems "$systems" \
    --baseline "$baseline" --decode_tags "$decode_tags" --mini "$mini" \
    --command "$command" --out "$page"
done
