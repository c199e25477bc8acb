"""The English texts: what stands in CSV and JSON reports in every language.

A blank for an argument is {its name}; a text has no other braces.
"""

from __future__ import annotations

TEXTS = {
    # of one side of a pair, "my" or "golden"
    "note": "{side}: {note}.",
    "nonfinite": (
        "{side}_data includes NAN or inf. "
        "({n_nan} NaN, {n_positive_inf} inf, {n_negative_inf} -inf of {n})"
    ),
    "nonfinite_uncounted": "{side}_data includes NAN or inf.",
    # of a pair
    "counts_differ": "data shape doesn't match. (my {my_shape}, golden {golden_shape})",
    "one_is_complex": "The {side} side is complex: each element is two values.",
    "shapes_differ": "Shapes differ, element counts agree: my {my_shape}, golden {golden_shape}.",
    "not_comparable": "{why}.",
    "rounded_integers": (
        "Integers of 2^53 or beyond were compared as float64, which may round them."
    ),
    "extrema_compared": (
        "A sketch has no order but its own and the two orders differ: extrema compared."
    ),
    # of bytes that are no numbers
    "uncoded": "Values of {dtype} have no public coding.",
    "no_numbers": "The bytes are no numbers.",
    "against_numbers": "There is nothing to hold against numbers.",
    "byte_counts_differ": "The sizes differ: {my_bytes} bytes against {golden_bytes}.",
    "bytes_differ_at": "Compared as bytes they differ first at byte {byte} of {n}.",
    "bytes_differ": "Compared as bytes they differ.",
    "bytes_equal": "Compared as bytes: equal.",
    # of a tensor that cannot be read
    "error": "{error}.",
    "no_metrics": "Nothing can be computed from the values that are there: a damaged file?",
    "no_memory": "There is not enough memory for this tensor.",
    # of unmatched tensors, behind their number
    "miss_ge_only": "of an operator that only GE has",
    "miss_no_golden": "without a golden file",
    "miss_alone": "in a rank, graph or step that the golden dump lacks",
    "miss_other_model": "in a graph whose text is of another model",
    "miss_unknown_op": "of an operator that no graph text knows",
    "miss_constant": "constants that the golden dump does not show",
    "miss_argument": "inputs whose golden argument is not certain",
    "miss_in_place": "written in place, of which golden has the values before",
    "miss_inserted": "around a copy that GE inserted",
    "miss_repeated": "of an earlier execution of its op",
    "miss_unreadable": "whose golden file cannot be read",
    "miss_part": "parts of an op whose place is not known",
    # what is said elsewhere, and has no text of its own yet
    "text": "{text}",
}
