"""Files that tell where FX nodes come from: written by the dump helpers, read by pairing."""

from __future__ import annotations

import re

FORMAT = "ait-cmp FX sources"
VERSION = 1
# Process that wrote the file, and how many it had written before.
FILE_NAME = re.compile(r"fx_sources_(?P<pid>[0-9]{1,18})_(?P<number>[0-9]{1,18})\.json")


def file_name(pid: int, number: int) -> str:
    """Name of the file of a graph; the pass that writes it does not know the graph's number."""
    return f"fx_sources_{pid}_{number}.json"


def module_path(text: str) -> str:
    """The path of a module as a person writes it: "L['self'].layers[0].mlp" is layers.0.mlp."""
    text = re.sub(r"\bL\['\w+'\]", "", text)
    text = re.sub(r"\._modules\['([^']*)'\]|\['([^']*)'\]", r".\1\2", text)
    text = re.sub(r"getattr\((.*?), '([^']*)'\)", r"\1.\2", text)
    return re.sub(r"\[(\d+)\]", r".\1", text).strip(".")
