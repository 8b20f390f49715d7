// The certificate as a PTB Digital Calibration Certificate 3.3.0 (schema v3.3.0, D-SI 2.2.1; metrology.md 7.1 [S]).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <pugixml.hpp>
#include <sstream>

#include "calibration/certificate/certificate.hpp"
#include "calibration/certificate/result_parts.hpp"
#include "calibration/certificate/unit.hpp"
#include "calibration/record/calendar.hpp"

namespace strigil::calibration {
namespace {

using pugi::xml_node;

constexpr double kCelsiusToKelvin = 273.15;

/// What XML can hold, blanks single and none around it: dcc:notEmptyStringType.
std::string clean(std::string_view text, std::string_view otherwise = "-") {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    const bool control = static_cast<unsigned char>(c) < 0x20;
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : control ? '?' : c;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out.empty() ? std::string(otherwise) : out;
}

/// "0.1.0 (a1b2c3d+)" as dcc:release has to be written: "v0.1.0".
std::string release_of(const std::string& version) {
  const auto number = version.substr(0, version.find_first_not_of("0123456789."));
  const bool right = !number.empty() && number.size() <= 15 && std::count(number.begin(), number.end(), '.') <= 3 &&
                     number.back() != '.' && number.front() != '.' && number.find("..") == std::string::npos;
  return right ? "v" + number : "v0";
}

class DccWriter {
 public:
  explicit DccWriter(const Certificate& c) : c_(c), r_(c.record) {}

  std::string run() {
    auto declaration = document_.append_child(pugi::node_declaration);
    declaration.append_attribute("version") = "1.0";
    declaration.append_attribute("encoding") = "UTF-8";
    auto root = document_.append_child("dcc:digitalCalibrationCertificate");
    root.append_attribute("xmlns:dcc") = "https://ptb.de/dcc";
    root.append_attribute("xmlns:si") = "https://ptb.de/si";
    root.append_attribute("xmlns:xsi") = "http://www.w3.org/2001/XMLSchema-instance";
    root.append_attribute("xsi:schemaLocation") = "https://ptb.de/dcc https://ptb.de/dcc/v3.3.0/dcc.xsd";
    root.append_attribute("schemaVersion") = "3.3.0";
    administrative(root.append_child("dcc:administrativeData"));
    results(root.append_child("dcc:measurementResults").append_child("dcc:measurementResult"));
    std::ostringstream out;
    document_.save(out, " ", pugi::format_indent, pugi::encoding_utf8);
    return out.str();
  }

 private:
  static void put(xml_node parent, const char* name, std::string_view text) {
    parent.append_child(name).text().set(clean(text).c_str());
  }
  static void content(xml_node parent, std::string_view text) {
    auto c = parent.append_child("dcc:content");
    c.append_attribute("lang") = "en";
    c.text().set(clean(text).c_str());
  }
  static void named(xml_node parent, const char* name, std::string_view text) {
    content(parent.append_child(name), text);
  }

  void software(xml_node list) {
    auto s = list.append_child("dcc:software");
    named(s, "dcc:name", "Strigil");
    put(s, "dcc:release", release_of(r_.software));
    put(s, "dcc:type", "application");
    named(s, "dcc:description", "version " + r_.software);
  }

  static void contact(xml_node node, const Contact& c) {
    named(node, "dcc:name", c.name);
    if (!c.email.empty()) put(node, "dcc:eMail", c.email);
    if (!c.phone.empty()) put(node, "dcc:phone", c.phone);
    auto l = node.append_child("dcc:location");
    if (!c.street.empty()) put(l, "dcc:street", c.street);
    if (!c.post_code.empty()) put(l, "dcc:postCode", c.post_code);
    if (!c.city.empty()) put(l, "dcc:city", c.city);
    put(l, "dcc:countryCode", c.country_code);
  }

  static void identification(xml_node list, const char* issuer, std::string_view value, std::string_view name) {
    auto i = list.append_child("dcc:identification");
    put(i, "dcc:issuer", issuer);
    put(i, "dcc:value", value);
    named(i, "dcc:name", name);
  }

