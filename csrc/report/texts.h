// Texts that live as long as their owner; each is kept once.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>

namespace ait {

class Texts {
 public:
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    const auto found = known_.find(text);
    if (found != known_.end()) return *found;
    return *known_.insert(texts_.emplace_back(text)).first;
  }

 private:
  std::deque<std::string> texts_;
  std::unordered_set<std::string_view> known_;
};

}  // namespace ait
