#include "calibration/certificate/dcc_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "calibration/record/calendar.hpp"

namespace strigil::calibration {
namespace {

using pugi::xml_node;
using D = DccDocument;

// ISO 3166-1 and ISO 639-1, as of the Schematron's 3.3.0.
constexpr std::string_view kCountries =
    "AD AE AG AI AM AO AQ AR AT AU AW AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA "
    "CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO EC EE EG EH ER ES ET FI FJ FK FM "
    "FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ "
    "IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF "
    "MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF "
    "PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST "
    "SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF "
    "WS YE YT ZA ZM ZW";
constexpr std::string_view kLanguages =
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz "
    "ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii "
    "ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi "
    "mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw "
    "sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk "
    "ur uz ve vi vo wa wo xh yi yo za zh zu";

bool in_codes(std::string_view codes, std::string_view code) {
  if (code.size() != 2) return false;
  for (std::size_t i = 0; i + 2 <= codes.size(); i += 3) {
    if (codes.substr(i, 2) == code) return true;
  }
  return false;
}

bool dcc(xml_node n, std::string_view name) { return D::is(n, Vocabulary::kDcc, name); }
bool si(xml_node n, std::string_view name) { return D::is(n, Vocabulary::kSi, name); }
bool has(xml_node n, std::string_view name) { return static_cast<bool>(D::child(n, Vocabulary::kDcc, name)); }

bool below(xml_node n, std::string_view name) {
  for (auto p = n.parent(); p; p = p.parent()) {
    if (dcc(p, name)) return true;
  }
  return false;
}

xml_node above(xml_node n, std::string_view name) {
  for (auto p = n.parent(); p; p = p.parent()) {
    if (dcc(p, name)) return p;
  }
  return {};
}

/// ^[a-zA-Z]( )?([0-9]{1,3}\.){0,3}([0-9]{1,3})$
bool is_release(std::string_view t) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (t.empty() || !letter(t.front())) return false;
  t.remove_prefix(1);
  if (!t.empty() && t.front() == ' ') t.remove_prefix(1);
  for (int groups = 1;; ++groups) {
    std::size_t n = 0;
    while (n < t.size() && t[n] >= '0' && t[n] <= '9') ++n;
    if (n < 1 || n > 3 || groups > 4) return false;
    t.remove_prefix(n);
    if (t.empty()) return true;
    if (t.front() != '.') return false;
    t.remove_prefix(1);
  }
}

/// Exactly one blank between entries, none around them.
bool is_spaced(std::string_view t) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  if (t.empty() || blank(t.front()) || blank(t.back())) return false;
  for (std::size_t i = 1; i < t.size(); ++i) {
    if (blank(t[i]) && blank(t[i - 1])) return false;
  }
  return true;
}

class Check {
 public:
  explicit Check(const DccDocument& d) : d_(d) {}

  std::vector<DccFinding> run() {
    collect();
    const std::string version = d_.root().attribute("schemaVersion").value();
    if (version != "3.3.0")
      warn("version", d_.root(), fmt::format("schema version '{}'; the latest is 3.3.0", version.substr(0, 20)));
    d_.each([&](xml_node n) {
      reachable(n, "usedMethods", "methods", true);
      reachable(n, "usedSoftware", "software", false);
      reachable(n, "influenceConditions", "conditions", true);
      references(n);
      language(n);
      codes(n);
      dates(n);
      lists(n);
      numbers(n);
      units(n);
      relative(n);
    });
    return std::move(out_);
  }

 private:
  void say(bool is_error, const char* rule, xml_node n, std::string text) {
    constexpr std::size_t kMost = 200;
    if (out_.size() < kMost) out_.push_back({is_error, rule, D::path(n), std::move(text)});
  }
  void error(const char* rule, xml_node n, std::string text) { say(true, rule, n, std::move(text)); }
  void warn(const char* rule, xml_node n, std::string text) { say(false, rule, n, std::move(text)); }

  void collect() {
    d_.each([&](xml_node n) {
      if (const auto id = n.attribute("id")) ids_.insert(id.value());
      for (const auto& r : list_entries(n.attribute("refId").value())) referred_.insert(r);
      if (dcc(n, "usedLangCodeISO639_1")) {
        if (!languages_.insert(D::text(n)).second) error("languages", n, "a language code is declared twice");
        ++declared_;
      }
      if (dcc(n, "nonSIUnit")) own_units_.insert(D::text(n));
    });
  }

  void reachable(xml_node n, const char* what, const char* rule, bool is_error) {
    const bool single = dcc(n, "quantity") && dcc(n.parent(), "data") && dcc(n.parent().parent(), "result");
    const bool list = dcc(n, "list") && below(n, "measurementResults") && !below(n, "metaData");
    if (!single && !list) return;
    if (has(n, what) || has(above(n, "measurementResult"), what)) return;
    if (list) {
      const auto quantities = D::children(n, Vocabulary::kDcc, "quantity");
      const auto told = std::count_if(quantities.begin(), quantities.end(), [&](xml_node q) { return has(q, what); });
      if (static_cast<std::size_t>(told) == quantities.size()) return;
    }
    say(is_error, rule, n, fmt::format("no {} for it: neither its own nor the measurement result's", what));
  }

