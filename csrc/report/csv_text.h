// Cells of a CSV report as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ait {

/// The shortest text that reads back to the same float64, with a point or an exponent; "inf",
/// "-inf", "nan".
void append_number(std::string& line, double value);
void append_number(std::string& line, int64_t value);

/// The text as UTF-8: bytes that are none (of paths, of damaged files) show as \xNN.
std::string printable(std::string_view text);

/// A text cell, printable: quoted where it holds a comma, a quote or a line break; with ' before
/// what a spreadsheet would run as a formula (starts with = + - @, tab or CR, and is no number).
void append_text(std::string& line, std::string_view text);

}  // namespace ait
