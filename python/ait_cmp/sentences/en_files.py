"""English texts of what damaged or unreadable files, tensors and folders get.

The readers say them, in C++ and in Python; blanks are those of `en_report.py`.
"""

from __future__ import annotations

TEXTS = {
    # what stands around a problem
    "in_header": "header: {part}",
    "in_line": "line {n}, column {n_column}: {part}",
    "in_npy_header": ".npy header: {part} at byte {n}",
    "os_error": "[Errno {n}] {part}: {path}",
    "unreadable": "unreadable: {part}",
    "note_of_my_data": "my_data: {part}",
    "note_of_golden_data": "golden_data: {part}",
    "only_same_storage": (
        "{part} (only the same storage format and shape on both sides can be compared)"
    ),
    # words of the system
    "no_such_file": "No such file or directory",
    "no_permission": "Permission denied",
    "not_permitted": "Operation not permitted",
    "is_folder": "Is a directory",
    "no_folder": "Not a directory",
    "io_error": "Input/output error",
    "too_many_files": "Too many open files",
    "stale_file": "Stale file handle",
    "no_space": "No space left on device",
    "no_memory_left": "Cannot allocate memory",
    "name_too_long": "File name too long",
    "too_many_links": "Too many levels of symbolic links",
    "read_only": "Read-only file system",
    "no_device": "No such device or address",
    "timed_out": "Connection timed out",
    # words of Python
    "no_integer": "invalid literal for int() with base 10: {text}",
    "no_float": "could not convert string to float: {text}",
    # bytes
    "bytes_cut": "{n} bytes expected, {n_left} left at byte {n_at} (file cut short?)",
    "file_ends": (
        "{n} bytes expected at byte {n_at}, the file now ends there (file changed while it was "
        "read)"
    ),
    "file_changed": (
        "file changed while it was read: {n} bytes at open, {n_now} now (is the dump still being "
        "written?)"
    ),
    "pages_lost": (
        "pages of the file could not be read any more (cut short while it was read, or its disk "
        "or network file system failed)"
    ),
    "no_file": "a regular file expected, found {part}",
    "a_directory": "a directory",
    "a_pipe": "a pipe",
    "a_socket": "a socket",
    "a_device": "a device",
    "empty_file": "the file is empty",
    "fewer_tensors_input": (
        "input {n} expected, the file has {n_all} (changed since it was listed?)"
    ),
    "fewer_tensors_output": (
        "output {n} expected, the file has {n_all} (changed since it was listed?)"
    ),
    "without_coding": "values without a coding",
    # GE dumps
    "long_varint": "varint longer than 10 bytes at byte {n}",
    "wrong_wire_type": (
        'field {n} "{name}": {part_what} expected, found wire type {n_type} at byte {n_at}'
    ),
    "a_message": "a message",
    "a_number": "a number",
    "a_text": "a text",
    "a_list_of_numbers": "a list of numbers",
    "wrong_field_number": "field number {n} at byte {n_at} (not a protobuf message?)",
    "field_cut": (
        "field {n}: {n_bytes} bytes declared, {n_left} left at byte {n_at} (file cut short?)"
    ),
    "field_wire_type": "field {n}: wire type {n_type} at byte {n_at} (not a protobuf message?)",
    "long_text": (
        'field {n} "{name}": a text of {n_bytes} bytes at byte {n_at}, at most {n_most} accepted'
    ),
    "many_values": 'field {n} "{name}": more than {n_most} values at byte {n_at}',
    "many_tensors": "more than {n} tensors or {n_attrs} attributes at byte {n_at}",
    "no_ge_dump": "no version, no operator name and no tensor (not a GE dump?)",
    "nano_dump": "nano (TLV) dump, magic 5A5A5A5A at byte 8: this format is not supported",
    "too_few_bytes": "{n} bytes: too few for a length and a header",
    "text_not_dump": (
        "header of {n} bytes declared, {n_left} left at byte {n_at} (a text file, such as a "
        "graph, and no GE dump?)"
    ),
    "header_cut": (
        "header of {n} bytes declared, {n_left} left at byte {n_at} (file cut short, or no GE "
        "dump?)"
    ),
    "long_header": "header of {n} bytes declared, at most {n_most} accepted (no GE dump?)",
    "bytes_ignored": "{n} trailing bytes at byte {n_at} ignored",
    "several_dumps": "{n} dumps were appended to this path, the last is used",
    "old_form": "old form: the whole file is one protobuf message",
    "declared_stored": "{n} bytes declared, {n_stored} stored",
    "null_address": "no data: null device address, {n} bytes declared, none written",
    "declared_left": "{n} bytes declared, {n_left} left at byte {n_at} (file cut short?)",
    # the graph text
    "value_expected": "a value expected",
    "value_cut": "a value expected, the text ends (file cut short?)",
    "comma_expected": "',' or ']' expected",
    "colon_expected": "':' or '{' expected",
    "mark_expected": "'{mark}' expected",
    "message_cut": "the text ends inside a message (file cut short?)",
    "field_expected": "a field expected, found the end of a message",
    "name_expected": "a field name expected",
    "most_nesting": "at most {n} nested messages expected",
    "string_cut": "a string without end (file cut short?)",
    "string_over_line": "a string without end on its line",
    "string_expected": "a string expected",
    "unknown_escape": "unknown escape in a string",
    "long_number_expected": "a 64-bit number expected",
    "whole_number_expected": "a whole number expected",
    "float_expected": "a floating-point number expected",
    "most_ops": "at most {n} operators expected",
    "most_descs": "at most {n} inputs and outputs expected",
    "most_dims": "at most {n} dimensions expected",
    "graph_unreadable": "A graph text cannot be read: {part}.",
    # .npy files
    "npy_fields": "'descr', 'fortran_order' or 'shape' expected",
    "npy_field_missing": "'descr', 'fortran_order' and 'shape' expected, one is missing",
    "npy_header_end": "end of the header expected",
    "npy_string_end": "end of a string expected",
    "npy_bool": "True or False expected",
    "npy_dimension": "a dimension expected",
    "npy_large_dimension": "a dimension below 2^63 expected",
    "npy_brackets": "at most {n} nested brackets expected",
    "npy_big_endian": "big-endian numbers ('{descr}') are not read: save the array as '<{rest}'",
    "npy_record": "not a tensor: a record of several fields",
    "npy_pickle": "not a tensor: pickled Python object (None, dtype, ...); never unpickled",
    "npy_text": "not a tensor: text",
    "npy_dtype": "dtype '{descr}' is not a number of the dtype table",
    "no_npy": "'\\x93NUMPY' expected at byte 0 (no .npy file?)",
    "npy_version": ".npy version 1, 2 or 3 expected, found {n}",
    "npy_long_header": ".npy header of at most {n_most} bytes expected, found one of {n}",
    "npy_header_cut": (
        ".npy header of {n} bytes declared, {n_left} left at byte {n_at} (file cut short?)"
    ),
    "npy_trailing": "trailing bytes: {n} behind the array ignored",
    # a tensor: dtype, shape, layout
    "negative_dimension": "shape has a negative (unknown) dimension: read as a row",
    "unknown_dtype": "unknown dtype number {n}",
    "no_data_declared": "no data: 0 bytes declared",
    "no_coding": "dtype {dtype} has no public value coding: raw bytes",
    "shape_overflows": "shape {shape} overflows 64 bits, {n} bytes declared",
    "short_tensor": (
        "short tensor: {n} bytes expected for {dtype} of shape {shape}, {n_declared} declared"
    ),
    "long_tensor": "trailing bytes: {n} declared, the first {n_used} used",
    "several_orders": (
        "original shape {shape} is {format} {storage} in more than one order: values left in "
        "storage order"
    ),
    "not_converted": "layout not converted: {part}",
    "order_unknown": "the element order of {format} is not published",
    "no_original_shape": "{format} without an original shape",
    "no_shape": "{format} without a shape",
    "shape_does_not_fit_groups": ("original shape {shape} does not fit {format} of {n} groups"),
    "shape_does_not_fit": "original shape {shape} does not fit {format}",
    "unknown_format_row": "unknown {format}: read as a row",
    "unknown_format": "unknown {format}: read as ND",
    "other_count": (
        "original shape {shape} has another element count than shape {storage}: read as stored"
    ),
    "nz_vector": "FRACTAL_NZ of a vector fits as a row and as a column: read as a row",
    "first_stored": "the shape of the stored bytes can only be the first view step",
    "first_original": "the original shape can only be the first view step",
    "unknown_view": "unknown view step",
    "no_view": "cannot view shape {shape} as {other}: another element count",
    "no_transpose": "cannot transpose shape {shape} by {order}",
    "no_select": "cannot select {places} along the first dimension of shape {shape}",
    "no_slice": "cannot take the slice (axis, begin, end) {places} of shape {shape}",
    "read_as_packed": "{dtype} {shape} read as packed {packed}, low nibble first",
    # files with a sketch, statistics or extrema
    "no_regular_file": "this is no regular file",
    "most_bytes": "at most {n} bytes expected, found {n_found}",
    "bytes_found": "{n} bytes expected, found {n_found} (cut short?)",
    "no_info_file": "not a readable info file of ait-cmp ({part}); written by another tool?",
    "info_member": "{type} of {dtype} with {n} dimensions expected, found {other} of shape {shape}",
    "info_version": "{name} version {version} expected, found {other} version {found}",
    "json_levels": "JSON of at most {n} levels expected",
    "most_digits": "a number of at most {n} digits expected",
    "info_state": "state {state} of a tensor",
    "info_no_statistics": "no statistics of a tensor of shape {shape}",
    "info_count": "{n} values of a tensor of shape {shape}",
    "info_nothing_kept": "neither values nor a sketch of a tensor of shape {shape}",
    "info_number": "a number from {least} to 2^63 expected, found {found}",
    "info_values": "{n_count} values expected at {at}, {n} found",
    "info_buckets": "sketches of {n} buckets expected, found {shape}",
    "no_npz": "a complete .npz expected, {n} bytes found that are none: {part}",
    "no_array_of_numbers": "an array of numbers expected: {part}",
    "npz_twice": "{name} is there twice",
    "npz_no_end": "it has no end of a .npz (cut short?)",
    "npz_directory_outside": "its directory lies outside of it",
    "npz_directory": "its directory is damaged",
    "npz_unknown_member": "its member {member} is encrypted or of an unknown kind (flags {flags})",
    "npz_member_place": "its member {member} is not where the directory says",
    "npz_member_cut": "its member {member} says {n} bytes (cut short?)",
    "npz_packed": (
        "its member {member} is packed (method {n}): one that is not expected, or of at most "
        "{n_most} bytes"
    ),
    "npz_check": "the check sum of its member {member} is another one",
    "npz_no_array": "{name} is no array",
    "npz_no_header": "{name} has no header of an array of numbers",
    "npz_elements": "{name} has elements {dtype}: numbers expected",
    "npz_shape": "{name} has shape {shape} of {dtype}, but {n} bytes (cut short?)",
    "extrema_arrays": "arrays inputs and outputs expected, found {names}",
    "extrema_no_arrays": "arrays inputs and outputs expected, found",
    "extrema_pair": "two numbers min and max expected, found shape {shape}",
    "extrema_state": "the number of a state expected for each tensor ({why})",
    "no_data": "no data",
    "no_public_coding": "its values have no public coding",
    "one_tensor": "one tensor expected, found {n}",
    "one_of_inputs": "inputs {n} expected, the file has {n_all}",
    "one_of_outputs": "outputs {n} expected, the file has {n_all}",
    "view_does_not_fit": "the view {view} does not fit shape {shape}",
    "values_not_kept": "an info file does not keep the values of a tensor of this size",
    "slice_of_reduced": "of a reduced file the part that this slice is compared with is not known",
    "stats_lines": "statistics of at most {n} lines expected, found {n_found}",
    "stats_header": "the header line Input/Output,Index,... expected, found {part}",
    "stats_empty": "an empty file",
    "stats_line": "line {n}: numbers of one tensor expected, found {line} ({part})",
    "stats_count": "a count below 2^63 expected, found {found}",
    "stats_cells": "comma separated values expected: {why}",
    "stats_none": "GE wrote no statistics of it (dtype not supported, or no address)",
    "io_word": "inputs, outputs or no word expected, found {found}",
    "reduced_changed": "changed while it was read",
    "tensor_state": "its state is {type}",
    # overflow records
    "overflow_bytes": "an overflow record of {n} bytes expected, found {n_found}",
    "overflow_cut": "an overflow record at byte {n} declares {n_bytes} bytes, {n_follow} follow",
    "overflow_words": "an overflow record of 8 or more words expected, found {n}",
    # folders
    "folder_unreadable": "this folder could not be read ({part})",
    "no_file_no_folder": "neither a file nor a folder (a pipe, a socket, a device): not read",
    "long_names": "the names of files with long names could not be read ({part})",
    "fx_sources": "FX sources cannot be read: {part}",
    "json_expected": "JSON expected ({why})",
    "nodes_expected": "nodes: an object expected",
    "format_expected": '"format": "{name}", "version": {n} expected',
    "report_unwritten": "the report {path} could not be written whole: {part}",
    "report_unwritten_folder": (
        "the report {path} could not be written whole: {part}; --output DIR names another folder"
    ),
    "report_unwritten_end": (
        "the report {path} could not be written whole: {part}; it ends with the last whole row"
    ),
}