  void references(xml_node n) {
    if (const auto id = n.attribute("id"); id && !referred_.contains(id.value())) {
      warn("references", n, fmt::format("nothing refers to the id '{}'", std::string(id.value()).substr(0, 60)));
    }
    if (const auto ref = n.attribute("refId")) {
      for (const auto& r : list_entries(ref.value())) {
        if (!ids_.contains(r)) error("references", n, fmt::format("there is no id '{}'", r.substr(0, 60)));
      }
    }
  }

  void language(xml_node n) {
    std::vector<std::string> local;
    for (const auto c : D::children(n, Vocabulary::kDcc, "content")) {
      const auto lang = c.attribute("lang");
      if (!lang) continue;
      local.emplace_back(lang.value());
      if (!languages_.contains(lang.value()))
        error("languages", c, fmt::format("language '{}' is not declared", std::string(lang.value()).substr(0, 8)));
    }
    if (local.empty()) return;
    if (local.size() != declared_)
      error("languages", n, fmt::format("{} of {} declared languages are there", local.size(), declared_));
    if (std::set<std::string>(local.begin(), local.end()).size() != local.size())
      error("languages", n, "a language stands twice");
  }

  void codes(xml_node n) {
    if (dcc(n, "usedLangCodeISO639_1") || dcc(n, "mandatoryLangCodeISO639_1")) {
      if (!in_codes(kLanguages, D::text(n)))
        error("codes", n, fmt::format("'{}' is no language code", D::text(n).substr(0, 8)));
    } else if (dcc(n, "countryCodeISO3166_1") || dcc(n, "countryCode")) {
      if (!in_codes(kCountries, D::text(n)))
        error("codes", n, fmt::format("'{}' is no country code", D::text(n).substr(0, 8)));
    } else if (dcc(n, "release")) {
      if (!is_release(n.text().get()))
        error("release", n, fmt::format("'{}' is not written like 'v1.2.3'", D::text(n).substr(0, 40)));
    }
  }

  void dates(xml_node n) {
    if (!dcc(n, "coreData")) return;
    const auto date = [&](const char* name) {
      return parse_instant(D::text(D::child(n, Vocabulary::kDcc, name)).substr(0, 10));
    };
    const auto begin = date("beginPerformanceDate");
    const auto end = date("endPerformanceDate");
    if (begin && end && end->ns < begin->ns) error("dates", n, "the calibration ended before it began");
  }

  void lists(xml_node n) {
    if (D::vocabulary_of(n) != Vocabulary::kSi || !D::local_name(n).ends_with("XMLList")) return;
    if (n.first_child().type() == pugi::node_element || !affordable(n)) return;
    if (!is_spaced(n.text().get()))
      error("lists", n, "its entries are not separated by one blank each, with none around them");
    const auto values = D::child(n.parent(), Vocabulary::kSi, "valueXMLList");
    if (!values) return;
    if (D::local_name(n) != "unitXMLList") return;
    const auto count = list_entries(D::text(n)).size();
    const auto wanted = list_entries(D::text(values)).size();
    if (count > 1 && count != wanted) error("lists", n, fmt::format("{} units for {} values", count, wanted));
  }

  void numbers(xml_node n) {
    if (D::vocabulary_of(n) != Vocabulary::kSi) return;
    auto name = std::string(D::local_name(n));
    if (name.ends_with("XMLList")) name.resize(name.size() - 7);
    static const std::set<std::string> kNumbers{
        "value",       "valueReal",   "valueImag",   "valueStandardMU", "valueExpandedMU",    "uncertainty",
        "standardUnc", "intervalMin", "intervalMax", "coverageFactor",  "coverageProbability"};
    if (!kNumbers.contains(name) || n.first_child().type() == pugi::node_element || !affordable(n)) return;
    for (const auto& entry : list_entries(D::text(n))) {
      const auto v = read_dsi_number(entry);
      if (!v) {
        error("numbers", n, fmt::format("'{}' is no number", entry.substr(0, 40)));
      } else if (name == "coverageFactor" && !(*v >= 1 && entry.find_first_of("eE") == std::string::npos) &&
                 !std::isnan(*v)) {
        error("numbers", n,
              fmt::format("a coverage factor of '{}': 1 or more is wanted, without an exponent", entry.substr(0, 40)));
      } else if (name == "coverageProbability" &&
                 !(*v >= 0 && *v <= 1 && entry.find_first_of("eE") == std::string::npos) && !std::isnan(*v)) {
        error(
            "numbers", n,
            fmt::format("a coverage probability of '{}': 0 to 1 is wanted, without an exponent", entry.substr(0, 40)));
      } else if ((name == "uncertainty" || name == "standardUnc" || name.ends_with("MU")) && *v < 0) {
        error("numbers", n, "an uncertainty below 0");
      }
    }
    counts(n, name);
  }

