"""What every column of the report of a replay means."""

from __future__ import annotations

from ait_cmp.report.columns import Column

REPLAY_COLUMNS: tuple[Column, ...] = (
    Column(
        "rank",
        "integer",
        "-1: no rank folders",
        "Rank of the process.",
        "进程的 rank；-1 表示没有 rank 目录。",
    ),
    Column("graph", "text", "", "Name of the graph.", "图的名字。"),
    Column(
        "token_id",
        "integer",
        "from 0",
        "Step of the GE run.",
        "GE 运行的步（token）编号，从 0 起。",
    ),
    Column("op_name", "text", "", "Name of the operator.", "算子名。"),
    Column("op_type", "text", "", "GE type.", "GE 算子类型。"),
    Column("index", "integer", "from 0", "Position among the outputs.", "在输出中的序号。"),
    Column("dtype", "text", "", "Stored dtype.", "落盘时的数据类型。"),
    Column("shape", "text", "", "Logical shape.", "逻辑形状。"),
    Column(
        "status",
        "text",
        "",
        "right, wrong, or not_replayed (the reason says why).",
        "right 正确，wrong 算错，not_replayed 未重放（原因见 reason）。",
    ),
    Column("own_error", "number", "share", "RED from the reference.", "与参考结果之间的 RED。"),
    Column(
        "own_growth",
        "number",
        "units",
        "own_error in units of the rounding of its dtype.",
        "own_error 除以该数据类型的舍入单位。",
        "about 0.6; wrong above 3 (--own-growth-max)",
        "约 0.6；大于 3 判为算错（--own-growth-max）",
    ),
    Column(
        "worst_units",
        "number",
        "units",
        "Largest error of one element in its own units.",
        "单个元素误差与其自身单位之比的最大值。",
        "up to 8; wrong above 16 (--element-max)",
        "不超过 8；大于 16 判为算错（--element-max）",
    ),
    Column(
        "n_wrong", "integer", "elements", "Elements above that limit.", "超过该阈值的元素个数。"
    ),
    Column(
        "bias",
        "number",
        "units",
        "Mean signed relative error of elements above the median size.",
        "绝对值高于中位数的元素的平均有符号相对误差。",
    ),
    Column(
        "nonfinite_count",
        "integer",
        "elements",
        "NaN and infinite values that the reference does not have.",
        "参考结果中没有的 NaN 与无穷大的个数。",
        "0",
        "0",
    ),
    Column(
        "kind",
        "text",
        "",
        "Kind of the reference, which tells the unit.",
        "参考的种类，决定误差单位。",
    ),
    Column(
        "edge",
        "text",
        "",
        "Whether the inputs are what their producers wrote: equal, differs, unknown.",
        "输入是否就是其生产者写出的内容：equal 相同，differs 不同，unknown 未知。",
        "equal",
        "equal",
    ),
    Column("reason", "text", "", "Sentence on the result.", "对结果的说明。"),
    Column("my_data_path", "text", "", "Path of the tensor.", "张量的路径。"),
)
