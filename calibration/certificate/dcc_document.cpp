#include "calibration/certificate/dcc_document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace strigil::calibration {
namespace {

constexpr std::string_view kDccNamespace = "https://ptb.de/dcc";
constexpr std::string_view kSiNamespace = "https://ptb.de/si";
constexpr std::string_view kBlank = " \t\r\n";

std::string_view prefix_of(std::string_view name) {
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? std::string_view{} : name.substr(0, colon);
}

std::string_view namespace_of(pugi::xml_node node) {
  constexpr std::string_view kDeclaration = "xmlns";
  const auto prefix = prefix_of(node.name());
  for (auto n = node; n; n = n.parent()) {
    for (const auto a : n.attributes()) {
      const std::string_view name = a.name();
      if (!name.starts_with(kDeclaration)) continue;
      const auto rest = name.substr(kDeclaration.size());
      if (prefix.empty() ? rest.empty()
                         : rest.size() == prefix.size() + 1 && rest.front() == ':' && rest.ends_with(prefix)) {
        return a.value();
      }
    }
  }
  return {};
}

/// The next element in document order below `root`; null after the last.
pugi::xml_node next_of(pugi::xml_node node, pugi::xml_node root, std::size_t& depth) {
  if (const auto child = node.first_child()) {
    ++depth;
    return child;
  }
  while (node != root) {
    if (const auto sibling = node.next_sibling()) return sibling;
    node = node.parent();
    --depth;
  }
  return {};
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t n = lead < 0x80                     ? 1
                          : (lead >= 0xC2 && lead < 0xE0) ? 2
                          : (lead & 0xF0U) == 0xE0        ? 3
                          : (lead >= 0xF0 && lead < 0xF5) ? 4
                                                          : 0;
    if (n == 0 || i + n > text.size()) return false;
    for (std::size_t k = 1; k < n; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0U) != 0x80) return false;
    }
    if (n > 2) {
      const auto second = static_cast<unsigned char>(text[i + 1]);
      const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
      const bool surrogate = lead == 0xED && second > 0x9F;
      if (overlong || surrogate || (lead == 0xF4 && second > 0x8F)) return false;
    }
    i += n;
  }
  return true;
}

/// A reference to an entity that XML itself does not know: without a DOCTYPE there are five. Empty: none.
std::string_view unknown_entity(std::string_view xml) {
  constexpr std::array<std::string_view, 3> kOpen{"<!--", "<![CDATA[", "<?"};
  constexpr std::array<std::string_view, 3> kClose{"-->", "]]>", "?>"};
  constexpr std::array<std::string_view, 5> kKnown{"amp", "lt", "gt", "quot", "apos"};
  constexpr std::size_t kLongestShown = 40;
  for (auto at = xml.find_first_of("&<"); at < xml.size(); at = xml.find_first_of("&<", at + 1)) {
    const auto rest = xml.substr(at);
    for (std::size_t i = 0; i < kOpen.size(); ++i) {
      if (rest.starts_with(kOpen[i])) at = std::min(xml.find(kClose[i], at + kOpen[i].size()), xml.size() - 1);
    }
    if (rest.front() != '&') continue;
    const auto name = rest.substr(1, rest.substr(0, kLongestShown).find(';') - 1);
    const bool known = name.starts_with('#') || std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end();
    if (!known || name.size() >= kLongestShown) return rest.substr(0, std::min(name.size() + 2, kLongestShown));
  }
  return {};
}

/// As its first bytes say (XML 1.0, appendix F).
bool is_wide(std::string_view xml) {
  const auto head = xml.substr(0, 4);
  return head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff") || head.find('\0') != std::string_view::npos;
}

daq::Error no_dcc(const std::string& why) { return {"this is no digital calibration certificate: " + why}; }

}  // namespace

