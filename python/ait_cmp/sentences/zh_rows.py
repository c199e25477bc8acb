"""Chinese texts of `en_rows.py`."""

from __future__ import annotations

TEXTS = {
    # notes of a capture
    "not_read": "未读取：{part}",
    "not_read_more": "未读取：{part}另有 {n} 个。",
    "few_common_nodes": (
        "{graph} 未比较：标杆的图（{golden}）中最多只有其 {share} 的节点；另一个模型或另一个程序？"
    ),
    "part_graph": "{graph} 与标杆 {golden} 比较：GE 把 {whole} 的这一部分作为单独的模型运行。",
    "no_rank_folders": (
        "{part_side}侧没有 rank 目录，{part_other}侧有 rank {ranks}：请用 --rank 指明它属于哪个"
        " rank。"
    ),
    "no_worker_sees": (
        "rank {n} 未比较：没有 worker 能同时看到两侧（待测：{part_mine}；标杆：{part_theirs}）"
    ),
    "nobody": "无",
    "no_such_rank": "这份落盘数据中没有 rank {n}；有 {ranks}。",
    "no_such_step": "这份落盘数据中没有第 {n} 步；有 {steps}。",
    "own_metrics": "自定义算法：{part}",
    "no_fx_names": (
        "{paths} 中没有这些算子的 FX 张量（_fx_tensor_name）：图文本被截断，或属于另一次运行？"
    ),
    "golden_lacks_rank": "标杆中没有 rank {n}。",
    "golden_lacks_graph": "标杆中没有 {graph} 的对应图。",
    "golden_lacks_step": "标杆中没有 {graph} 的第 {n} 步。",
    "no_common_step": "两侧没有相同的步。",
    "golden_file_lost": "标杆：有一个文件不可读，其中的张量未计入；{part}",
    "golden_files_lost": "标杆：有 {n} 个文件不可读，其中的张量未计入；{part}",
    "loose_files": "忽略步目录之外的文件，位于 {names}。",
    "dump_for_rank": "没有 rank 目录；整份落盘数据视为所要的 rank。",
    "fx_older_runs": "一个目录中有多次运行：取最新一次的图，略去之前各次的：{names}。",
    "old_layout_0": "这种旧布局的 FX 步从 0 开始编号（有第 0 步）。",
    "nodes_again": (
        "{part_where}：同一步中多次落盘的节点（一个目录中有多次运行）：{n} 个，如 {name}，出现在"
        "第 {steps} 步；各取最新一次。"
    ),
    "devices_as_ranks": "有多个设备目录（{names}）而没有 rank 目录：以设备号为 rank。",
    "graph_at_device": "rank {n}：有多个设备目录（{names}）；其他设备上的同名图称为 graph@device。",
    "graph_files_rank": (
        "rank {n_rank} 的 graph_{n} 有 {n_files} 个 {stage} 图文件（多次运行）；取最新的 {newest}。"
    ),
    "graph_files": "graph_{n} 有 {n_files} 个 {stage} 图文件（多次运行）；取最新的 {newest}。",
    "exceptions": "异常落盘文件（exception_info.*）不比较：{n} 个。",
    "viewer_graphs": (
        "不读取供查看的图（ge_onnx_*.pbtxt）；同阶段的 ge_proto_*.txt 给出融合算子的名字：{names}。"
    ),
    "folders_like_files": "目录名与落盘文件相同，但其中没有落盘文件：{names}。",
    "model_ids": "{part_where}：有多个 model id；取最后加载的 {newest}，略去 {left}。",
    "with_ranks": (
        "一个目录中既有带 rank 目录的落盘数据，也有不带的；带的较新，取之，略去 {n} 个目录。"
    ),
    "without_ranks": (
        "一个目录中既有带 rank 目录的落盘数据，也有不带的；不带的较新，取之，略去 {n} 个目录。"
    ),
    "several_folders": "{part_where}：有多个落盘目录；取最新的 {newest}，略去 {left}。",
    "this_dump": "这份落盘数据",
    # of a row: what it is compared with, or why with nothing
    "several_runs": "该 FX 节点运行了多次；以最后一次为准。",
    "target": "图文本中的 target 为 {name}。",
    "no_slice_attribute": "文件头中没有切片属性。",
    "reads_as": "其名字可读作 {names}，但这些算子之间没有数据边",
    "begins_like": "其名字的开头与图中算子 {name} 相同",
    "can_be_read_as": "其名字可读作 {names}",
    "too_many_ways": "其名字拆成各成员的方式过多",
    "same_file_name": "{names} 的文件名相同，而文件头没有指明是哪一个",
    "slice_of": (
        "FFTS+ 把该算子切成 {n_all} 片，这是第 {n} 片（从 0 起），与标杆张量的相应部分比较。"
    ),
    "slices_missing": "落盘数据中只有 {n_all} 片中的 {n} 片。",
    "slices_no_object": "文件头的切片属性不是 JSON 对象。",
    "slices_no_number": "切片属性的 slice_instance_num 为 {found}，应为数。",
    "slices_rank": "该算子的切片与完整张量 {shape} 的维数不同。",
    "slices_axis": "无法确定该切片沿哪一维从 {shape} 切出。",
    "slice_missing": "该算子的第 {n} 片不在落盘数据中：无法推算位置。",
    "slices_sum": "各切片在第 {n_axis} 维上共 {n}，完整张量为 {n_all}。",
    "slices_no_json": "文件头的切片属性不是 JSON（{type}）。",
    "slices_no_lists": (
        "切片属性的 {name}_tensor_slice 中没有按线程、张量、维度排列的 {lower, higher} 列表。"
    ),
    "no_permutation": "图文本中 {name} 的 perm 不是常量。",
    "renumbered": "标杆 {name} 的输入不是该算子的输入：两张 FX 图的节点编号不同（{names} 相符）。",
    "hands_on": "FX 节点 {name} 原样传递输入，因此这些算子可能属于前一个节点。",
    "whole_numbers": "只有几个整数：除位置外无从判断是哪个参数。",
    "unnamed_argument": "它的某个文件可能是图中没有命名的另一个参数。",
    "no_fx_node": "图文本没有说明该算子对应哪个 FX 节点。",
    "no_file_of_node": "它是节点 {name} 的参数，而 FX 落盘数据中没有该节点的文件。",
    "no_argument": "它不是 FX 节点 {name} 的参数。",
    "several_arguments": "该 FX 节点有 {n} 个参数的类型与形状与之相同。",
    "none_or_several": "该 FX 节点没有参数或有多个参数的类型与形状与之相同。",
    "shape_not_shown": "落盘数据没有显示它被使用时的形状。",
    "transposed_or_not": "从形状无法判断 FX 参数是否转置。",
    "written_in_place": "该算子原地写此输入，GE 在写之后才落盘：它就是输出。",
    "written_before": "该算子原地写此输入，GE 在写之后才落盘：FX 只有写之前的值。",
    "ge_only": "只有 GE 才有的算子：图文本没有给出它的 FX 张量。",
    "view_constant_unknown": "插入的视图的常量；图文本没有给出其值。",
    "view_constant_equal": "插入的视图的常量：其值与图文本一致。",
    "view_constant_differs": "插入的视图的常量：其值为 {found}，图文本为 {expected}。",
    "view_constant_unreadable": "插入的视图的常量，不可读：{part}。",
    "input_of_no_node": "没有 FX 节点的算子使用的图输入或常量。",
    "no_fx_file": "FX 落盘数据中没有 {name}-{target} 的文件。",
    "between_views": "两个插入的视图之间的形状未知或不符。",
    "no_golden_file": "标杆中没有该算子的文件，也没有含该张量的文件。",
    "golden_file_unreadable": "该算子的标杆文件不可读：{part}",
    "cut_on_golden": "FFTS+ 只在标杆侧把该算子切成 {n} 片：没有标杆文件含完整张量。",
    "inside_fused": "它在标杆侧的融合算子 {name} 内部。",
    "inserted_by_ge": "由 GE 插入：其输出与自身的输入比较。",
    "constant_unknown": "图文本没有给出其值的常量。",
    "constant_no_literal": "常量；该 FX 节点没有值与之相同的字面参数。",
    "constant_by_position": "常量；除位置外无从判断是哪个字面参数。",
    "slice_whole_unknown": "FFTS+ 切分的算子的一片；完整张量的形状未知。",
    "slice_of_cut_op": "FFTS+ 切分的算子的一片。{part}",
    "one_of_slices": "FFTS+ 把该算子切成 {n} 片，这是其中一片。{part}",
    "slice_part_unknown": "FFTS+ 把该算子切成多片，文件头没有说明这一片是张量的哪一部分。",
    "unknown_name": "图文本中没有这个名字的算子：由 GE 插入或改名。",
    "unknown_name_because": "图文本中没有这个名字的算子：{part}。",
    "numbers_disagree_inputs": (
        "落盘数据与图文本中该算子的输入个数不一致，从形状也无法判断如何对应。"
    ),
    "numbers_disagree_outputs": (
        "落盘数据与图文本中该算子的输出个数不一致，从形状也无法判断如何对应。"
    ),
    "no_name_no_text": "标杆中没有这个名字的算子，也没有图文本。",
    "copy_input": "GE 插入的拷贝的输入：以它衡量其输出。",
    "copy_no_measure": "GE 插入的拷贝；不能用其输入衡量输出。",
    "members_by_outputs": "该融合算子的成员只能从其输出得知。",
    "no_text_of_it": "没有图文本（dynamo_original_graph_*.txt）说明它是什么。",
    "not_usable_input": "文件中没有可用的输入 {n}。",
    "not_usable_output": "文件中没有可用的输出 {n}。",
    "earlier_execution": "同一算子较早的一次执行；比较的是最后一次。",
    # of a row: its verdict
    "saturation": "{n} 对不等的值为饱和，不算不一致。",
    "saturation_one": "{n} 对不等的值为饱和，不算不一致。",
    "not_known": "{type} 未知。",
    "no_reader": "没有算子读取它。",
    "repeats_failure": "即 {name} 的输出，而该输出不通过。",
    "stale_in_place": "图原地写它：它保留着之前运行留下的内容。",
    "stale_step": "由较早的一步写出。",
    "stale_state": "可能是未落盘的步留下的状态。",
    "within_limits": "有差异，但在阈值内。",
    "ties": "{n_all} 个选择中有 {n} 个不同，而相应的值在舍入误差内相同：并列。",
    "not_ties": "{n_all} 个选择中有 {n} 个不同，其中 {n_apart} 个所选的值不在舍入误差内。",
    # the page
    "enough_looked_at": "之前查看的值已足够多",
    "too_many_values": "值不可读，或数量过多",
    "not_looked_at": "未查看",
    "reduced_keeps_none": "摘要文件不保留值",
    "nothing_comparable": "没有可比较的内容",
    "wrong_by_type": "其输出与由其输入按其类型计算的结果不符。",
    "the_golden_graph": "标杆图",
    # what stands in lists of names and numbers
    "list_more": " 等，另有 {n} 个",
    "list_before": " 以及此前的 {n} 个",
    "list_others": " 等",
    "list_so_on": " 等",
    "list_meets": " 对应 ",
    "list_span": "{n} 到 {n_last}",
    "list_task": "流 {n_stream} 的任务 {n}",
    "list_in": " 在 ",
    "list_fx_node": ", FX 节点 ",
    "list_or": " 或 ",
}
