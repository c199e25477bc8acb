"""Chinese texts of the sentences that rows carry; ids and blanks are those of `en.py`."""

from __future__ import annotations

TEXTS = {
    # of one side of a pair, "my" or "golden"
    "note": "{side}：{note}。",
    "nonfinite": (
        "{side} 数据含有 NaN 或 inf。"
        "（共 {n} 个：{n_nan} 个 NaN，{n_positive_inf} 个 inf，{n_negative_inf} 个 -inf）"
    ),
    "nonfinite_uncounted": "{side} 数据含有 NaN 或 inf。",
    # of a pair
    "counts_differ": "数据形状不匹配。（my {my_shape}，golden {golden_shape}）",
    "one_is_complex": "{side} 侧为复数：每个元素为两个值。",
    "shapes_differ": "形状不同，元素个数相同：my {my_shape}，golden {golden_shape}。",
    "not_comparable": "{why}。",
    "rounded_integers": "不小于 2^53 的整数按 float64 比较，可能有舍入。",
    "extrema_compared": "摘要（sketch）只有自身的顺序，而两侧顺序不同：比较了最大最小值。",
    # of bytes that are no numbers
    "uncoded": "{dtype} 的值没有公开的编码。",
    "no_numbers": "这些字节不是数值。",
    "against_numbers": "没有可与数值对照的内容。",
    "byte_counts_differ": "大小不同：{my_bytes} 字节对 {golden_bytes} 字节。",
    "bytes_differ_at": "按字节比较，{n} 个字节中第 {byte} 个起不同。",
    "bytes_differ": "按字节比较，不同。",
    "bytes_equal": "按字节比较：相同。",
    # of a tensor that cannot be read
    "error": "{error}。",
    "no_metrics": "由现有的值无法计算任何指标：文件损坏？",
    "no_memory": "内存不足以处理该张量。",
    # of unmatched tensors, behind their number
    "miss_ge_only": "个属于只有 GE 才有的算子",
    "miss_no_golden": "个没有标杆文件",
    "miss_alone": "个所在的 rank、图或步在标杆中不存在",
    "miss_other_model": "个所在图的图文本属于另一个模型",
    "miss_unknown_op": "个属于图文本中没有的算子",
    "miss_constant": "个标杆数据中看不到的常量",
    "miss_argument": "个输入无法确定对应的标杆参数",
    "miss_in_place": "个被原地写，标杆只有写之前的值",
    "miss_inserted": "个在 GE 插入的拷贝前后",
    "miss_repeated": "个属于算子较早的一次执行",
    "miss_unreadable": "个的标杆文件不可读",
    "miss_part": "个为算子中位置不明的部分",
    # what is said elsewhere, and has no text of its own yet
    "text": "{text}",
}
