// Graph texts: their ops and edges, and the attributes of every op.
#include "formats/graph_text.h"

#include <string>
#include <unordered_set>
#include <vector>

#include "formats/graph_attributes.h"
#include "fuzz.h"

namespace {

void check_op(const ait::GraphOp& op) {
  fuzz::require(op.const_bytes.size() <= ait::kMaxConstBytes, "large constants are not decoded");
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = ait::DataFile::of_memory(ait::Bytes(data, size));
  std::vector<ait::Graph> graphs;
  fuzz::expect_no_crash([&] { graphs = ait::read_graph_text(*file); });
  for (size_t number = 0; number < graphs.size(); ++number) {
    std::unordered_set<std::string> names;
    for (const ait::GraphOp& op : graphs[number].ops) {
      check_op(op);
      names.insert(op.name);
    }
    fuzz::expect_no_crash([&] {
      const size_t n_found = ait::read_graph_attributes(*file, number, names).size();
      fuzz::require(n_found == graphs[number].ops.size(), "both readers find the same ops");
    });
  }
  return 0;
}