  void administrative(xml_node a) {
    software(a.append_child("dcc:dccSoftware"));
    core(a.append_child("dcc:coreData"));
    auto item = a.append_child("dcc:items").append_child("dcc:item");
    named(item, "dcc:name", fmt::format("{} {}", r_.instrument.make, r_.instrument.model));
    if (!c_.head.item_condition.empty()) named(item, "dcc:description", "Condition: " + c_.head.item_condition);
    if (!r_.instrument.make.empty()) named(item.append_child("dcc:manufacturer"), "dcc:name", r_.instrument.make);
    if (!r_.instrument.model.empty()) put(item, "dcc:model", r_.instrument.model);
    identification(item.append_child("dcc:identifications"), "manufacturer", r_.instrument.serial, "Serial number");
    auto laboratory = a.append_child("dcc:calibrationLaboratory");
    if (!c_.head.accreditation.empty()) put(laboratory, "dcc:calibrationLaboratoryCode", c_.head.accreditation);
    contact(laboratory.append_child("dcc:contact"), c_.head.laboratory);
    auto person = a.append_child("dcc:respPersons").append_child("dcc:respPerson");
    named(person.append_child("dcc:person"), "dcc:name", c_.head.authorised_by);
    if (!c_.head.authorised_role.empty()) put(person, "dcc:role", c_.head.authorised_role);
    put(person, "dcc:mainSigner", "true");
    if (!r_.operator_name.empty()) {
      auto operator_node = person.parent().append_child("dcc:respPerson");
      named(operator_node.append_child("dcc:person"), "dcc:name", r_.operator_name);
      put(operator_node, "dcc:role", "operator");
    }
    contact(a.append_child("dcc:customer"), c_.head.customer);
    statements(a.append_child("dcc:statements"));
  }

  void core(xml_node core) {
    put(core, "dcc:countryCodeISO3166_1", c_.head.laboratory.country_code);
    put(core, "dcc:usedLangCodeISO639_1", "en");
    put(core, "dcc:mandatoryLangCodeISO639_1", "en");
    put(core, "dcc:uniqueIdentifier", r_.id);
    identification(core.append_child("dcc:identifications"), "calibrationLaboratory", c_.record_hash,
                   "SHA-256 of the calibration record");
    if (c_.head.received) put(core, "dcc:receiptDate", date_of(*c_.head.received));
    put(core, "dcc:beginPerformanceDate", date_of(r_.performed_from));
    put(core, "dcc:endPerformanceDate", date_of(r_.performed_until));
    put(core, "dcc:performanceLocation", c_.head.location);
    put(core, "dcc:issueDate", date_of(r_.issued));
    if (r_.supersedes.empty()) return;
    auto change = core.append_child("dcc:reportAmendedSubstituted");
    put(change, "dcc:typeOfChange", "substituted");
    put(change, "dcc:replacedUniqueIdentifier", r_.supersedes);
  }

  void statements(xml_node list) {
    for (const auto& text : statements_of(c_)) {
      auto s = list.append_child("dcc:statement");
      put(s, "dcc:norm", "ISO/IEC 17025:2017");
      named(s, "dcc:declaration", text);
    }
    const auto& k = r_.classification;
    if (!k.conformity.empty()) {
      auto s = list.append_child("dcc:statement");
      s.append_attribute("refType") = "basic_conformity";
      put(s, "dcc:norm", k.edition.empty() ? k.standard : k.standard + ":" + k.edition);
      named(s, "dcc:declaration", fmt::format("{}; decision rule: {}", method_of(r_), k.decision_rule));
      put(s, "dcc:conformity", k.conformity);
    }
    if (c_.head.recalibration_agreed && r_.valid_until) {
      auto s = list.append_child("dcc:statement");
      s.append_attribute("refType") = "basic_recalibration";
      named(s, "dcc:declaration", "To be calibrated again by this date at the latest, as agreed with the customer");
      put(s, "dcc:date", date_of(*r_.valid_until));
    }
    for (const auto& unit : own_units()) {
      auto s = list.append_child("dcc:statement");
      put(s, "dcc:nonSIDefinition", "unit of the device, as in its manual: " + unit.substr(1));
      put(s, "dcc:nonSIUnit", unit);
    }
  }

