"""Where every FX node comes from in the user's model: a pass of torchair that writes it down.

The pass knows the FX graph but not the number of the graph text: the two meet by node names.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from ait_cmp.dump.notices import warn
from ait_cmp.fx_sources import FORMAT, VERSION, file_name, module_path

# What of torchair's options tells where an op is: the module on the ops of the graph text
# (`export.experimental`), and a pass over the FX graph (GE mode alone; torchair 7.3 or newer).
MODULE_STACK = "enable_record_nn_module_stack"
SOURCES_PASS = "post_grad_custom_post_pass"

# A frame of a stack trace, and the line of source below it.
_FRAME = re.compile(
    r'^\s*File "(?P<file>[^"\n]*)", line (?P<line>\d+)[^\n]*\n(?P<code>[^\n]*)', re.M
)


@dataclass
class SourcesWriter:
    """torchair calls it with every FX graph that GE is about to get.

    Attributes:
        folder: Where `fx_sources_{pid}_{k}.json` are written.
        before: A pass that the config had already: it is called first.
    """

    folder: str
    before: Callable[..., Any] | None = None
    _numbers: Any = field(default_factory=itertools.count, repr=False, compare=False)

    def __call__(self, graph_module: Any, *args: Any, **kwargs: Any) -> Any:
        """Write the file; the graph stays as it is, and a full disk does not stop the run."""
        given = None if self.before is None else self.before(graph_module, *args, **kwargs)
        graph = getattr(graph_module, "graph", graph_module)
        try:
            self._write({node.name: source_of(node) for node in graph.nodes})
        except OSError as error:
            warn(f"{self.folder}: FX sources cannot be written: {error}")
        return given

    def _write(self, nodes: dict[str, dict[str, Any]]) -> None:
        name = file_name(os.getpid(), next(self._numbers))
        text = json.dumps({"format": FORMAT, "version": VERSION, "nodes": nodes}, indent=0)
        unfinished = Path(self.folder, f".{name}.tmp")
        unfinished.write_text(text + "\n", encoding="utf-8")
        unfinished.replace(Path(self.folder, name))


def source_of(node: Any) -> dict[str, Any]:
    """Module path, class, file, line and source line of an FX node; what is not known is left out.

    Args:
        node: A torch.fx.Node; its meta "nn_module_stack" is key -> (path, class), outermost first.
    """
    found: dict[str, Any] = {}
    stack = node.meta.get("nn_module_stack") or {}
    entries = [entry for entry in stack.values() if isinstance(entry, tuple) and len(entry) == 2]
    if entries:
        path, kind = entries[-1]
        found["module"] = module_path(str(path))
        found["class"] = (
            f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else str(kind)
        )
    frames = list(_FRAME.finditer(getattr(node, "stack_trace", None) or ""))
    if frames:
        last = frames[-1]
        found.update(file=last["file"], line=int(last["line"]), code=last["code"].strip())
    return found
