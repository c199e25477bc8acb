"""Chinese texts of summaries, divergences, replays and notes; the words of the CSV stay."""

from __future__ import annotations

TEXTS = {
    # the summary
    "inputs_differ": "输入不一致：{part}",
    "input_and_more": "{part_input}，另有 {n} 个：两次运行的输入数据不同。",
    "input": "{part_input}：两次运行的输入数据不同。",
    "input_read": "{name}（{what}），首先由 {reader} 的输入 {n} 读取",
    "refused": "拒绝比较：{part}",
    "refused_and_more": "拒绝比较：{part}另有 {n} 个。",
    "overwritten": "内存被踩踏：{part}",
    "overwritten_more": "            另有 {n} 个",
    "first_divergence": "首个偏差算子（{part_where}）：{names}",
    "where_rank": "rank {n} {graph} token {n_token}",
    "where": "{graph} token {n_token}",
    "also_diverges": "另一偏差算子 {name}（{part_where}）：{part_why}",
    "reason_and_count": "{n}  {part}",
    "why_and_remark": "{part_why}；{part_remark}",
    "more_places": "另有 {n} 处",
    "in_short_block": "分块误差为输入带来的 {growth} 倍",
    "in_short_growth": "误差为输入带来的 {growth} 倍",
    "in_short_exact": "输入相同，输出误差 {error}",
    "in_short_nonfinite": "仅一侧出现 NaN 或 inf",
    "more_operators": "……另有 {n} 个偏差算子：见报告",
    "no_later": "其后没有行超出阈值。",
    "one_later": "其后有 {n} 行超出阈值，可能由此引起。",
    "later": "其后有 {n} 行超出阈值，可能由此引起。",
    "same_at_one": "同一算子另有 {n} 处：{names}。",
    "same_at": "同一算子另有 {n} 处：{names}。",
    "same_at_and_more": "同一算子另有 {n} 处：{names} ……",
    "culprits": "出错的是以下算子之一：{names}。",
    "more": "下一步：{command}",
    "all_clear": "在可比较的 {n} 个张量（共 {n_all} 个）中，没有算子的计算结果与标杆不同。",
    "other_data": "没有算子被证明有误：输入数据不同时，能得出的结论很少。",
    "extrema_clear": "最大最小值均未超出阈值。",
    "one_extrema": "{n} 行只比较了最大最小值：其间的误差看不到。",
    "extrema": "{n} 行只比较了最大最小值：其间的误差看不到。",
    "ops_without_file": (
        "图中 {n_ops} 个算子里有 {n} 个没有落盘文件：未要求落盘（dump_layer、dump_step），"
        "或不在最终图中。"
    ),
    "ops_without_file_here": (
        "图中 {n_ops} 个算子里有 {n} 个没有落盘文件：{n_here} 个仅在部分步中缺失，"
        "{n_never} 个在所有步中都没有：未要求落盘（dump_layer、dump_step），或不在最终图中。"
    ),
    "one_unproven": "没有算子被证明有误，但有 {n} 行超出阈值，且大于输入带来的误差：{names}。",
    "unproven": "没有算子被证明有误，但有 {n} 行超出阈值，且大于输入带来的误差：{names}。",
    "compared_of": "{n_all} 个张量中有 {n} 个可以比较。",
    "model_outputs": "模型输出        {part}",
    "output": "相对欧氏距离最大 {error}，余弦相似度 {cosine}（{which}）",
    "output_choice": (
        "相对欧氏距离最大 {error}，余弦相似度 {cosine}（{which}）；"
        "最后一维的最大元素不同的位置占 {share}"
    ),
    "my_tensors": "待测张量        {counts}",
    "unmatched": "无对应张量      {n} = {list}",
    "golden_tensors": "标杆张量        {n} = {n_used} 已使用，{n_unused} 未使用",
    "paired_by": "配对规则        {counts}",
    "verdict": "判定            {counts}",
    "replayed_one": "重放            {n} 个算子 = {list}",
    "replayed": "重放            {n} 个算子 = {list}",
    "part_wrong": "算错",
    "part_right": "正确",
    "part_not_possible": "无法重放",
    "part_left_out": "略去，超出比对时的重放额度（--replay all）",
    "estimated": "估计值          {counts}",
    "one_without_block": "                {n} 个已比较的行没有 block_error",
    "without_block": "                {n} 个已比较的行没有 block_error",
    "no_graph_text": "没有图文本      此前写出的一切都视为算子所得到的输入",
    "no_graph_text_sentence": "没有图文本：此前写出的一切都视为算子所得到的输入。",
    "not_compared_one": (
        "未比较：{n} 个张量形状不同或无法读取。第一个：token {n_token}，{name}：{part}"
    ),
    "not_compared": (
        "未比较：{n} 个张量形状不同或无法读取。第一个：token {n_token}，{name}：{part}"
    ),
    "baseline": "基线            {n} 处已知偏离；{part}",
    "baseline_new": "新增 {n} 个：{names}",
    "report": "报告            {path}",
    "baseline_nothing_new": "没有新的偏差算子",
    "fits_nothing": "待测侧没有算子、FX 节点、类型或模块匹配 {pattern}。",
    "fits_nothing_near": "待测侧没有算子、FX 节点、类型或模块匹配 {pattern}；相近的有：{names}。",
    "no_result_json": "报告旁边没有 result.json：网页只有各行。",
    "newest_report": "{folder}：共 {n} 次运行，取最新的 {run}。",
    "page": "网页            {path}",
    "reports_more": "                同一目录下另有 {n} 个",
    "interrupted": "运行被中断：以下为已完成的行",
    "golden_ranks_only": "只有标杆侧才有的 rank：{ranks}。",
    "shards": (
        "{part_side}侧有 {n} 个张量在某一维上是{part_other}侧的 1/{n_parts}："
        "其张量并行的 rank 数是另一侧的 {n_times} 倍。切分的张量不能与完整的比较；"
        "请以相同的张量并行方式采集两侧。"
    ),
    "side_my": "待测",
    "side_golden": "标杆",
    "sides": "待测与标杆",
    "graph_of_another_model": (
        "{graph} 的图文本与 FX 落盘数据只有 {n} 个相同的节点名（分别有 {n_text} 与 {n_dump} 个）："
        "图文本属于另一个模型或另一次采集。"
    ),
    # why an op diverges
    "growth": (
        "其输出的相对欧氏距离为 {error}，输入带来的误差为 {given}："
        "是可继承误差的 {growth} 倍，阈值为 {limit}。"
    ),
    "block": (
        "其输出误差最大的分块为 {error}，输入带来的为 {given}："
        "分块误差是可继承误差的 {growth} 倍，阈值为 {limit}。"
    ),
    "nonfinite_only": "其输出仅在一侧出现 NaN 或 inf，而其输入一致。",
    "exact": "其全部输入逐位相同，而输出误差为 {error}；舍入只能解释 {limit}。",
    "edge_grew": "{reader} 读到的不是 {writer} 写出的内容：写出时正确，读取时错误。",
    "edge": "{reader} 读到的不是 {writer} 写出的内容：其间内存被踩踏。",
    "op_before": "其前一个算子",
    "watched": "{name} 在 {op} 之后完好，从 {writer} 起不同：其内存在此被踩踏。",
    "watched_at_once": "{name} 从 {writer} 起不同：其内存在此被踩踏。",
    # what a closer look tells
    "nonfinite_rows": "{type} 出现在 {n} 行中的行 {rows}（{part_side}侧）",
    "nonfinite_elements": "{type} 出现在 {n} 个元素中的元素 {rows}（{part_side}侧）",
    "all_zero": "待测侧所有元素为 0：结果是否根本没有写出？",
    "wrong_sign": "每个元素都满足 待测 = {factor} x 标杆：符号有误？",
    "no_scale": "每个元素都满足 待测 = {factor} x 标杆：缺少缩放系数？",
    "other_order": "行相同，顺序不同",
    "other_order_elements": "元素相同，顺序不同",
    "agree_again": "从 {name} 起张量重新一致",
    "input_not_compared": "其输入 {name} 无法比较：两次运行的输入可能不同",
    # replay
    "wrong_op": "{name} 的输出与由其输入计算的{part_what}不符：{part_how}。",
    "wrong_op_after": (
        "{name} 的输出与由其输入计算的{part_what}不符：{part_how}；其前 {n} 个算子均正确。"
    ),
    "what_a": " {type} 结果",
    "what_an": " {type} 结果",
    "what_members": "各成员的结果",
    "how_rounding": "误差 {error}，为舍入误差的 {part_times} 倍，涉及 {n_all} 个元素中的 {n} 个",
    "how_element": "误差 {error}；{n_all} 个元素中有 {n} 个的误差达到舍入误差的 {part_times} 倍",
    "how_large": "误差 {error}，各元素一致：数值偏大 {units} 个舍入单位",
    "how_small": "误差 {error}，各元素一致：数值偏小 {units} 个舍入单位",
    "how_exact": "误差 {error}：{n_all} 个元素中有 {n} 个不同，本应全部相同",
    "how_nonfinite": "{n_all} 个元素中有 {n} 个为 NaN 或无穷大，本不应出现",
    "infinitely_many": "无穷",
    "cause_of_a_part": "只试算了其中一部分：{part}",
    "cause_turned_x1": "它等于 x1 转置后 @ x2。",
    "cause_turned_x2": "它等于 x1 @ x2 转置后的结果。",
    "cause_without": "它等于不加 {name} 的结果。",
    "cause_left_out": "它等于 {name}：漏掉了 {other}。",
    "cause_factor": "它等于正确结果乘以 {factor}。",
    "cause_older": "它等于用上一步的输入算出的结果。",
    "cause_hf32": "它等于因子舍入为 HF32 后的结果。",
    "cause_sum": "它等于以 {type} 累加的和。",
    "cause_sum_terms": "它等于以 {type} 累加的和，每次 {n} 项。",
    "cause_flushed": "它等于把非规格化数置零后的结果。",
    "only_element": "只有元素 {at} 有误。",
    "only_row": "只有行 {at} 有误（{n} 个元素）。",
    "only_column": "只有最后一维的列 {n} 有误（{n_elements} 个元素）。",
    "only_last": "{n_all} 个元素中只有最后 {n} 个有误。",
    "only_tile": "只有一个 {n} x {n_wide} 的分块有误，从元素 {at} 起。",
    "some_rows": "{n_rows} 行中有 {n} 行有误。",
    "right_alone": "{name} 对自身输入的计算正确。",
    "right_but": "{name} 计算正确，但{part}",
    "named_part": "{name}：{part}",
    "overwritten_input": (
        "输入 {n} 不是 {name} 写出的内容（{n_all} 个元素中有 {n_wrong} 个不同）：其间内存被踩踏。"
    ),
    "not_replayed": "{name} 无法重放：{part}",
    "no_text_says": "没有图文本（dynamo_original_graph_*.txt）说明它计算什么。",
    "unknown_input": "{type} 的参考实现不认识输入 {name}。",
    "missing_input": "缺少输入 {name}。",
    "cut_in_slices": "FFTS+ 把该算子切成了多片。",
    "reduced_dump": "摘要文件，没有保留这么大的张量的值。",
    "and_its": "并且其{part}",
    "other_graph": (
        "{name} 按图文本计算正确：图文本与 {part_golden} 要求的不同（图转换、常量或图优化），"
        "或标杆侧算错。"
    ),
    "other_graph_made_for": (
        "{name}（对应 {node}）按图文本计算正确：图文本与 {part_golden} 要求的不同"
        "（图转换、常量或图优化），或标杆侧算错。"
    ),
    # the summary of a replay alone
    "replay_counts": "{n} 个输出：{n_right} 个正确，{n_wrong} 个算错，{n_not} 个未重放",
    "replay_clear": "{n_all} 个输出中有 {n} 个的算子按其输入计算正确。",
    "replay_alike": (
        "本次落盘的每个 {type}（{n} 个）误差都约为 {error}："
        "公式与参考实现不同，或设备如此（--reference 可替换参考实现）"
    ),
    "replay_not": "未重放：",
    "replay_note": "说明：{part}",
    "replay_exported": "{name} 已导出到 {path}。",
    "replay_interrupted": "运行被中断：以上为已完成的部分。",
    "replay_rows": "明细：{path}",
    "and_more_ops": "另有 {n} 个算错的算子",
    "and_more_inputs": "另有 {n} 个输入",
    "and_more_reasons": "另有 {n} 种原因",
    # what looks wrong with the capture
    "same_folder": "待测与标杆路径指向同一份落盘数据（{path}）：它与自身比较。",
    "mixed_runs": (
        "{part_where}，第 {n} 步：相隔 {n_minutes} 分钟后同样的算子又落盘一次："
        "一个目录中混有多次运行？每个算子取较晚的文件比较。"
    ),
    "aborted": (
        "{part_side}：{part_where}：最后一步（第 {n} 步）只有上一步 {n_before} 个算子中的 "
        "{n_ops} 个：落盘过程中运行被停止？"
    ),
    "zeros": (
        "仅在{part_side}侧全为零的张量：{n} 个，第一个是 {name}："
        "算子没有写出结果，或落盘时内存已释放？"
    ),
    "few_counterparts": (
        "{part_where}：{n_all} 个待测张量中有 {n} 个没有对应的标杆张量："
        "标杆数据是否完整，是否属于这个模型？"
    ),
    "few_dumped": (
        "{part_where}：图中 {n_all} 个算子里有 {n} 个在待测侧缺失：落盘被中断，或只采集了部分算子？"
    ),
    "equal_steps": (
        "{part_where}：{part_side}侧全部 {n} 个张量的大小、最大值、最小值、平均值在第 {steps} "
        "步中相同：同一步落盘两次，或输入没有变化？"
    ),
    "shifted_steps": (
        "{part_where}：从图的前几个张量看，{part_nearer}：两侧的步编号方式不同，或采集了预热步？"
    ),
    "place_rank": "rank {n}，{graph}",
    # what was chosen
    "steps_one_side": "{part_where}：仅{part_side}侧有的步，未比较：{steps}。",
    "graph_chosen": (
        "{graph} 与标杆 {golden} 比较，后者有其节点的 {share}：依据为{words}，而不是图的名字。"
    ),
    "no_golden_name": "{graph}：没有同名的标杆图，未比较。",
    "step_offset": (
        "{part_where} 的步为 {mine}，标杆侧为 {theirs}：若为模型的同一次运行，"
        "--golden-token-offset {offset} 可使其对应。"
    ),
    "steps_by_values": (
        "{part_where}：待测第 {mine} 步对应标杆第 {theirs} 步：图输入的值在此一致。"
    ),
    "one_golden_process": "标杆为单进程运行：待测的每个 rank（{ranks}）都与它比较。",
    "golden_graphs_alone": "没有与之比较的标杆图：{names}。",
    "overflow": "设备报告 {tasks} 溢出（{file}）；这可以解释 NaN 与 inf。",
    "newest_run": "{part_where}：有多次运行；取最新的 {newest}，略去 {left}。",
    "note_on_my": "待测：{part}",
    "note_on_golden": "标杆：{part}",
    "foreign_files": "忽略不是落盘数据的文件：{n} 个（{names}）。",
    "empty_steps": "没有任何落盘数据的步目录：{names}。",
    "filtered": ("只比较了符合 {names} 的算子：不知道其上游，首个偏差算子可能在更前面。"),
    "none_fits": "待测侧没有名字符合 {names} 的算子。",
    "golden_unreadable": "其标杆文件不可读：{part}",
    "tells_names": "节点名",
    "tells_shapes": "张量形状",
    "tells_values": "图输入的值",
    "tells_runs": "运行次数",
    "tells_order": "编译顺序",
    "nearer": "待测第 {n} 步更接近标杆第 {n_other} 步",
    "padded_graph": (
        "{graph} 有补齐：待测 {n_mine} 行，标杆 {n_golden} 行：比较前 {n} 行"
        "（--no-padding 按原形状比较）。"
    ),
    "padded_steps": ("{graph} 有补齐：各步的行中比较前 {what} 行（--no-padding 按原形状比较）。"),
    "few_nodes": (
        "{graph}：其节点只有 {share} 存在于标杆 {golden} 中：另一个模型，或有许多融合算子？"
    ),
    "graph_left_out": (
        "{graph} 未比较：标杆 {golden} 有其节点的 {share}，但属于另一张图，"
        "或是几张相似的图之一；要比较请给出两张图的目录。"
    ),
    "steps_empty_between": ("{part_where}：待测步 {steps}：其间的步目录为空，这些步没有落盘。"),
    "steps_in_order": ("{part_where}：待测步 {steps}：图输入的值在此一致。"),
    "only_ranks": "待测 rank {n} 与标杆 rank {n_golden} 比较：两侧都只有一个。",
    "ranks_one_side": "仅{part_side}侧有的 rank，未比较：{ranks}；{part_other}侧有 {others}。",
    "old_layout": "这种旧布局的 FX 步从 {n} 开始编号；第 {n_first} 步视为第 {n_taken} 步。",
    "padded": "有补齐：{part}。",
    "padded_rows": "待测 {n_mine} 行，标杆 {n_golden} 行：比较前 {n} 行",
}