  /// One uncertainty for all values, or one for each.
  void counts(xml_node n, const std::string& name) {
    const bool each =
        name == "uncertainty" || name == "standardUnc" || name == "valueStandardMU" || name == "valueExpandedMU";
    if (!each || !D::local_name(n).ends_with("XMLList")) return;
    auto list = n.parent();
    while (list && !si(list, "realListXMLList")) list = list.parent();
    const auto values = D::child(list, Vocabulary::kSi, "valueXMLList");
    if (!affordable(values)) return;
    const auto wanted = list_entries(D::text(values)).size();
    const auto count = list_entries(D::text(n)).size();
    if (list && count > 1 && count != wanted)
      error("lists", n, fmt::format("{} uncertainties for {} values", count, wanted));
  }

  void units(xml_node n) {
    if (si(n, "unit")) {
      if (list_entries(D::text(n)).size() > 1) error("units", n, "a unit with a blank in it");
      const auto unit = D::text(n);
      const bool in_hybrid = si(n.parent(), "real") && si(n.parent().parent(), "hybrid");
      if (in_hybrid && unit.size() > 1 && unit.front() == '|' && !own_units_.contains(unit)) {
        error("units", n, fmt::format("the unit '{}' is not declared (nonSIUnit)", unit.substr(0, 40)));
      }
    }
    if (dcc(n, "nonSIUnit") && !has(n.parent(), "nonSIDefinition"))
      error("units", n, "a nonSIUnit without its nonSIDefinition");
    if (dcc(n, "nonSIDefinition") && !has(n.parent(), "nonSIUnit"))
      error("units", n, "a nonSIDefinition without its nonSIUnit");
  }

  void relative(xml_node n) {
    if (!dcc(n, "relativeUncertainty")) return;
    const auto quantity = n.parent();
    bool expanded = false;
    for (const auto c : quantity.children()) {
      for (const auto u : c.children()) {
        const auto name = D::local_name(u);
        expanded = expanded || name.starts_with("expandedUnc") || name.starts_with("measurementUncertainty");
      }
    }
    if (!expanded) error("relative", n, "a relative uncertainty without the expanded one it is made of");
    const auto one = D::child(n, Vocabulary::kDcc, "relativeUncertaintySingle");
    const auto real = D::child(quantity, Vocabulary::kSi, "real");
    const auto unc = D::child(D::child(real, Vocabulary::kSi, "expandedUnc"), Vocabulary::kSi, "uncertainty");
    if (!one || !real || !unc) return;
    const auto told = read_dsi_number(D::text(D::child(one, Vocabulary::kSi, "value")));
    const auto value = read_dsi_number(D::text(D::child(real, Vocabulary::kSi, "value")));
    const auto u = read_dsi_number(D::text(unc));
    constexpr double kRounding = 5e-2;  // two digits of an uncertainty are usual
    if (told && value && u && !(std::abs(*told * *value - *u) <= kRounding * std::abs(*u))) {
      error("relative", n, "the relative uncertainty is not the expanded one divided by the value");
    }
  }

  /// Lists are read again for each that must be as long: a file made to be slow is given up on.
  bool affordable(xml_node n) {
    constexpr std::size_t kMostBytes = 256U << 20U;
    read_bytes_ += std::string_view(n.text().get()).size();
    if (read_bytes_ > kMostBytes && !gave_up_) {
      gave_up_ = true;
      warn("size", n, "there are too many numbers to look at all of them");
    }
    return !gave_up_;
  }

  const DccDocument& d_;
  std::size_t read_bytes_ = 0;
  bool gave_up_ = false;
  std::set<std::string> ids_;
  std::set<std::string> referred_;
  std::set<std::string> languages_;
  std::set<std::string> own_units_;
  std::size_t declared_ = 0;
  std::vector<DccFinding> out_;
};

}  // namespace

std::vector<std::string> list_entries(std::string_view text) {
  std::vector<std::string> out;
  constexpr std::string_view kBlank = " \t\r\n";
  for (std::size_t at = text.find_first_not_of(kBlank); at != std::string_view::npos;
       at = text.find_first_not_of(kBlank, at)) {
    const auto end = std::min(text.find_first_of(kBlank, at), text.size());
    out.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

std::optional<double> read_dsi_number(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  // from_chars would also take "inf" and "nan".
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos || text.front() == '+')
    return std::nullopt;
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::vector<DccFinding> check_dcc(const DccDocument& document) { return Check(document).run(); }

daq::Result<std::vector<DccFinding>> check_dcc(std::string_view xml) {
  const auto document = DccDocument::parse(xml);
  if (!document) return document.error();
  return check_dcc(*document);
}

}  // namespace strigil::calibration
