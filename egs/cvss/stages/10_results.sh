# Stage 10: RESULTS.md, and the same table on the screen; a page for each test set.
for split in "${test_names[@]}"; do
  page="$results"
  if [[ $split != "${test_names[0]}" ]]; then page="${results%.md}.$split.md"; fi
  page_of=(--title "$title" --src_lang "$src_lang" --exp_dir "$expdir" --split "$split"
    --systems "$systems" --baseline "$baseline"
    --decode_tags "${checkpoint_names[*]/#/greedy_}" --command "$command" --out "$page")
  if [[ $toplines == true ]]; then page_of+=(--topline_dir "$expdir/topline/$split"); fi
  if [[ -n $corpus_note ]]; then page_of+=(--corpus_note "$corpus_note"); fi
  "${s2st[@]}" results "${page_of[@]}"
done
