// File names of today's form: their parts are those of the name, in its order.
#include "formats/file_names.h"

#include <initializer_list>
#include <string>
#include <string_view>

#include "fuzz.h"

namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void check_parts(std::string_view name, std::initializer_list<std::string_view> parts,
                 std::initializer_list<std::string_view> numbers) {
  std::string joined;
  for (const std::string_view part : parts) joined += part;
  fuzz::require(joined == name, "the parts of a name make the name");
  for (const std::string_view number : numbers)
    fuzz::require(is_number(number), "numbers of a name are digits");
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  const std::string_view name = text;
  if (const auto ge = ait::parse_plain_ge_name(name)) {
    check_parts(
        name,
        {ge->op_type, ".", ge->op_name, ".", ge->task_id, ".", ge->stream_id, ".", ge->timestamp},
        {ge->task_id, ge->stream_id, ge->timestamp});
  }
  if (const auto fx = ait::parse_plain_fx_name(name)) {
    const bool has_sub = fx->sub_index != "-1";
    check_parts(name,
                {fx->node, "-", fx->target, ".", fx->io, ".", fx->index, has_sub ? "." : "",
                 has_sub ? fx->sub_index : "", ".", fx->timestamp, ".npy"},
                {fx->index, fx->timestamp});
    fuzz::require(fx->io == "INPUT" || fx->io == "OUTPUT", "a file is of an input or an output");
  }
  return 0;
}
