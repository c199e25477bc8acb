"""What every column of every report means, in English and Chinese: the one table.

From it come `ait-cmp columns`, docs/en/columns.md and docs/zh/columns.md, and the tooltips of the
HTML report.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

Language = Literal["en", "zh"]
Kind = Literal["text", "integer", "number"]


_KINDS_ZH: dict[Kind, str] = {"text": "文本", "integer": "整数", "number": "数值"}
# Of units that are no symbols.
_UNITS_ZH = {
    "from 0": "从 0 起",
    "-1 to 1": "-1 到 1",
    "0 to 1": "0 到 1",
    "share": "比例",
    "as the values": "同张量的值",
    "nats": "奈特",
    "times": "倍",
    "pairs": "元素对",
    "elements": "元素",
    "flat index": "展平下标",
    "standard deviations": "标准差",
    "units": "舍入单位",
    "-1: no rank folders": "-1：无 rank 目录",
}


class Column(NamedTuple):
    """One column.

    Attributes:
        name: As the header has it.
        kind: What a cell holds; every cell may be empty: not computed.
        unit: Unit or form of the value, "" where the meaning says all.
        en: Meaning.
        zh: The same in Chinese.
        normal: What is normal, or the limit; "" where nothing is.
        normal_zh: The same in Chinese.
    """

    name: str
    kind: Kind
    unit: str
    en: str
    zh: str
    normal: str = ""
    normal_zh: str = ""

    def meaning(self, language: Language) -> str:
        """The meaning in a language."""
        return self.zh if language == "zh" else self.en

    def tooltip(self, language: Language) -> str:
        """Meaning and what is normal, in a language."""
        title = "正常值或阈值：" if language == "zh" else "Normal or limit: "
        normal = self.normal_in(language)
        return self.meaning(language) + (f"\n{title}{normal}" if normal else "")

    def unit_in(self, language: Language) -> str:
        """The unit, in a language."""
        return _UNITS_ZH.get(self.unit, self.unit) if language == "zh" else self.unit

    def kind_in(self, language: Language) -> str:
        """What a cell holds, in a language."""
        return _KINDS_ZH[self.kind] if language == "zh" else self.kind

    def normal_in(self, language: Language) -> str:
        """What is normal, in a language."""
        return self.normal_zh if language == "zh" else self.normal


def _side(name: str, en: str, zh: str, kind: Kind = "text", unit: str = "") -> list[Column]:
    """A column of each side, golden first, with `{side}` in its texts."""
    return [
        Column(
            f"{side}_{name}",
            kind,
            unit,
            en.format(side=side_en),
            zh.format(side=side_zh),
        )
        for side, side_en, side_zh in (("golden", "golden", "标杆侧"), ("my", "my-side", "待测侧"))
    ]


_PATH = _side(
    "data_path",
    "Absolute path of the {side} tensor: `FILE,inputs|outputs,INDEX` of a GE dump, an "
    "`.npy` of FX.",
    "{side}张量的绝对路径：GE 落盘文件为 `文件,inputs|outputs,序号`，FX 为 `.npy` 文件。",
)
_TYPE = _side(
    "op_type",
    "Type of the {side} operator: the GE type, or the FX target (`aten.add.Tensor`).",
    "{side}算子类型：GE 类型，或 FX 的目标（`aten.add.Tensor`）。",
)
_DTYPE = _side(
    "dtype",
    "Stored dtype of the {side} tensor; types that torch lacks without `torch.`.",
    "{side}张量落盘时的数据类型；torch 没有的类型不带 `torch.` 前缀。",
)
_SHAPE = _side("shape", "Logical shape of the {side} tensor.", "{side}张量的逻辑形状。")
_MAX = _side(
    "max_value",
    "Largest finite value of the {side} tensor.",
    "{side}张量有阈值中的最大值。",
    "number",
)
_MIN = _side(
    "min_value",
    "Smallest finite value of the {side} tensor.",
    "{side}张量有阈值中的最小值。",
    "number",
)
_MEAN = _side(
    "mean_value",
    "Mean of the finite values of the {side} tensor.",
    "{side}张量有阈值的平均值。",
    "number",
)
_NAN = _side(
    "nan_count", "NaN values of the {side} tensor.", "{side}张量中 NaN 的个数。", "integer"
)
_INF = _side(
    "inf_count",
    "Infinite values of the {side} tensor.",
    "{side}张量中无穷大的个数。",
    "integer",
)
_WORST = _side(
    "worst",
    "Value of the {side} tensor where the absolute error is largest.",
    "绝对误差最大处{side}张量的值。",
    "number",
)
_SIDES = (_PATH, _TYPE, _DTYPE, _SHAPE, _MAX, _MIN, _MEAN)

_METRICS = [
    Column(
        "cosine_similarity",
        "number",
        "-1 to 1",
        "Cosine of the angle between the two tensors, over pairs that are finite on both sides.",
        "两个张量夹角的余弦，只计两侧均为有阈值的元素。",
        "at least 0.99 (--cosine-min)",
        "不低于 0.99（--cosine-min）",
    ),
    Column(
        "max_relative_error",
        "number",
        "share",
        "Largest |my - golden| / |golden| where |golden| is above 2^-23.",
        "|golden| 大于 2^-23 处 |my - golden| / |golden| 的最大值。",
    ),
    Column(
        "mean_relative_error",
        "number",
        "share",
        "Mean of the same; pairs with a smaller |golden| count as 0.",
        "上述相对误差的平均值；|golden| 更小的元素按 0 计。",
    ),
    Column(
        "max_absolute_error",
        "number",
        "as the values",
        "Largest |my - golden| of all finite pairs.",
        "所有有限元素 |my - golden| 的最大值。",
        "up to 2^-23 passes whatever the others say",
        "不超过 2^-23 即通过",
    ),
    Column(
        "mean_absolute_error",
        "number",
        "as the values",
        "Mean of |my - golden|.",
        "|my - golden| 的平均值。",
    ),
    Column(
        "kl_divergence",
        "number",
        "nats",
        "Kullback-Leibler divergence of the softmax of both flattened tensors.",
        "两个张量展平后各做 softmax 的 KL 散度。",
        "near 0",
        "接近 0",
    ),
    Column(
        "relative_euclidean_distance",
        "number",
        "share",
        "RED: root of sum((my - golden)^2) / sum(golden^2), the error of the whole tensor.",
        "相对欧氏距离 RED：sum((my - golden)^2) / sum(golden^2) 的平方根，即整个张量的误差。",
        "at most 0.05 (--red-max)",
        "不高于 0.05（--red-max）",
    ),
]

COMPARE_COLUMNS: tuple[Column, ...] = (
    Column(
        "token_id",
        "integer",
        "from 0",
        "Step of the GE run.",
        "GE 运行的步（token）编号，从 0 起。",
    ),
    Column("data_id", "integer", "from 0", "Running number of the row.", "行的流水号。"),
    *(golden for golden, _ in _SIDES),
    *(mine for _, mine in _SIDES),
    *_METRICS,
    Column(
        "cmp_fail_reason",
        "text",
        "",
        "Why the tensor was not compared, fails or only inherits (with limit and value); "
        "notes on the "
        "pair.",
        "未比较、不通过或仅为继承误差的原因（含阈值与实际值），以及对该配对的说明。",
    ),
    Column(
        "rank",
        "integer",
        "-1: no rank folders",
        "Rank of the process.",
        "进程的 rank；-1 表示没有 rank 目录。",
    ),
    Column("graph", "text", "", "Name of the graph, `graph_1`.", "图的名字，如 `graph_1`。"),
    Column(
        "op_name",
        "text",
        "",
        "Name of the operator in the graph; of a fused one that of its file.",
        "算子在图中的名字；融合算子为其文件中的名字。",
    ),
    Column(
        "io",
        "text",
        "inputs, outputs",
        "What the tensor is to its operator.",
        "张量是算子的输入还是输出。",
    ),
    Column(
        "index",
        "integer",
        "from 0",
        "Position among the inputs or outputs.",
        "在输入或输出中的序号。",
    ),
    Column(
        "status",
        "text",
        "",
        "What became of the tensor: compared, unmatched (no counterpart), shape_mismatch, "
        "no_data, "
        "unreadable or unsupported.",
        "张量的去向：compared 已比较，unmatched 无对应张量，shape_mismatch 形状不符，no_data "
        "无数据，"
        "unreadable 不可读，unsupported 不支持。",
    ),
    Column(
        "match",
        "text",
        "",
        "Rule that found the pair, most certain first: name, dataflow, view, fused, "
        "argument, literal, "
        "self.",
        "配对所依据的规则，由最可靠到最不可靠：name、dataflow、view、fused、argument、"
        "literal、self。",
    ),
    Column(
        "verdict",
        "text",
        "",
        "pass: within the limits; inherited: outside of them by no more than the operator "
        "was given; "
        "fail.",
        "pass：在阈值之内；inherited：超出阈值，但不超过算子所得到的误差；fail：不通过。",
    ),
    Column(
        "upstream_error",
        "number",
        "share",
        "Largest RED among the tensors that the operator was given, through all its ancestors.",
        "算子所得到的张量（含全部上游）中最大的 RED。",
    ),
    Column(
        "error_growth",
        "number",
        "times",
        "RED / max(upstream_error, unit roundoff): how many times what it could inherit.",
        "RED / max(upstream_error, 单位舍入误差)：是可继承误差的多少倍。",
        "about 1; diverges above 4 (--growth-max)",
        "约为 1；大于 4 判为偏离（--growth-max）",
    ),
    *(mine for _, mine in (_NAN, _INF)),
    *(golden for golden, _ in (_NAN, _INF)),
    Column(
        "nonfinite_mismatch_count",
        "integer",
        "pairs",
        "Pairs of which NaN or infinity stands on one side only, or another one; saturation "
        "does not "
        "count.",
        "仅一侧为 NaN 或无穷大（或两侧不同）的元素对数；饱和不计。",
        "0",
        "0",
    ),
    Column(
        "worst_index",
        "integer",
        "flat index",
        "Where the absolute error is largest; empty if all are equal.",
        "绝对误差最大处的展平下标；全部相等时为空。",
    ),
    *(mine for _, mine in (_WORST,)),
    *(golden for golden, _ in (_WORST,)),
    Column(
        "estimated",
        "text",
        "",
        "What the metrics were estimated from: sketch, stats or min_max; empty where they "
        "are exact.",
        "指标由何种摘要估计：sketch、stats 或 min_max；精确时为空。",
    ),
    Column(
        "one_thousandth_err_ratio",
        "number",
        "share",
        "Share of the pairs whose relative error is below 0.001.",
        "相对误差小于千分之一的元素占比。",
        "near 1",
        "接近 1",
    ),
    Column(
        "five_thousandths_err_ratio",
        "number",
        "share",
        "Share of the pairs whose relative error is below 0.005.",
        "相对误差小于千分之五的元素占比。",
        "near 1",
        "接近 1",
    ),
    Column(
        "block_error",
        "number",
        "0 to 1",
        "Largest error of a block of 512 neighbouring values: sees one wrong token that RED "
        "does not.",
        "相邻 512 个值为一块，误差最大的一块的误差：能发现 RED 看不到的单个错误 token。",
    ),
    Column(
        "block_growth",
        "number",
        "times",
        "block_error / what the operator was given of it.",
        "block_error 与算子所得到的块误差之比。",
        "about 1; diverges above 3.2 (--block-growth-max)",
        "约为 1；大于 3.2 判为偏离（--block-growth-max）",
    ),
    Column(
        "bias_z",
        "number",
        "standard deviations",
        "How far the signed error is from unbiased rounding; negative where my side is too small.",
        "有符号误差偏离无偏舍入多少个标准差；待测侧偏小时为负。",
        "within 8 on most rows; never accuses by itself",
        "多数行在 8 以内；不单独作为判据",
    ),
    Column(
        "decision_flips",
        "integer",
        "pairs",
        "Of indices, comparisons and masks: how many decisions differ.",
        "索引、比较、掩码等决策张量中不同的个数。",
    ),
    Column(
        "own_error",
        "number",
        "share",
        "Replay: RED from what the operator's own inputs say.",
        "重放：与由算子自身输入重算结果之间的 RED。",
    ),
    Column(
        "own_growth",
        "number",
        "units",
        "Replay: own_error in units of the rounding of its dtype.",
        "重放：own_error 除以该数据类型的舍入单位。",
        "about 0.6; wrong above 3 (--own-growth-max)",
        "约 0.6；大于 3 判为算错（--own-growth-max）",
    ),
    Column(
        "fx_node", "text", "", "FX node that the operator was made for.", "该算子对应的 FX 节点。"
    ),
    Column(
        "module",
        "text",
        "",
        "Module of the user's model, `layers.0.mlp.up_proj`.",
        "用户模型中的模块，如 `layers.0.mlp.up_proj`。",
    ),
    Column(
        "source",
        "text",
        "",
        "Line of the user's model, `qwen.py:38`.",
        "用户模型中的代码行，如 `qwen.py:38`。",
    ),
)

_TITLES = {
    "en": ("Column", "Type", "Unit", "Meaning", "Normal or limit"),
    "zh": ("列", "类型", "单位", "含义", "正常值或阈值"),
}


def column_lines(columns: Sequence[Column], language: Language) -> Iterator[str]:
    """The table as Markdown."""
    yield f"| {' | '.join(_TITLES[language])} |"
    yield "|---|---|---|---|---|"
    for column in columns:
        meaning = column.meaning(language).replace("|", "\\|")
        cells = (
            column.kind_in(language),
            column.unit_in(language),
            meaning,
            column.normal_in(language),
        )
        yield f"| `{column.name}` | {' | '.join(cells)} |"