  /// Units that are not SI, each once.
  [[nodiscard]] std::vector<std::string> own_units() const {
    std::vector<std::string> out;
    const auto add = [&](const std::string& symbol) {
      const auto unit = dsi_unit(symbol);
      if (unit.front() == '|' && std::find(out.begin(), out.end(), unit) == out.end()) out.push_back(unit);
    };
    for (const auto& q : r_.quantities) add(q.unit);
    for (const auto& t : r_.tables) std::for_each(t.units.begin(), t.units.end(), add);
    return out;
  }

  void methods(xml_node list) {
    auto m = list.append_child("dcc:usedMethod");
    named(m, "dcc:name", r_.procedure.empty() ? "calibration" : r_.procedure);
    named(m, "dcc:description", method_of(r_));
    const auto& k = r_.classification;
    if (!k.standard.empty()) put(m, "dcc:norm", k.edition.empty() ? k.standard : k.standard + ":" + k.edition);
    if (!k.limit_table_sha256.empty())
      put(m, "dcc:reference", fmt::format("limit table {} sha256 {}", k.limit_table, k.limit_table_sha256));
    auto u = list.append_child("dcc:usedMethod");
    u.append_attribute("refType") = "basic_uncertainty";
    named(u, "dcc:name", "Expanded uncertainty");
    named(u, "dcc:description",
          fmt::format("Standard uncertainty times a coverage factor {}, for about {:g} %", coverage_words_of(r_),
                      100 * r_.coverage_probability));
    put(u, "dcc:norm", "JCGM 100:2008");
  }

  void equipment(xml_node result) {
    if (r_.traceability.empty()) return;
    auto list = result.append_child("dcc:measuringEquipments");
    for (const auto& t : r_.traceability) {
      auto e = list.append_child("dcc:measuringEquipment");
      e.append_attribute("refType") = "basic_normalUsed";
      named(e, "dcc:name", t.what);
      if (!t.uncertainty.empty()) named(e, "dcc:description", t.uncertainty);
      if (!t.certificate.empty() && !t.certificate_sha256.empty()) {
        auto h = e.append_child("dcc:certificate");
        named(h, "dcc:referral", fmt::format("Certificate of {}", t.laboratory));
        put(h, "dcc:referralID", t.certificate);
        put(h, "dcc:procedure", "SHA-256");
        put(h, "dcc:value", t.certificate_sha256);
        put(h, "dcc:traceable", "true");
      }
      auto ids = e.append_child("dcc:identifications");
      identification(ids, "manufacturer", t.serial, "Serial number");
      if (!t.certificate.empty()) identification(ids, "other", t.certificate, "Certificate number");
    }
  }

  void condition(xml_node list, const char* type, const char* name, const Interval& i, double scale, double offset,
                 const char* unit) {
    auto c = list.append_child("dcc:influenceCondition");
    c.append_attribute("refType") = type;
    named(c, "dcc:name", name);
    if (r_.adjustment == "as found") put(c, "dcc:status", "beforeAdjustment");
    if (r_.adjustment == "as left") put(c, "dcc:status", "afterAdjustment");
    auto data = c.append_child("dcc:data");
    for (const bool low : {true, false}) {
      auto q = data.append_child("dcc:quantity");
      q.append_attribute("refType") = fmt::format("{}{}", type, low ? "Min" : "Max").c_str();
      named(q, "dcc:name", fmt::format("{}, {}", name, low ? "lowest" : "highest"));
      real(q, (low ? i.low : i.high) * scale + offset, unit);
    }
  }

