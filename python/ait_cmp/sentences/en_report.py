"""English texts of summaries, divergences, replays and notes, as `recognise` finds them.

These are said where they are made up, in English; other languages find the sentence by its words.
Blanks: `n` and names that begin `n_` hold a number, `type` a word, `list` parts between commas,
`part` and names that begin `part_` what may be a sentence, or a part of one, of its own; `names`,
`steps` and others of `recognise` a list, between whose parts stands what `list_...` says.
"""

from __future__ import annotations

TEXTS = {
    # the summary
    "inputs_differ": "INPUTS DIFFER: {part}",
    "input_and_more": "{part_input}, and {n} more: the two runs were not given the same data.",
    "input": "{part_input}: the two runs were not given the same data.",
    "input_read": "{name} ({what}), first read by {reader} input {n}",
    "refused": "REFUSED: {part}",
    "refused_and_more": "REFUSED: {part} And {n} more.",
    "overwritten": "OVERWRITTEN: {part}",
    "overwritten_more": "             and {n} more",
    "first_divergence": "FIRST DIVERGENCE in {part_where}: {names}",
    "where_rank": "rank {n} {graph} token {n_token}",
    "where": "{graph} token {n_token}",
    "also_diverges": "ALSO DIVERGES {name} in {part_where}: {part_why}",
    "reason_and_count": "{n}  {part}",
    "why_and_remark": "{part_why}; {part_remark}",
    "more_places": "{n} more places",
    "in_short_block": "block {growth} times what it was given",
    "in_short_growth": "{growth} times what it was given",
    "in_short_exact": "equal inputs, output off by {error}",
    "in_short_nonfinite": "NaN or inf on one side only",
    "more_operators": "... and {n} more operators that diverge: see the report",
    "no_later": "No later row is outside the limits.",
    "one_later": "{n} later row is outside the limits, as can follow from it.",
    "later": "{n} later rows are outside the limits, as can follow from it.",
    "same_at_one": "The same at {n} other place: {names}.",
    "same_at": "The same at {n} other places: {names}.",
    "same_at_and_more": "The same at {n} other places: {names} ...",
    "culprits": "The culprit is one of: {names}.",
    "more": "more: {command}",
    "all_clear": (
        "No operator among the {n} of {n_all} tensors that could be compared computes something "
        "else."
    ),
    "other_data": "No operator is proven wrong: on other data little can be told.",
    "extrema_clear": "No minimum or maximum is outside the limits.",
    "one_extrema": "{n} row compares minima and maxima alone: errors between them do not show.",
    "extrema": "{n} rows compare minima and maxima alone: errors between them do not show.",
    "ops_without_file": (
        "{n} of the {n_ops} ops of the graphs have no file: not asked for (dump_layer, "
        "dump_step), or not in the final graph."
    ),
    "ops_without_file_here": (
        "{n} of the {n_ops} ops of the graphs have no file: {n_here} in some steps only, {n_never} "
        "in no step: not asked for (dump_layer, dump_step), or not in the final graph."
    ),
    "one_unproven": (
        "No operator is proven wrong, but {n} row is outside the limits by more than they were "
        "given: {names}."
    ),
    "unproven": (
        "No operator is proven wrong, but {n} rows are outside the limits by more than they were "
        "given: {names}."
    ),
    "compared_of": "{n} of {n_all} tensors could be compared.",
    "model_outputs": "model outputs   {part}",
    "output": "off by {error} at most, cosine {cosine} ({which})",
    "output_choice": (
        "off by {error} at most, cosine {cosine} ({which}); the largest element of the last axis "
        "is another one in {share} of positions"
    ),
    "my_tensors": "my tensors      {counts}",
    "unmatched": "unmatched       {n} = {list}",
    "golden_tensors": "golden tensors  {n} = {n_used} used, {n_unused} not used",
    "paired_by": "paired by       {counts}",
    "verdict": "verdict         {counts}",
    "replayed_one": "replayed        {n} op = {list}",
    "replayed": "replayed        {n} ops = {list}",
    "part_wrong": "wrong",
    "part_right": "right",
    "part_not_possible": "not possible",
    "part_left_out": "left out, more than a comparison takes (--replay all)",
    "estimated": "estimated       {counts}",
    "one_without_block": "                {n} compared row has no block_error",
    "without_block": "                {n} compared rows have no block_error",
    "no_graph_text": (
        "no graph text   whatever was written earlier counts as what an op was given"
    ),
    "no_graph_text_sentence": (
        "No graph text: whatever was written earlier counts as what an op was given."
    ),
    "not_compared_one": (
        "NOT COMPARED: {n} tensor has another shape or cannot be read. The first: token "
        "{n_token}, {name}: {part}"
    ),
    "not_compared": (
        "NOT COMPARED: {n} tensors have another shape or cannot be read. The first: token "
        "{n_token}, {name}: {part}"
    ),
    "baseline": "baseline        {n} known divergences; {part}",
    "baseline_new": "{n} new: {names}",
    "report": "report          {path}",
    "baseline_nothing_new": "no operator diverges that did not before",
    "fits_nothing": "No operator, FX node, type or module of the my side fits {pattern}.",
    "fits_nothing_near": (
        "No operator, FX node, type or module of the my side fits {pattern}; near: {names}."
    ),
    "no_result_json": (
        "There is no result.json beside the reports: the page has their rows alone."
    ),
    "newest_report": "{folder}: of {n} runs the newest, {run}, is taken.",
    "page": "page            {path}",
    "reports_more": "                and {n} more beside it",
    "interrupted": "interrupted: these are the rows done so far",
    "golden_ranks_only": "Ranks that only the golden dump has: {ranks}.",
    "shards": (
        "{n} tensors of the {part_side} side are 1/{n_parts} of the {part_other} ones in one axis: "
        "it ran with {n_times} times as many tensor-parallel ranks. Shards cannot be held against "
        "wholes; dump both sides with the same tensor parallelism."
    ),
    "side_my": "my",
    "side_golden": "golden",
    "sides": "my and golden",
    "graph_of_another_model": (
        "The graph text of {graph} and the FX dump have {n} node names in common, of {n_text} and "
        "{n_dump}: the text is of another model or capture."
    ),
    # why an op diverges
    "growth": (
        "Its output is off by {error} (relative Euclidean distance); what it was given by "
        "{given}: {growth} times what it can inherit; the limit is {limit}."
    ),
    "block": (
        "The worst block of its output is off by {error}; what it was given by {given}: block "
        "{growth} times what it can inherit; the limit is {limit}."
    ),
    "nonfinite_only": (
        "NaN or inf stand on one side only of its output; what it was given agrees."
    ),
    "exact": (
        "All that it reads is equal bit by bit, and its output is off by {error}; rounding "
        "explains {limit}."
    ),
    "edge_grew": (
        "What {reader} read is not what {writer} wrote: right when it was written, wrong when it "
        "was read."
    ),
    "edge": "What {reader} read is not what {writer} wrote: the buffer was overwritten in between.",
    "op_before": "the op before it",
    "watched": (
        "{name} is intact after {op} and different from {writer} on: its memory was overwritten "
        "there."
    ),
    "watched_at_once": "{name} is different from {writer} on: its memory was overwritten there.",
    # what a closer look tells
    "nonfinite_rows": "{type} stands in rows {rows} of {n} ({part_side} side)",
    "nonfinite_elements": "{type} stands in elements {rows} of {n} ({part_side} side)",
    "all_zero": "my is 0 in every element: was it written at all?",
    "wrong_sign": "my = {factor} x golden in every element: the sign is wrong?",
    "no_scale": "my = {factor} x golden in every element: a scale is missing?",
    "other_order": "the same rows in another order",
    "other_order_elements": "the same elements in another order",
    "agree_again": "the tensors agree again from {name} on",
    "input_not_compared": (
        "its input {name} could not be compared: the runs may have had other inputs"
    ),
    # replay
    "wrong_op": "{name} does not compute {part_what} of its inputs: {part_how}.",
    "wrong_op_after": (
        "{name} does not compute {part_what} of its inputs: {part_how}; the {n} ops before it are "
        "right."
    ),
    "what_a": "a {type}",
    "what_an": "an {type}",
    "what_members": "what its members say",
    "how_rounding": "off by {error}, {part_times} times its rounding, {n} of {n_all} elements",
    "how_element": (
        "off by {error}; {n} of {n_all} elements are off by up to {part_times} times their rounding"
    ),
    "how_large": "off by {error}, all alike: its values are too large by {units} roundings",
    "how_small": "off by {error}, all alike: its values are too small by {units} roundings",
    "how_exact": "off by {error}: {n} of {n_all} elements differ, where none may",
    "how_nonfinite": "{n} of {n_all} elements are NaN or infinite where none is due",
    "infinitely_many": "infinitely many",
    "cause_of_a_part": "A part of it was tried: {part}",
    "cause_turned_x1": "It equals x1 transposed @ x2.",
    "cause_turned_x2": "It equals x1 @ x2 transposed.",
    "cause_without": "It equals the result without its {name}.",
    "cause_left_out": "It equals {name}: {other} was left out.",
    "cause_factor": "It equals the result times {factor}.",
    "cause_older": "It equals the result of the inputs of the step before.",
    "cause_hf32": "It equals the result of factors that are rounded to HF32.",
    "cause_sum": "It equals a sum that is accumulated in {type}.",
    "cause_sum_terms": "It equals a sum that is accumulated in {type}, {n} terms at a time.",
    "cause_flushed": "It equals the result with subnormal numbers flushed to zero.",
    "only_element": "Only element {at} is off.",
    "only_row": "Only row {at} is off ({n} elements).",
    "only_column": "Only column {n} of the last axis is off ({n_elements} elements).",
    "only_last": "Only the last {n} of {n_all} elements are off.",
    "only_tile": "Only one tile of {n} x {n_wide} is off, from element {at} on.",
    "some_rows": "{n} of {n_rows} rows are off.",
    "right_alone": "{name} is right on its own inputs.",
    "right_but": "{name} is right, but {part}",
    "named_part": "{name}: {part}",
    "overwritten_input": (
        "input {n} is not what {name} wrote ({n_wrong} of {n_all} elements): the buffer was "
        "overwritten in between."
    ),
    "not_replayed": "{name} could not be replayed: {part}",
    "no_text_says": "no graph text says what it computes (dynamo_original_graph_*.txt).",
    "unknown_input": "input {name} is unknown to our {type}.",
    "missing_input": "its input {name} is missing.",
    "cut_in_slices": "FFTS+ cut the op into slices.",
    "reduced_dump": "a reduced dump, which does not keep the values of a tensor of this size.",
    "and_its": "And its {part}",
    "other_graph": (
        "{name} does what the graph says: the graph says something else than {part_golden} "
        "(conversion, a constant, a graph pass), or the golden side computed something else."
    ),
    "other_graph_made_for": (
        "{name}, made for {node}, does what the graph says: the graph says something else than "
        "{part_golden} (conversion, a constant, a graph pass), or the golden side computed "
        "something else."
    ),
    # the summary of a replay alone
    "replay_counts": "{n} outputs: {n_right} right, {n_wrong} wrong, {n_not} not replayed",
    "replay_clear": "Every operator behind {n} of {n_all} outputs computes what its inputs say.",
    "replay_alike": (
        "every {type} of this dump ({n}) is off by about {error}: another formula than ours, or "
        "the device (--reference overrides ours)"
    ),
    "replay_not": "Not replayed:",
    "replay_note": "note: {part}",
    "replay_exported": "{name} is exported to {path}.",
    "replay_interrupted": "Interrupted: what was done until then is told above.",
    "replay_rows": "rows: {path}",
    "and_more_ops": "and {n} more wrong ops",
    "and_more_inputs": "and {n} more inputs",
    "and_more_reasons": "and {n} more reasons",
    # what looks wrong with the capture
    "same_folder": "My and golden path lead to the same dump ({path}): it is compared with itself.",
    "mixed_runs": (
        "{part_where}, step {n}: the same operators were dumped again after {n_minutes} min: "
        "several runs mixed in one folder? The later file of an operator is compared."
    ),
    "aborted": (
        "{part_side}: {part_where}: its last step, {n}, has {n_ops} of the {n_before} operators of "
        "the step before: was the run stopped while it wrote?"
    ),
    "zeros": (
        "Tensors that are all zero on the {part_side} side only: {n}, the first is {name}: an "
        "operator that did not write its result, or memory that was free when it was dumped?"
    ),
    "few_counterparts": (
        "{part_where}: {n} of {n_all} my tensors have no golden counterpart: is the golden dump "
        "complete, and of this model?"
    ),
    "few_dumped": (
        "{part_where}: {n} of {n_all} operators of the graph are missing on the my side: was the "
        "dump cut short, or limited to some operators?"
    ),
    "equal_steps": (
        "{part_where}: on the {part_side} side size, maximum, minimum and mean of all {n} tensors "
        "are equal in steps {steps}: a step dumped twice, or inputs that do not change?"
    ),
    "shifted_steps": (
        "{part_where}: by the first tensors of the graph {part_nearer}: do the two sides count "
        "their steps differently, or was a warm-up run dumped?"
    ),
    "place_rank": "rank {n}, {graph}",
    # what was chosen
    "steps_one_side": "{part_where}: steps on the {part_side} side only, not compared: {steps}.",
    "graph_chosen": (
        "{graph} is compared with the golden {golden}, which has {share} of its nodes: {words} "
        "tell, not the names of the graphs."
    ),
    "no_golden_name": "{graph}: no golden graph has this name; it is not compared.",
    "step_offset": (
        "{part_where} has the steps {mine}, the golden side {theirs}: if they are the same run of "
        "the model, --golden-token-offset {offset} brings them together."
    ),
    "steps_by_values": (
        "{part_where}: my steps {mine} meet the golden steps {theirs}: there the values of the "
        "graph's inputs agree."
    ),
    "one_golden_process": (
        "The golden dump is of a run of one process: each of my ranks {ranks} is compared with it."
    ),
    "golden_graphs_alone": "Golden graphs that nothing is compared with: {names}.",
    "overflow": (
        "The device reported overflow in {tasks} ({file}); that explains NaN and inf values."
    ),
    "newest_run": "{part_where}: several runs; the newest, {newest}, is taken, {left} left out.",
    "note_on_my": "my: {part}",
    "note_on_golden": "golden: {part}",
    "foreign_files": "Files that are no dumps are ignored: {n} ({names}).",
    "empty_steps": "Step folders without any dump: {names}.",
    "filtered": (
        "Only operators that fit {names} were compared: what feeds them is not known, and the "
        "first divergence may lie before."
    ),
    "none_fits": "No operator of the my side has a name that fits {names}.",
    "golden_unreadable": "Its golden file cannot be read: {part}",
    "tells_names": "the names of nodes",
    "tells_shapes": "the shapes of tensors",
    "tells_values": "the values of graph inputs",
    "tells_runs": "the number of runs",
    "tells_order": "the order of compilation",
    "nearer": "my step {n} is nearer to golden step {n_other}",
    "padded_graph": (
        "{graph} is padded: my side {n_mine} rows, golden {n_golden}: the leading {n} are compared "
        "(--no-padding compares shapes as they are)."
    ),
    "padded_steps": (
        "{graph} is padded: of the rows of its steps the leading {what} are compared "
        "(--no-padding compares shapes as they are)."
    ),
    "few_nodes": (
        "{graph}: only {share} of its nodes exist in the golden {golden}: another model, or many "
        "fused operators?"
    ),
    "graph_left_out": (
        "{graph} is not compared: the golden {golden} knows {share} of its nodes, but belongs to "
        "another graph or is one of several alike; give the folders of the two graphs to compare "
        "them."
    ),
    "steps_empty_between": (
        "{part_where}: my step {steps}: the step folders between them are empty, those steps were "
        "not dumped."
    ),
    "steps_in_order": (
        "{part_where}: my step {steps}: there the values of the graph's inputs agree."
    ),
    "only_ranks": ("my rank {n} is compared with golden rank {n_golden}: each side has but one."),
    "ranks_one_side": (
        "Ranks on the {part_side} side only, not compared: {ranks}; the {part_other} side has "
        "{others}."
    ),
    "old_layout": (
        "The FX steps of this old layout are numbered from {n}; step {n_first} is taken as "
        "{n_taken}."
    ),
    "padded": "Padded: {part}.",
    "padded_rows": "my side {n_mine} rows, golden {n_golden}: the leading {n} are compared",
}
