// A DCC as a tree, read as if it were hostile: bounded, without external anything, names by namespace and not by
// prefix.
#pragma once

#include <functional>
#include <memory>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"

namespace strigil::calibration {

inline constexpr std::size_t kLongestDcc = 32U << 20U;
inline constexpr std::size_t kDeepestDcc = 100;
inline constexpr std::size_t kMostDccNodes = 500'000;
inline constexpr std::size_t kMostDccNumbers = 100'000;  ///< in one list

/// An element's place in the tree with its namespace: which vocabulary it belongs to, and its name there.
enum class Vocabulary : std::uint8_t { kNone, kDcc, kSi, kOther };

/// A parsed document. Elements are asked for by vocabulary and local name, whatever prefixes the author chose.
class DccDocument {
 public:
  /// Errors: too large, too deep, not well-formed, not UTF-8, with a DOCTYPE, or with another root than a DCC's.
  static daq::Result<DccDocument> parse(std::string_view xml);

  [[nodiscard]] pugi::xml_node root() const { return root_; }
  /// The first child of that vocabulary and name; a null node where there is none.
  static pugi::xml_node child(pugi::xml_node parent, Vocabulary vocabulary, std::string_view name);
  static std::vector<pugi::xml_node> children(pugi::xml_node parent, Vocabulary vocabulary, std::string_view name);
  static bool is(pugi::xml_node node, Vocabulary vocabulary, std::string_view name);
  static Vocabulary vocabulary_of(pugi::xml_node node);
  static std::string_view local_name(pugi::xml_node node);
  /// dcc:a/dcc:b/... from `parent`.
  static pugi::xml_node at(pugi::xml_node parent, std::initializer_list<std::string_view> dcc_names);
  /// Text without blanks around it.
  static std::string text(pugi::xml_node node);
  /// The first dcc:content below a text element, English before any other language.
  static std::string content(pugi::xml_node text_element);
  /// Every element, parents first.
  void each(const std::function<void(pugi::xml_node)>& look) const;
  /// "/administrativeData/coreData/..." for messages.
  static std::string path(pugi::xml_node node);

 private:
  std::shared_ptr<pugi::xml_document> document_;
  pugi::xml_node root_;
};

}  // namespace strigil::calibration