  void conditions(xml_node list) {
    const auto& k = r_.conditions;
    if (k.temperature_C)
      condition(list, "basic_temperature", "Temperature", *k.temperature_C, 1, kCelsiusToKelvin, "K");
    if (k.humidity_percent)
      condition(list, "basic_humidityRelative", "Relative humidity", *k.humidity_percent, 1e-2, 0, "1");
    if (k.pressure_kPa) condition(list, "basic_pressure", "Air pressure", *k.pressure_kPa, 1e3, 0, "Pa");
    auto c = list.append_child("dcc:influenceCondition");
    named(c, "dcc:name", "Setting of the measuring chain");
    const auto& s = r_.setting;
    std::string text = k.notes;
    const auto add = [&](const char* what, const std::string& value) {
      if (!value.empty()) text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", what, value);
    };
    add("gain", s.gain), add("filter", s.filter), add("mounting", s.mounting);
    if (s.rate_Hz > 0) add("samples", fmt::format("{:g} per second", s.rate_Hz));
    if (s.counts_per_unit > 0) add("counts per unit", fmt::format("{:g}", s.counts_per_unit));
    content(c.append_child("dcc:data").append_child("dcc:text"), text.empty() ? "as delivered" : text);
  }

  static xml_node real(xml_node quantity, double value, std::string_view unit) {
    auto x = quantity.append_child("si:real");
    put(x, "si:value", dsi_number(value));
    put(x, "si:unit", dsi_unit(unit));
    return x;
  }

  /// Expanded uncertainties of a column; no values: it has none.
  struct Expanded {
    std::vector<double> values = {};
    double factor = 2;
  };
  void column(xml_node list, const char* type, std::string_view name, const std::vector<double>& values,
              std::string_view unit, const Expanded& expanded) {
    auto q = list.append_child("dcc:quantity");
    if (*type != '\0') q.append_attribute("refType") = type;
    named(q, "dcc:name", name);
    auto x = q.append_child("si:realListXMLList");
    const auto joined = [](const std::vector<double>& v) {
      std::string out;
      for (const double d : v) out += (out.empty() ? "" : " ") + dsi_number(d);
      return out;
    };
    put(x, "si:valueXMLList", joined(values));
    put(x, "si:unitXMLList", dsi_unit(unit));
    if (expanded.values.empty()) return;
    auto u = x.append_child("si:measurementUncertaintyUnivariateXMLList").append_child("si:expandedMUXMLList");
    put(u, "si:valueExpandedMUXMLList", joined(expanded.values));
    put(u, "si:coverageFactorXMLList", dsi_plain(expanded.factor));
    put(u, "si:coverageProbabilityXMLList", dsi_plain(r_.coverage_probability));
    put(u, "si:distributionXMLList", "normal");
  }

  static xml_node result(xml_node results, const char* type, std::string_view name) {
    auto x = results.append_child("dcc:result");
    if (*type != '\0') x.append_attribute("refType") = type;
    named(x, "dcc:name", name);
    return x.append_child("dcc:data");
  }

  void table(xml_node results, const DataTable& t) {
    if (t.rows.empty()) return;
    const bool points = t.name == "points";
    auto list = result(results, points ? "gp_measuringResult1" : "", points ? "Measuring results" : t.name)
                    .append_child("dcc:list");
    list.append_attribute("refType") = "gp_table1";
    const auto column_of = [&](std::size_t c) {
      std::vector<double> out;
      for (const auto& row : t.rows) out.push_back(row[c]);
      return out;
    };
    const auto found = std::find(t.columns.begin(), t.columns.end(), "expanded_uncertainty");
    const auto u = static_cast<std::size_t>(found - t.columns.begin());
    for (std::size_t c = 0; c < t.columns.size(); ++c) {
      if (points && c == u) continue;
      const auto& name = t.columns[c];
      const char* type = !points                ? ""
                         : name == "reference"  ? "basic_referenceValue"
                         : name == "indication" ? "basic_measuredValue"
                                                : "";
      const bool carries = points && u < t.columns.size() && name == "fitted";
      column(list, type, name, column_of(c), t.units[c],
             carries ? Expanded{column_of(u), r_.coverage_factor} : Expanded{});
    }
  }

  void uncertainty(xml_node results) {
    for (std::size_t i = 0; i < r_.quantities.size(); ++i) {
      const auto& q = r_.quantities[i];
      auto list = result(results, "", "Calibrated range of " + title_of(q)).append_child("dcc:list");
      std::vector<double> values;
      Expanded expanded{{}, coverage_factor_of(r_, i)};
      for (const auto& p : q.uncertainty) values.push_back(p.value), expanded.values.push_back(p.expanded);
      column(list, "basic_calibrationValue", title_of(q) + " with its expanded uncertainty", values, q.unit, expanded);
      column(list, "", title_of(q) + ", ends of the range", {q.range.low, q.range.high}, q.unit, {});
    }
  }

