#include "formats/graph_attributes.h"

#include <string_view>

#include "formats/text_file.h"
#include "formats/text_format.h"
#include "io/number_text.h"

namespace ait {
namespace {

class AttributeReader {
 public:
  AttributeReader(std::string_view text, const std::unordered_set<std::string>& names)
      : scanner_(text), names_(names) {}

  std::vector<OpAttributes> read(size_t graph) {
    std::vector<OpAttributes> top;  // the text itself, if it is a GraphDef
    std::vector<OpAttributes> wanted;
    size_t number = 0;
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field == "graph") {
        if (number == graph) {
          scanner_.enter_message();
          for (field = next(); !field.empty(); field = next()) read_graph_field(field, &wanted);
        } else {
          scanner_.skip_value();
        }
        ++number;
      } else {
        read_graph_field(field, &top);
      }
    }
    return number == 0 ? std::move(top) : std::move(wanted);
  }

 private:
  std::string_view next() { return scanner_.next_field(); }

  std::string read_string() {
    std::string value;
    scanner_.append_string(&value);
    return value;
  }

  void read_graph_field(std::string_view field, std::vector<OpAttributes>* ops) {
    if (field != "op") {
      scanner_.skip_value();
      return;
    }
    OpAttributes op;
    scanner_.enter_message();
    for (field = next(); !field.empty(); field = next()) {
      if (field == "name") {
        op.name = read_string();
      } else if (field == "attr" && (op.name.empty() || names_.count(op.name) != 0)) {
        read_attribute(&op);
      } else {
        scanner_.skip_value();
      }
    }
    if (names_.count(op.name) != 0) ops->push_back(std::move(op));
  }

  /// The entry of a map, key first or value first.
  void read_attribute(OpAttributes* op) {
    std::string key;
    AttributeValue value;
    scanner_.enter_message();
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field == "key") {
        key = read_string();
      } else if (field == "value") {
        value = read_value(op);
      } else {
        scanner_.skip_value();
      }
    }
    op->attributes.emplace_back(std::move(key), std::move(value));
  }

  /// An AttrDef. A tensor among the attributes of a constant is its value: no other op has one.
  AttributeValue read_value(OpAttributes* op) {
    AttributeValue value;
    scanner_.enter_message();
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field == "t") {
        read_tensor(op);
      } else if (field == "list") {
        value = read_list();
      } else if (field == "list_list_int") {
        value = read_lists();
      } else if (field == "s") {
        value = read_string();
      } else if (field == "i" || field == "dt") {
        value = scanner_.integer();
      } else if (field == "f") {
        value = read_float();
      } else if (field == "b") {
        value = scanner_.integer() != 0;
      } else {
        scanner_.skip_value();
      }
    }
    return value;
  }

  double read_float() {
    const std::string_view word = scanner_.word();
    const ReadNumber number = read_number(word);
    const std::string_view rest = word.substr(number.length);
    if (number.length == 0 || !number.is_in_range || (!rest.empty() && rest != "f"))
      scanner_.fail("a floating-point number expected");
    return number.value;
  }

  AttributeValue read_list() {
    std::vector<std::string> texts;
    std::vector<int64_t> integers;
    std::vector<double> floats;
    std::vector<bool> flags;
    scanner_.enter_message();
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field == "s") {
        texts.push_back(read_string());
      } else if (field == "i") {
        integers.push_back(scanner_.integer());
      } else if (field == "f") {
        floats.push_back(read_float());
      } else if (field == "b") {
        flags.push_back(scanner_.integer() != 0);
      } else {
        scanner_.skip_value();
      }
    }
    if (!texts.empty()) return texts;
    if (!floats.empty()) return floats;
    if (!flags.empty()) return flags;
    return integers;
  }

  AttributeValue read_lists() {
    std::vector<std::vector<int64_t>> lists;
    scanner_.enter_message();
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field != "list_list_i") {
        scanner_.skip_value();
        continue;
      }
      std::vector<int64_t>& list = lists.emplace_back();
      scanner_.enter_message();
      for (field = next(); !field.empty(); field = next()) {
        if (field == "list_i") {
          list.push_back(scanner_.integer());
        } else {
          scanner_.skip_value();
        }
      }
    }
    return lists;
  }

  void read_tensor(OpAttributes* op) {
    op->has_const_bytes = true;  // proto3 does not print empty bytes
    scanner_.enter_message();
    for (std::string_view field = next(); !field.empty(); field = next()) {
      if (field == "data") {
        op->const_bytes.clear();
        scanner_.append_string(&op->const_bytes);
      } else {
        scanner_.skip_value();
      }
    }
  }

  TextScanner scanner_;
  const std::unordered_set<std::string>& names_;
};

}  // namespace

std::vector<OpAttributes> read_graph_attributes(const DataFile& file, size_t graph,
                                                const std::unordered_set<std::string>& names) {
  return read_text(file,
                   [&](std::string_view text) { return AttributeReader(text, names).read(graph); });
}

}  // namespace ait
