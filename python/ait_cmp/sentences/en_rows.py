"""English texts of notes on a capture and of what rows say."""

from __future__ import annotations

TEXTS = {
    # notes of a capture
    "not_read": "NOT READ: {part}",
    "not_read_more": "NOT READ: {part} And {n} more.",
    "few_common_nodes": (
        "{graph} is not compared: at most {share} of its nodes exist in a golden graph "
        "({golden}); another model or another program?"
    ),
    "part_graph": (
        "{graph} is compared with the golden {golden}: GE runs this part of {whole} as a model "
        "of its own."
    ),
    "no_rank_folders": (
        "The {part_side} side has no rank folders, the {part_other} side has ranks {ranks}: name "
        "the rank that it belongs to with --rank."
    ),
    "no_worker_sees": (
        "rank {n} is not compared: no worker sees both of its sides (my side: {part_mine}; golden "
        "side: {part_theirs})"
    ),
    "nobody": "nobody",
    "no_such_rank": "there is no rank {n} in this dump; it has {ranks}.",
    "no_such_step": "there is no step {n} in this dump; it has {steps}.",
    "own_metrics": "Custom algorithms: {part}",
    "no_fx_names": (
        "No FX tensor (_fx_tensor_name) of these operators is named in {paths}: is the graph "
        "text cut short, or of another run?"
    ),
    "golden_lacks_rank": "The golden dump has no rank {n}.",
    "golden_lacks_graph": "The golden dump has no counterpart of {graph}.",
    "golden_lacks_step": "The golden dump has no step {n} of {graph}.",
    "no_common_step": "They have no step in common.",
    "golden_file_lost": "golden: the tensors of a file that cannot be read are not counted; {part}",
    "golden_files_lost": (
        "golden: the tensors of {n} files that cannot be read are not counted; {part}"
    ),
    "loose_files": "Files outside of the step folders are ignored, in {names}.",
    "dump_for_rank": "there are no rank folders; the whole dump stands for the rank asked for.",
    "fx_older_runs": (
        "several runs in one folder: the graphs of the newest are taken, those of the runs "
        "before are left out: {names}."
    ),
    "old_layout_0": "The FX steps of this old layout are numbered from 0 (a step 0 exists).",
    "nodes_again": (
        "{part_where}: nodes that were dumped more than once in a step (several runs in one "
        "folder): {n}, for example {name}, in steps {steps}; the newest call of each is taken."
    ),
    "devices_as_ranks": (
        "Several device folders ({names}) without rank folders: the device number is taken for "
        "the rank."
    ),
    "graph_at_device": (
        "rank {n}: several device folders ({names}); graphs of the same name on a further device "
        "are called graph@device."
    ),
    "graph_files_rank": (
        "graph_{n} of rank {n_rank} has {n_files} {stage} graph files (several runs); the "
        "newest, {newest}, is taken."
    ),
    "graph_files": (
        "graph_{n} has {n_files} {stage} graph files (several runs); the newest, {newest}, is "
        "taken."
    ),
    "exceptions": "Exception dumps (exception_info.*) are not compared: {n}.",
    "viewer_graphs": (
        "Graphs for viewers (ge_onnx_*.pbtxt) are not read; ge_proto_*.txt of the same stage "
        "names fused operators: {names}."
    ),
    "folders_like_files": "Folders with the name of a dump file hold none: {names}.",
    "model_ids": (
        "{part_where}: several model ids; {newest}, the last one loaded, is taken, {left} left out."
    ),
    "with_ranks": (
        "Dumps with and without rank folders lie in one folder; those with are the newest and "
        "are taken, {n} folders are left out."
    ),
    "without_ranks": (
        "Dumps with and without rank folders lie in one folder; those without are the newest and "
        "are taken, {n} folders are left out."
    ),
    "several_folders": (
        "{part_where}: several dump folders; the newest, {newest}, is taken, {left} left out."
    ),
    "this_dump": "this dump",
    # of a row: what it is compared with, or why with nothing
    "several_runs": "The FX node ran several times; the last run counts.",
    "target": "The graph calls the target {name}.",
    "no_slice_attribute": "The header has no attribute with the slices.",
    "reads_as": "its name reads as {names}, but no data edges join these ops",
    "begins_like": "its name begins like graph op {name}",
    "can_be_read_as": "its name can be read as {names}",
    "too_many_ways": "its name can be read as members in too many ways",
    "same_file_name": "{names} have the same file name and the header names neither",
    "slice_of": (
        "Slice {n} (from 0) of {n_all} into which FFTS+ cut this op, compared with its part of "
        "the golden tensor."
    ),
    "slices_missing": "Only {n} of the {n_all} slices are in the dump.",
    "slices_no_object": "The slice attribute of the header is no JSON object.",
    "slices_no_number": (
        "The slice attribute has slice_instance_num {found}, a number was expected."
    ),
    "slices_rank": "The slices of this op and the whole tensor {shape} differ in rank.",
    "slices_axis": "The axis along which this slice was cut from {shape} is not certain.",
    "slice_missing": "Slice {n} of this op is not in the dump: no place can be counted.",
    "slices_sum": "The slices add up to {n} along axis {n_axis}, the whole tensor has {n_all}.",
    "slices_no_json": "The slice attribute of the header is no JSON ({type}).",
    "slices_no_lists": (
        "The slice attribute has no lists of {lower, higher} in {name}_tensor_slice, one list "
        "per thread, tensor and dimension."
    ),
    "no_permutation": "The permutation of {name} is no constant in the graph text.",
    "renumbered": (
        "Golden {name} was given other tensors than those that feed this op: the nodes of the "
        "two FX graphs are numbered differently ({names} fits)."
    ),
    "hands_on": "FX node {name} hands its input on, so the ops may belong to the node before it.",
    "whole_numbers": (
        "A few whole numbers: nothing but their position would tell which argument it is."
    ),
    "unnamed_argument": "Another argument that the graph does not name may be one of its files.",
    "no_fx_node": "The graph does not tell which FX node its op was made for.",
    "no_file_of_node": "The FX dump has no file of node {name}, whose argument it is.",
    "no_argument": "It is no argument of FX node {name}.",
    "several_arguments": "{n} arguments of the FX node have its type and shape.",
    "none_or_several": "No argument of the FX node, or more than one, has its type and shape.",
    "shape_not_shown": "The dump does not show its shape where it is used.",
    "transposed_or_not": "Its shape does not tell whether the FX argument is transposed.",
    "written_in_place": (
        "The op writes this input in place and GE dumps it afterwards: it is the output."
    ),
    "written_before": (
        "The op writes this input in place and GE dumps it afterwards: FX has only the values "
        "before."
    ),
    "ge_only": "An operator that only GE has: the graph names no FX tensor for it.",
    "view_constant_unknown": (
        "A constant of an inserted view; the graph text does not give its value."
    ),
    "view_constant_equal": (
        "A constant of an inserted view: it has the value that the graph text gives."
    ),
    "view_constant_differs": (
        "A constant of an inserted view: it is {found}, the graph text gives {expected}."
    ),
    "view_constant_unreadable": "A constant of an inserted view that cannot be read: {part}.",
    "input_of_no_node": "A graph input or constant that no op of an FX node uses.",
    "no_fx_file": "The FX dump has no file of {name}-{target}.",
    "between_views": "The shape between two inserted views is not known, or does not fit.",
    "no_golden_file": "The golden dump has no file of this op and none that holds this tensor.",
    "golden_file_unreadable": "The golden file of this op cannot be read: {part}",
    "cut_on_golden": (
        "FFTS+ cut this op into {n} slices on the golden side only: no golden file holds the "
        "whole tensor."
    ),
    "inside_fused": "It is inside the fused op {name} of the golden side.",
    "inserted_by_ge": "Inserted by GE: its output is compared with its own input.",
    "constant_unknown": "A constant whose value the graph text does not give.",
    "constant_no_literal": "A constant; no literal argument of the FX node has its value.",
    "constant_by_position": (
        "A constant; nothing but its position would tell which literal argument it is."
    ),
    "slice_whole_unknown": "A slice of an op that FFTS+ cut; the shape of the whole is not known.",
    "slice_of_cut_op": "A slice of an op that FFTS+ cut. {part}",
    "one_of_slices": "One of {n} slices into which FFTS+ cut this op. {part}",
    "slice_part_unknown": (
        "FFTS+ cut this op into slices, and the header does not say which part of the tensor "
        "this one holds."
    ),
    "unknown_name": "The graph text has no op of this name: GE inserted or renamed it.",
    "unknown_name_because": "The graph text has no op of this name: {part}.",
    "numbers_disagree_inputs": (
        "The dump and the graph disagree on the number of inputs of this op and shapes do not "
        "tell which is which."
    ),
    "numbers_disagree_outputs": (
        "The dump and the graph disagree on the number of outputs of this op and shapes do not "
        "tell which is which."
    ),
    "no_name_no_text": "The golden dump has no op of this name, and there is no graph text.",
    "copy_input": "Input of a copy that GE inserted: the measure for its output.",
    "copy_no_measure": "A copy that GE inserted; its input is no measure for its output.",
    "members_by_outputs": "The members of this fused op are known from its outputs only.",
    "no_text_of_it": "There is no graph text (dynamo_original_graph_*.txt) that says what it is.",
    "not_usable_input": "The file has no usable input {n}.",
    "not_usable_output": "The file has no usable output {n}.",
    "earlier_execution": "Earlier execution of the same op; the last one is compared.",
    # of a row: its verdict
    "saturation": "{n} pairs are saturation, no mismatch.",
    "saturation_one": "{n} pair is saturation, no mismatch.",
    "not_known": "{type} is not known.",
    "no_reader": "No op reads it.",
    "repeats_failure": "It is what {name} wrote, which fails.",
    "stale_in_place": "The graph writes it in place: it holds what runs before left in it.",
    "stale_step": "An earlier step wrote it.",
    "stale_state": "It may be state of steps that were not dumped.",
    "within_limits": "It differs within the limits.",
    "ties": "{n} of {n_all} decisions differ where the values agree within rounding: ties.",
    "not_ties": (
        "{n} of {n_all} decisions differ, {n_apart} of them where the values chosen do not agree "
        "within rounding."
    ),
    # the page
    "enough_looked_at": "enough values were looked at before",
    "too_many_values": "the values cannot be read, or there are too many",
    "not_looked_at": "not looked at",
    "reduced_keeps_none": "a reduced dump keeps no values",
    "nothing_comparable": "nothing comparable",
    "wrong_by_type": "It does not compute what its type says of its inputs.",
    "the_golden_graph": "the golden graph",
    # what stands in lists of names and numbers
    "list_more": " and {n} more",
    "list_before": " and {n} before them",
    "list_others": " and others",
    "list_so_on": " and so on",
    "list_meets": " meets ",
    "list_span": "{n} to {n_last}",
    "list_task": "task {n} of stream {n_stream}",
    "list_in": " in ",
    "list_fx_node": ", FX node ",
    "list_or": " or ",
}