  /// Unit of coefficient `i` of the fit, and its name.
  [[nodiscard]] std::pair<std::string, std::string> coefficient(std::size_t i) const {
    const auto& f = r_.fit;
    const auto& unit = r_.quantities.front().unit;
    if (f.kind == FitKind::kPolynomial) {
      const auto& x = f.inputs.front().unit;
      const auto below = x == "1" || x.empty() || i == 0
                             ? std::string()
                             : fmt::format("\\per{}{}", dsi_unit(x), i > 1 ? fmt::format("\\tothe{{{}}}", i) : "");
      return {fmt::format("c{} of value = sum of c_k x^k", i), dsi_unit(unit) + below};
    }
    if (f.kind == FitKind::kMatrix) {
      const auto inputs = f.inputs.size();
      const auto rows = r_.quantities.size();
      const bool offset = i >= rows * inputs;
      const auto row = offset ? i - rows * inputs : i / inputs;
      if (offset) return {fmt::format("offset of {}", r_.quantities[row].channel), dsi_unit(r_.quantities[row].unit)};
      const auto& x = f.inputs[i % inputs];
      return {fmt::format("{} by {}", r_.quantities[row].channel, x.channel),
              dsi_unit(r_.quantities[row].unit) + (x.unit == "1" || x.unit.empty() ? "" : "\\per" + dsi_unit(x.unit))};
    }
    return {i < f.names.size() ? f.names[i] : fmt::format("c{}", i), dsi_unit(unit_of_constant(r_, i))};
  }

  void fit(xml_node results) {
    const auto& f = r_.fit;
    if (f.coefficients.empty()) return;
    auto list = result(results, "gp_coefficients", fmt::format("Fit: {}", name_of(f.kind))).append_child("dcc:list");
    const auto n = f.coefficients.size();
    for (std::size_t i = 0; i < n; ++i) {
      const auto [name, unit] = coefficient(i);
      auto q = list.append_child("dcc:quantity");
      named(q, "dcc:name", name);
      auto x = q.append_child("si:real");
      put(x, "si:value", dsi_number(f.coefficients[i]));
      // A quotient of units of one's own cannot be written: then the unit is told in the name of the fit.
      put(x, "si:unit", unit.find('|') == std::string::npos ? unit : "\\one");
      if (f.covariance.size() != n * n) continue;
      auto u = x.append_child("si:measurementUncertaintyUnivariate").append_child("si:standardMU");
      put(u, "si:valueStandardMU", dsi_number(std::sqrt(f.covariance[i * n + i])));
      put(u, "si:distribution", "normal");
    }
  }

  void budget(xml_node results) {
    if (r_.budget.empty()) return;
    for (const auto& budget : budgets_of(r_)) {
      const auto of = budget.title.empty() ? std::string() : " of " + budget.title;
      auto list = result(results, "", fmt::format("Uncertainty budget{}: standard uncertainty by source", of))
                      .append_child("dcc:list");
      for (const auto& b : budget.shares) {
        auto q = list.append_child("dcc:quantity");
        named(q, "dcc:name", fmt::format("{} ({})", b.line.name, b.line.distribution));
        real(q, b.contribution(), b.unit);
      }
    }
  }

  void results(xml_node m) {
    named(m, "dcc:name", "Calibration results");
    methods(m.append_child("dcc:usedMethods"));
    software(m.append_child("dcc:usedSoftware"));
    equipment(m);
    conditions(m.append_child("dcc:influenceConditions"));
    auto list = m.append_child("dcc:results");
    for (const auto& t : r_.tables) table(list, t);
    uncertainty(list);
    fit(list);
    budget(list);
  }

  const Certificate& c_;
  const Record& r_;
  pugi::xml_document document_;
};

}  // namespace

std::string to_dcc(const Certificate& certificate) { return DccWriter(certificate).run(); }

}  // namespace strigil::calibration
