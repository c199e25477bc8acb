"""Sentences about what lies in a dump folder beside the dumps that are compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ait_cmp.discover.contents import Contents
from ait_cmp.discover.file_names import is_number, parse_fx_name, parse_ge_name
from ait_cmp.discover.levels import fx_levels, ge_levels
from ait_cmp.discover.runs import name_list
from ait_cmp.discover.tree import OverflowFile

# A number of more digits is no level of a dump.
_MOST_DIGITS = 18


def content_notes(
    contents: Sequence[tuple[str, Contents]], chosen: Collection[str], empty: Sequence[str]
) -> list[str]:
    """Overflow records, exception dumps, foreign files, odd folders, a sentence for each kind.

    Args:
        contents: (path by which levels are told, files) of the folders of the tree.
        chosen: Paths of the folders whose dumps are compared; foreign files elsewhere say nothing.
        empty: Step folders without a dump.
    """
    notes = [note for _, found in contents for note in found.notes]
    overflow = [(found, file) for _, found in contents for file in found.overflow]
    if overflow:
        tasks = name_list({_overflown(found, file) for found, file in overflow})
        notes.append(
            f"The device reported overflow in {tasks} ({overflow[0][1].path}); that explains NaN "
            "and inf values."
        )
    n_exceptions = sum(len(found.exceptions) for _, found in contents)
    if n_exceptions:
        notes.append(f"Exception dumps (exception_info.*) are not compared: {n_exceptions}.")
    viewers = [name for _, found in contents for name in found.foreign if _is_viewer_graph(name)]
    if viewers:
        notes.append(
            "Graphs for viewers (ge_onnx_*.pbtxt) are not read; ge_proto_*.txt of the same stage "
            f"names fused operators: {name_list(viewers)}."
        )
    foreign = [
        name
        for _, found in contents
        if found.path in chosen
        for name in found.foreign
        if not _is_viewer_graph(name)
    ]
    if foreign:
        notes.append(f"Files that are no dumps are ignored: {len(foreign)} ({name_list(foreign)}).")
    named = [found.path for _, found in contents if _has_dump_name(found.path)]
    if named:
        notes.append(f"Folders with the name of a dump file hold none: {name_list(named)}.")
    if empty:
        notes.append(f"Step folders without any dump: {name_list(empty)}.")
    return notes


def empty_step_folders(
    lowest: Collection[str], contents: Sequence[tuple[str, Contents]]
) -> list[str]:
    """Step folders of a complete layout that hold nothing of a dump.

    Args:
        lowest: Folders that have no folders.
        contents: (path by which levels are told, files) of the folders of the tree.
    """
    # Folders of one parent whose names are numbers are alike.
    is_step: dict[str, bool] = {}

    def is_step_folder(path: str) -> bool:
        folder, _, name = path.rpartition("/")
        if not is_number(name) or len(name) > _MOST_DIGITS:
            return _is_step(path)
        if folder not in is_step:
            is_step[folder] = _is_step(path)
        return is_step[folder]

    return [
        found.path
        for path, found in contents
        if found.path in lowest
        and not (found.ge or found.fx or found.overflow or found.exceptions)
        and is_step_folder(path)
    ]


def _overflown(found: Contents, record: OverflowFile) -> str:
    """The task of an overflow record, and the op that ran as it, the nearest in time."""
    task = f"task {record.task_id} of stream {record.stream_id}"
    ran = [
        file
        for file in found.ge
        if file.task_id == record.task_id >= 0 and file.stream_id in (record.stream_id, -1)
    ]
    if not ran:
        return task
    op = min(ran, key=lambda file: abs(file.timestamp - record.timestamp))
    return f"{op.op_name} ({op.op_type}, {task})"


def _has_dump_name(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return (parse_ge_name(folder, name, {}) or parse_fx_name(folder, name)) is not None


def _is_viewer_graph(name: str) -> bool:
    return name.startswith("ge_onnx_") and name.endswith(".pbtxt")


def _is_step(path: str) -> bool:
    return ge_levels(path).is_complete or fx_levels(path).is_complete
