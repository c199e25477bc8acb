// Sentences of a report: which one it is, and what fills its blanks. Their texts are made in
// one table, python/ait_cmp/sentences/, one file a language; the core gets the English one at
// import.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ait {

/// A sentence: its id, and name and content of each of its blanks.
struct Sentence {
  std::string id;
  std::vector<std::pair<std::string, std::string>> arguments;
};

/// A sentence that the core says: its id, and the names of its blanks.
template <size_t kBlanks>
struct SentenceKind {
  const char* id;
  std::array<const char*, kBlanks> blanks;
};

// Of one side: `side` is "my" or "golden".
inline constexpr SentenceKind<2> kNote{"note", {"side", "note"}};
inline constexpr SentenceKind<5> kNonfinite{
    "nonfinite", {"side", "n_nan", "n_positive_inf", "n_negative_inf", "n"}};
// Of a pair.
inline constexpr SentenceKind<2> kCountsDiffer{"counts_differ", {"my_shape", "golden_shape"}};
inline constexpr SentenceKind<1> kOneIsComplex{"one_is_complex", {"side"}};
inline constexpr SentenceKind<2> kShapesDiffer{"shapes_differ", {"my_shape", "golden_shape"}};
inline constexpr SentenceKind<1> kNotComparable{"not_comparable", {"why"}};
inline constexpr SentenceKind<0> kRoundedIntegers{"rounded_integers", {}};
// Of bytes that are no numbers.
inline constexpr SentenceKind<1> kUncoded{"uncoded", {"dtype"}};
inline constexpr SentenceKind<0> kNoNumbers{"no_numbers", {}};
inline constexpr SentenceKind<0> kAgainstNumbers{"against_numbers", {}};
inline constexpr SentenceKind<2> kByteCountsDiffer{"byte_counts_differ",
                                                   {"my_bytes", "golden_bytes"}};
inline constexpr SentenceKind<2> kBytesDifferAt{"bytes_differ_at", {"byte", "n"}};
inline constexpr SentenceKind<0> kBytesEqual{"bytes_equal", {}};
// Of a tensor that cannot be read.
inline constexpr SentenceKind<1> kError{"error", {"error"}};
inline constexpr SentenceKind<0> kNoMemory{"no_memory", {}};
// Said elsewhere.
inline constexpr SentenceKind<1> kText{"text", {"text"}};

/// Calls `visit` with every kind of sentence that the core says.
template <class Visit>
void each_sentence_kind(Visit&& visit) {
  visit(kNote), visit(kNonfinite), visit(kCountsDiffer), visit(kOneIsComplex), visit(kShapesDiffer);
  visit(kNotComparable), visit(kRoundedIntegers), visit(kUncoded), visit(kNoNumbers);
  visit(kAgainstNumbers), visit(kByteCountsDiffer), visit(kBytesDifferAt), visit(kBytesEqual);
  visit(kError), visit(kNoMemory), visit(kText);
}

/// A sentence of that kind; one content for each blank.
template <size_t kBlanks, class... Contents>
  requires(sizeof...(Contents) == kBlanks)
Sentence say(const SentenceKind<kBlanks>& kind, const Contents&... contents) {
  Sentence sentence{kind.id, {}};
  size_t at = 0;
  (sentence.arguments.emplace_back(kind.blanks[at++], contents), ...);
  return sentence;
}

/// Texts by id, with {name} for every blank.
void set_sentence_texts(std::map<std::string, std::string, std::less<>> texts);

/// The text of a sentence; of an id without a text the id and the contents.
std::string text_of(const Sentence& sentence);

/// The texts of some sentences, one after the other.
std::string text_of(const std::vector<Sentence>& sentences);

}  // namespace ait