daq::Result<DccDocument> DccDocument::parse(std::string_view xml) {
  if (xml.size() > kLongestDcc) return no_dcc(fmt::format("it is longer than {} bytes", kLongestDcc));
  if (is_wide(xml)) return no_dcc("it is UTF-16 or UTF-32, and UTF-8 alone is read: have it converted, or sent anew");
  DccDocument out;
  out.document_ = std::make_shared<pugi::xml_document>();
  // parse_doctype only to see that there is one: pugixml expands no entities but the five of XML, and fetches nothing.
  constexpr auto kHow = (pugi::parse_default | pugi::parse_doctype) & ~pugi::parse_eol;
  const auto parsed = out.document_->load_buffer(xml.data(), xml.size(), kHow, pugi::encoding_utf8);
  if (!parsed)
    return no_dcc(fmt::format("it is not well-formed XML: {} at byte {}", parsed.description(), parsed.offset));
  for (const auto n : out.document_->children()) {
    if (n.type() == pugi::node_doctype) return no_dcc("it has a DOCTYPE, which no DCC needs: refused");
  }
  if (const auto name = unknown_entity(xml); !name.empty()) {
    return no_dcc(fmt::format("it refers to '{}', which XML does not know", name));
  }
  out.root_ = out.document_->document_element();
  std::size_t depth = 1;
  std::size_t nodes = 0;
  for (auto n = out.root_; n; n = next_of(n, out.root_, depth)) {
    if (depth > kDeepestDcc) return no_dcc(fmt::format("it is nested deeper than {} elements", kDeepestDcc));
    if (++nodes > kMostDccNodes) return no_dcc(fmt::format("it has more than {} nodes", kMostDccNodes));
    if (!is_utf8(n.name()) || !is_utf8(n.value())) return no_dcc("it holds bytes that are no text (UTF-8)");
    for (const auto a : n.attributes()) {
      if (!is_utf8(a.name()) || !is_utf8(a.value())) return no_dcc("it holds bytes that are no text (UTF-8)");
    }
  }
  if (!is(out.root_, Vocabulary::kDcc, "digitalCalibrationCertificate")) {
    return no_dcc(fmt::format("its root is '{}' where digitalCalibrationCertificate of {} is wanted",
                              std::string(out.root_.name()).substr(0, 60), kDccNamespace));
  }
  return out;
}

Vocabulary DccDocument::vocabulary_of(pugi::xml_node node) {
  if (node.type() != pugi::node_element) return Vocabulary::kNone;
  const auto ns = namespace_of(node);
  return ns == kDccNamespace ? Vocabulary::kDcc : ns == kSiNamespace ? Vocabulary::kSi : Vocabulary::kOther;
}

std::string_view DccDocument::local_name(pugi::xml_node node) {
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

bool DccDocument::is(pugi::xml_node node, Vocabulary vocabulary, std::string_view name) {
  return node.type() == pugi::node_element && local_name(node) == name && vocabulary_of(node) == vocabulary;
}

pugi::xml_node DccDocument::child(pugi::xml_node parent, Vocabulary vocabulary, std::string_view name) {
  for (const auto n : parent.children()) {
    if (is(n, vocabulary, name)) return n;
  }
  return {};
}

std::vector<pugi::xml_node> DccDocument::children(pugi::xml_node parent, Vocabulary vocabulary, std::string_view name) {
  std::vector<pugi::xml_node> out;
  for (const auto n : parent.children()) {
    if (is(n, vocabulary, name)) out.push_back(n);
  }
  return out;
}

pugi::xml_node DccDocument::at(pugi::xml_node parent, std::initializer_list<std::string_view> names) {
  for (const auto name : names) parent = child(parent, Vocabulary::kDcc, name);
  return parent;
}

std::string DccDocument::text(pugi::xml_node node) {
  std::string all;
  for (const auto n : node.children()) {
    if (n.type() == pugi::node_pcdata || n.type() == pugi::node_cdata) all += n.value();
  }
  const auto first = all.find_first_not_of(kBlank);
  return first == std::string::npos ? "" : all.substr(first, all.find_last_not_of(kBlank) - first + 1);
}

std::string DccDocument::content(pugi::xml_node text_element) {
  const auto all = children(text_element, Vocabulary::kDcc, "content");
  for (const auto n : all) {
    if (std::strcmp(n.attribute("lang").value(), "en") == 0) return text(n);
  }
  return all.empty() ? "" : text(all.front());
}

void DccDocument::each(const std::function<void(pugi::xml_node)>& look) const {
  std::size_t depth = 1;
  for (auto n = root_; n; n = next_of(n, root_, depth)) {
    if (n.type() == pugi::node_element) look(n);
  }
}

std::string DccDocument::path(pugi::xml_node node) {
  std::string out;
  for (auto n = node; n && n.parent() && n.parent().type() == pugi::node_element; n = n.parent()) {
    out = fmt::format("/{}{}", std::string(local_name(n)).substr(0, 60), out);
  }
  return out.empty() ? "/" : out;
}

}  // namespace strigil::calibration
