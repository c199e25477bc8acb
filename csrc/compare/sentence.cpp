#include "compare/sentence.h"

namespace ait {
namespace {

using Texts = std::map<std::string, std::string, std::less<>>;

/// Set once, when the module is imported.
Texts& texts() {
  static Texts all;
  return all;
}

std::string fill_in(std::string_view text, const Sentence& sentence) {
  std::string filled;
  while (!text.empty()) {
    const size_t open = text.find('{'), close = text.find('}', open);
    if (close == std::string_view::npos) break;
    filled += text.substr(0, open);
    const std::string_view name = text.substr(open + 1, close - open - 1);
    for (const auto& [blank, content] : sentence.arguments)
      if (blank == name) filled += content;
    text.remove_prefix(close + 1);
  }
  return filled.append(text);
}

}  // namespace

void set_sentence_texts(Texts all) { texts() = std::move(all); }

std::string text_of(const Sentence& sentence) {
  const auto found = texts().find(sentence.id);
  if (found != texts().end()) return fill_in(found->second, sentence);
  std::string text = sentence.id;
  for (const auto& [blank, content] : sentence.arguments) text += " " + blank + "=" + content;
  return text;
}

std::string text_of(const std::vector<Sentence>& sentences) {
  std::string all;
  for (const Sentence& sentence : sentences) {
    const std::string text = text_of(sentence);
    if (!text.empty() && !all.empty()) all += ' ';
    all += text;
  }
  return all;
}

}  // namespace ait
