// Takes from the graph text what pairing needs and passes over the rest.
#include "formats/graph_text.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "formats/text_file.h"
#include "formats/text_format.h"

namespace ait {
namespace {

/// An operator takes some hundred bytes of memory and as few as four of text: real graphs have
/// some ten thousand operators, and above this a file is not one.
constexpr size_t kMaxOps = size_t{1} << 20;

/// The same for inputs and outputs of all operators together.
constexpr size_t kMaxDescs = size_t{1} << 22;

/// NumPy 1.x holds 32 dimensions, no GE operator more than 25.
constexpr size_t kMaxDims = 32;

/// The name of a dtype; printed as a number by those whose proto is older than the graph.
std::string dtype_name(std::string_view word) {
  uint32_t number = 0;
  const char* const end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, number);
  const DType* dtype = stop == end && error == std::errc() ? find_dtype(number) : nullptr;
  return dtype == nullptr ? std::string(word) : dtype->name;
}

class GraphReader {
 public:
  explicit GraphReader(std::string_view text) : scanner_(text) {}

  std::vector<Graph> read() {
    std::vector<Graph> graphs;
    Graph top;  // the text itself, if it is a GraphDef
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field == "graph") {
        scanner_.enter_message();
        Graph& graph = graphs.emplace_back();
        for (field = next(); !field.empty(); field = next()) read_graph_field(field, &graph);
      } else {
        read_graph_field(field, &top);
      }
    }
    if (graphs.empty()) graphs.push_back(std::move(top));
    return graphs;
  }

 private:
  std::string_view next() { return scanner_.next_field(); }

  std::string read_string() {
    std::string value;
    scanner_.append_string(&value);
    return value;
  }

  void read_graph_field(std::string_view field, Graph* graph) {
    if (field == "name") {
      graph->name = read_string();
    } else if (field == "op") {
      if (++n_ops_ > kMaxOps) scanner_.fail("at most 1048576 operators expected");
      scanner_.enter_message();
      read_op(&graph->ops.emplace_back());
    } else {
      scanner_.skip_value();
    }
  }

  void read_op(GraphOp* op) {
    std::string op_meta;
    std::string output_meta;
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field == "name") {
        op->name = read_string();
      } else if (field == "type") {
        op->type = read_string();
      } else if (field == "input") {
        op->inputs.push_back(read_string());
      } else if (field == "input_desc") {
        std::string input_meta;
        read_desc(&op->input_descs.emplace_back(), &input_meta);
      } else if (field == "output_desc") {
        std::string meta;
        read_desc(&op->output_descs.emplace_back(), &meta);
        if (output_meta.empty()) output_meta = std::move(meta);
      } else if (field == "attr") {
        read_attr([&](std::string_view key) { return read_op_attr(key, op, &op_meta); });
      } else {
        scanner_.skip_value();
      }
    }
    op->meta = op_meta.empty() ? std::move(output_meta) : std::move(op_meta);
  }

  /// Reads the entry of a map; `read_value(key)` enters and leaves the value, or returns false and
  /// leaves it to be skipped. Written key first, but any order is legal.
  template <class ReadValue>
  void read_attr(const ReadValue& read_value) {
    scanner_.enter_message();
    std::string key;
    bool has_key = false;
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field == "key") {
        key = read_string();
        has_key = true;
      } else if (field == "value") {
        if (!has_key) key = find_key_behind_value();
        has_key = true;
        if (!read_value(std::string_view(key))) scanner_.skip_value();
      } else {
        scanner_.skip_value();
      }
    }
  }

  std::string find_key_behind_value() {
    const TextScanner::Mark value = scanner_.mark();
    std::string key;
    scanner_.skip_value();
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field == "key") {
        key = read_string();
      } else {
        scanner_.skip_value();
      }
    }
    scanner_.return_to(value);
    return key;
  }

  bool read_op_attr(std::string_view key, GraphOp* op, std::string* meta) {
    if (key == "index") {
      read_integer_value(&op->index);
    } else if (key == "value") {
      read_const_value(op);
    } else if (key == "_readable_value") {
      op->has_readable_value = read_string_value(&op->readable_value);
    } else if (key == "_datadump_original_op_names") {
      read_string_list_value(&op->original_op_names);
    } else if (key == "_meta") {
      read_string_value(meta);
    } else {
      return false;
    }
    return true;
  }

  void read_desc(GraphTensorDesc* desc, std::string* meta) {
    if (++n_descs_ > kMaxDescs) scanner_.fail("at most 4194304 inputs and outputs expected");
    scanner_.enter_message();
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field == "name") {
        desc->name = read_string();
      } else if (field == "layout") {
        desc->layout = read_string();
      } else if (field == "attr") {
        read_attr([&](std::string_view key) { return read_desc_attr(key, desc, meta); });
      } else if (!read_type_field(field, &desc->dtype, &desc->shape, &desc->has_shape)) {
        scanner_.skip_value();
      }
    }
  }

  bool read_desc_attr(std::string_view key, GraphTensorDesc* desc, std::string* meta) {
    if (key == "_fx_tensor_name") {
      desc->has_fx_name = read_string_value(&desc->fx_name);
    } else if (key == "_datadump_origin_name") {
      read_string_value(&desc->origin_name);
    } else if (key == "_datadump_origin_output_index") {
      read_integer_value(&desc->origin_index);
    } else if (key == "_is_unfed_optional") {
      int64_t is_unfed = 0;
      read_integer_value(&is_unfed);
      desc->unfed_optional = is_unfed != 0;
    } else if (key == "_meta") {
      read_string_value(meta);
    } else {
      return false;
    }
    return true;
  }

  /// The fields `dtype` and `shape` of a TensorDescriptor; false if the field is another one.
  bool read_type_field(std::string_view field, std::string* dtype, Dims* shape, bool* has_shape) {
    if (field == "dtype") {
      *dtype = dtype_name(scanner_.word());
      return true;
    }
    if (field != "shape") return false;
    *has_shape = true;
    shape->clear();
    scanner_.enter_message();
    for (field = next(); !field.empty(); field = next()) {
      if (field != "dim") {
        scanner_.skip_value();
        continue;
      }
      if (shape->size() == kMaxDims) scanner_.fail("at most 32 dimensions expected");
      shape->push_back(scanner_.integer());
    }
    return true;
  }

  /// Reads `{ s: "..." }`; false if the value is of another kind.
  bool read_string_value(std::string* to) {
    bool has_string = false;
    scanner_.enter_message();
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field == "s") {
        to->clear();
        has_string = scanner_.append_string(to);
      } else {
        scanner_.skip_value();
      }
    }
    return has_string;
  }

  /// Reads `{ i: 1 }` or `{ b: true }`.
  void read_integer_value(int64_t* to) {
    scanner_.enter_message();
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field == "i" || field == "b") {
        *to = scanner_.integer();
      } else {
        scanner_.skip_value();
      }
    }
  }

  /// Reads `{ list { s: "..." s: "..." } }`.
  void read_string_list_value(std::vector<std::string>* to) {
    scanner_.enter_message();
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field != "list") {
        scanner_.skip_value();
        continue;
      }
      scanner_.enter_message();
      for (field = next(); !field.empty(); field = next()) {
        if (field == "s") {
          to->push_back(read_string());
        } else {
          scanner_.skip_value();
        }
      }
    }
  }

  /// Reads `{ t { desc { ... } data: "..." } }`.
  void read_const_value(GraphOp* op) {
    scanner_.enter_message();
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field != "t") {
        scanner_.skip_value();
        continue;
      }
      scanner_.enter_message();
      op->has_const = true;
      op->has_const_bytes = true;  // proto3 does not print empty bytes
      for (field = next(); !field.empty(); field = next()) {
        if (field == "desc") {
          read_const_desc(op);
        } else if (field == "data") {
          op->const_bytes.clear();
          op->has_const_bytes = scanner_.append_string(&op->const_bytes, kMaxConstBytes);
        } else {
          scanner_.skip_value();
        }
      }
    }
  }

  void read_const_desc(GraphOp* op) {
    bool has_shape = false;
    scanner_.enter_message();
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (!read_type_field(field, &op->const_dtype, &op->const_shape, &has_shape)) {
        scanner_.skip_value();
      }
    }
  }

  TextScanner scanner_;
  size_t n_ops_ = 0;
  size_t n_descs_ = 0;
};

}  // namespace

std::vector<Graph> read_graph_text(const DataFile& file) {
  return read_text(file, [](std::string_view text) { return GraphReader(text).read(); });
}

}  // namespace ait
