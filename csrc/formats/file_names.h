// What the names of dump files say, for names of the form that is written today. Any other name is
// left to python/ait_cmp/discover/file_names.py, which knows all forms and gives the same answer.
#pragma once

#include <optional>
#include <string_view>

namespace ait {

/// {type}.{name}.{task}.{stream}.{time}, none of the first two with a dot; numbers as text.
struct PlainGeName {
  std::string_view op_type, op_name, task_id, stream_id, timestamp;
};

/// {node}-{target}.{INPUT|OUTPUT}.{index}[.{sub}].{time}.npy; numbers as text, `sub_index` "-1" if
/// it has none.
struct PlainFxName {
  std::string_view node, target, io, index, sub_index, timestamp;
};

std::optional<PlainGeName> parse_plain_ge_name(std::string_view name);
std::optional<PlainFxName> parse_plain_fx_name(std::string_view name);

}  // namespace ait
