#include "calibration/certificate/dcc_import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "calibration/certificate/unit.hpp"
#include "calibration/record/calendar.hpp"

namespace strigil::calibration {
namespace {

using pugi::xml_node;
using D = DccDocument;

/// Why a certificate is refused; thrown inside this file only, and caught in import_dcc().
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

xml_node si(xml_node n, std::string_view name) { return D::child(n, Vocabulary::kSi, name); }
xml_node dcc(xml_node n, std::string_view name) { return D::child(n, Vocabulary::kDcc, name); }

std::string cut(std::string text, std::size_t most = 200) {
  if (text.size() <= most) return text;
  text.resize(most);
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80) text.pop_back();
  if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
  return text + "...";
}

std::vector<double> numbers_of(xml_node n) {
  std::vector<double> out;
  for (const auto& entry : list_entries(D::text(n))) {
    const auto v = read_dsi_number(entry);
    if (!v) throw Refused(fmt::format("{}: '{}' is no number", D::path(n), cut(entry, 40)));
    out.push_back(*v);
    if (out.size() > kMostDccNumbers)
      throw Refused(fmt::format("{}: a list of more than {} numbers", D::path(n), kMostDccNumbers));
  }
  return out;
}

/// The child whose name is `name` or `name` + "XMLList".
xml_node either(xml_node n, const std::string& name) {
  const auto one = si(n, name);
  return one ? one : si(n, name + "XMLList");
}

/// One for all, or one for each.
std::vector<double> spread(std::vector<double> v, std::size_t count, xml_node where) {
  if (v.size() == 1) return std::vector<double>(count, v.front());
  if (v.size() != count) throw Refused(fmt::format("{}: {} numbers for {} values", D::path(where), v.size(), count));
  return v;
}

/// Standard uncertainties out of whichever form stands in `holder`; empty: none.
std::vector<double> uncertainty_of(xml_node holder, std::size_t count) {
  // The misspelt one is the schema's own.
  constexpr std::array<std::string_view, 9> kForms{"measurementUncertaintyUnivariate",
                                                   "measurementUncertaintyUnivaraite",
                                                   "measurementUncertaintyUnivariateXMLList",
                                                   "listMeasurementUncertaintyUnivariate",
                                                   "listUnivariateUnc",
                                                   "expandedUnc",
                                                   "expandedUncXMLList",
                                                   "coverageInterval",
                                                   "coverageIntervalXMLList"};
  xml_node form;
  for (const auto name : kForms) {
    if (!form) form = si(holder, name);
  }
  if (!form) return {};
  constexpr std::array<const char*, 5> kInner{"standardMU", "expandedMU", "coverageIntervalMU", "expandedUnc",
                                              "coverageInterval"};
  for (const auto* name : kInner) {
    if (const auto inner = either(form, name)) {
      form = inner;
      break;
    }
  }
  std::vector<double> u;
  xml_node at = either(form, "valueStandardMU");
  if (!at) at = either(form, "standardUnc");
  if (at) {
    u = spread(numbers_of(at), count, at);
  } else {
    at = either(form, "valueExpandedMU");
    if (!at) at = either(form, "uncertainty");
    const auto factor = either(form, "coverageFactor");
    if (!at || !factor)
      throw Refused(fmt::format("{}: an uncertainty without its value or coverage factor", D::path(form)));
    u = spread(numbers_of(at), count, at);
    const auto k = spread(numbers_of(factor), count, factor);
    for (std::size_t i = 0; i < count; ++i) {
      if (!(k[i] >= 1))
        throw Refused(fmt::format("{}: a coverage factor of {:g}; 1 or more is wanted", D::path(factor), k[i]));
      u[i] /= k[i];
    }
  }
  for (const double v : u) {
    if (v < 0) throw Refused(fmt::format("{}: an uncertainty below 0", D::path(at)));
  }
  return u;
}

class Import {
 public:
  explicit Import(DccDocument document) : d_(std::move(document)) {}

  ImportedDcc run() {
    const auto root = d_.root();
    out_.schema_version = root.attribute("schemaVersion").value();
    if (!out_.schema_version.starts_with("3.") && !out_.schema_version.starts_with("2.")) {
      throw Refused(
          fmt::format("its schema version is '{}'; 2.x and 3.x are known here", cut(out_.schema_version, 20)));
    }
    out_.findings = check_dcc(d_);
    const auto admin = dcc(root, "administrativeData");
    if (!admin) throw Refused("it has no administrativeData");
    core(dcc(admin, "coreData"));
    out_.laboratory = D::content(D::at(admin, {"calibrationLaboratory", "contact", "name"}));
    if (out_.laboratory.empty()) throw Refused("it does not name its calibration laboratory");
    item(D::at(admin, {"items", "item"}));
    const auto items = D::children(dcc(admin, "items"), Vocabulary::kDcc, "item").size();
    if (items > 1) out_.passed_over.push_back(fmt::format("{} of its items: the first is told", items - 1));
    for (const auto s : D::children(dcc(admin, "statements"), Vocabulary::kDcc, "statement")) statement(s);
    for (const auto m : D::children(dcc(root, "measurementResults"), Vocabulary::kDcc, "measurementResult"))
      measurement(m);
    if (out_.quantities.empty()) {
      throw Refused(fmt::format("it holds no numbers that can be read{}",
                                out_.passed_over.empty() ? "" : ": " + out_.passed_over.front()));
    }
    const bool known =
        std::any_of(out_.quantities.begin(), out_.quantities.end(), [](const auto& q) { return !q.standard.empty(); });
    if (!known) {
      throw Refused("none of its results has an uncertainty: nothing can be traceable to it" +
                    (relative_alone_.empty() ? "" : "; " + relative_alone_));
    }
    return std::move(out_);
  }

 private:
  static daq::WallTime date(xml_node core, const char* name, bool required) {
    const auto n = dcc(core, name);
    // xs:date may carry a zone; the day is what counts.
    const auto t = parse_instant(D::text(n).substr(0, 10));
    if (t) return *t;
    if (n || required) throw Refused(fmt::format("{}: {}", name, n ? t.error().message : "it is missing"));
    return {};
  }

  void core(xml_node core) {
    out_.id = D::text(dcc(core, "uniqueIdentifier"));
    if (out_.id.empty()) throw Refused("it has no uniqueIdentifier");
    out_.performed_from = date(core, "beginPerformanceDate", true);
    out_.performed_until = date(core, "endPerformanceDate", true);
    if (out_.performed_until.ns < out_.performed_from.ns) throw Refused("its calibration ended before it began");
    out_.issued = dcc(core, "issueDate") ? date(core, "issueDate", true) : out_.performed_until;
    if (out_.issued.ns < out_.performed_until.ns) throw Refused("it was issued before its calibration ended");
  }

  void item(xml_node item) {
    if (!item) throw Refused("it names no item");
    out_.item = D::content(dcc(item, "name"));
    out_.instrument.make = D::content(D::at(item, {"manufacturer", "name"}));
    out_.instrument.model = D::text(dcc(item, "model"));
    for (const auto i : D::children(dcc(item, "identifications"), Vocabulary::kDcc, "identification")) {
      const auto value = D::text(dcc(i, "value"));
      const bool makers = D::text(dcc(i, "issuer")) == "manufacturer";
      if (!value.empty() && (makers || out_.instrument.serial.empty())) out_.instrument.serial = value;
      if (makers) break;
    }
    if (out_.instrument.serial.empty()) throw Refused("its item has no identification: no serial number to tell it by");
  }

  void statement(xml_node s) {
    if (!list_has(s, "basic_recalibration")) return;
    const auto t = parse_instant(D::text(dcc(s, "date")).substr(0, 10));
    if (t) out_.recalibrate_by = *t;
  }

  static bool list_has(xml_node n, std::string_view type) {
    const auto types = list_entries(n.attribute("refType").value());
    return std::find(types.begin(), types.end(), type) != types.end();
  }

  void measurement(xml_node m) {
    for (const auto u : D::children(dcc(m, "usedMethods"), Vocabulary::kDcc, "usedMethod")) {
      const auto name = D::content(dcc(u, "name"));
      if (!name.empty()) out_.method += (out_.method.empty() ? "" : "; ") + name;
    }
    for (const auto r : D::children(dcc(m, "results"), Vocabulary::kDcc, "result")) {
      data(dcc(r, "data"), D::content(dcc(r, "name")), 0);
    }
  }

  void data(xml_node node, const std::string& title, std::size_t depth) {
    if (depth > kDeepestDcc) return;  // the document was bounded when it was read
    for (const auto n : node.children()) {
      if (D::is(n, Vocabulary::kDcc, "list")) data(n, title, depth + 1);
      if (D::is(n, Vocabulary::kDcc, "quantity")) quantity(n, title);
    }
  }

  void quantity(xml_node q, const std::string& title) {
    DccQuantity base;
    const auto name = D::content(dcc(q, "name"));
    base.name = name.empty() ? (title.empty() ? "quantity" : title) : name;
    base.ref_type = q.attribute("refType").value();
    auto holder = q;
    if (const auto hybrid = si(q, "hybrid")) holder = hybrid;
    if (!take_best(holder, base)) {
      out_.passed_over.push_back(fmt::format("{} ('{}'): no real numbers in it", D::path(q), cut(base.name, 60)));
      return;
    }
    if (!out_.quantities.back().standard.empty() || !dcc(q, "relativeUncertainty")) return;
    relative_alone_ = fmt::format(
        "the relative uncertainty of '{}' stands alone: with what coverage factor an absolute one "
        "beside it would say",
        cut(base.name, 60));
    out_.passed_over.push_back(fmt::format("{}: {}", D::path(q), relative_alone_));
  }

  /// In a hybrid the same stands in several units: one with an uncertainty counts before one without, then one whose
  /// unit is known here, then the first.
  bool take_best(xml_node holder, const DccQuantity& base) {
    std::optional<DccQuantity> best;
    int best_worth = -1;
    const auto offer = [&](DccQuantity q, bool known) {
      const int worth = (q.standard.empty() ? 0 : 2) + (known ? 1 : 0);
      if (worth > best_worth) best = std::move(q), best_worth = worth;
    };
    for (const auto n : holder.children()) {
      if (D::vocabulary_of(n) != Vocabulary::kSi) continue;
      const auto name = D::local_name(n);
      auto q = base;
      bool known = false;
      if (name == "real" || name == "constant") {
        if (real(n, {}, q, known)) offer(std::move(q), known);
      } else if (name == "realListXMLList") {
        if (xml_list(n, q, known)) offer(std::move(q), known);
      } else if (name == "realList" || name == "list") {
        if (list(n, q, known)) offer(std::move(q), known);
      }
    }
    if (!best) return false;
    out_.quantities.push_back(std::move(*best));
    return true;
  }

  /// Puts numbers into a quantity, in SI where the unit is known; NaN are left out and told.
  bool add(xml_node where, const std::vector<double>& values, const std::vector<double>& u, const std::string& unit,
           DccQuantity& q, bool& known) {
    const auto read = read_dsi_unit(unit);
    known = read.has_value();
    const double factor = read ? read->factor : 1;
    const auto symbol = read ? read->symbol : unit.empty() ? std::string("1") : cut(unit, 80);
    if (!q.values.empty() && symbol != q.unit) {
      throw Refused(fmt::format("{}: '{}' and '{}' in one list", D::path(where), q.unit, symbol));
    }
    q.unit = symbol;
    std::size_t left_out = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double v = values[i] * factor;
      if (!std::isfinite(v) || (!u.empty() && !std::isfinite(u[i] * factor))) {
        ++left_out;
        continue;
      }
      q.values.push_back(v);
      if (!u.empty()) q.standard.push_back(u[i] * std::abs(factor));
    }
    if (left_out > 0) out_.passed_over.push_back(fmt::format("{}: {} of its values are NaN", D::path(where), left_out));
    return !q.values.empty();
  }

  bool real(xml_node n, const std::string& list_unit, DccQuantity& q, bool& known,
            const std::vector<double>& list_u = {}) {
    const auto value = si(n, "value");
    if (!value) throw Refused(fmt::format("{}: it has no value", D::path(n)));
    const auto v = numbers_of(value);
    if (v.size() != 1) throw Refused(fmt::format("{}: one number is wanted", D::path(value)));
    auto u = uncertainty_of(n, 1);
    if (D::local_name(n) == "constant") {
      const auto own = si(n, "valueStandardMU") ? si(n, "valueStandardMU") : si(n, "uncertainty");
      if (own) u = spread(numbers_of(own), 1, own);
    }
    if (u.empty() && !list_u.empty()) u = list_u;
    const auto unit = D::text(si(n, "unit"));
    if (unit.empty() && list_unit.empty()) throw Refused(fmt::format("{}: it has no unit", D::path(n)));
    if (!q.values.empty() && q.standard.empty() != u.empty()) {
      throw Refused(fmt::format("{}: some values of a list have an uncertainty and some have none", D::path(n)));
    }
    return add(n, v, u, unit.empty() ? list_unit : unit, q, known);
  }

  bool xml_list(xml_node n, DccQuantity& q, bool& known) {
    const auto value = si(n, "valueXMLList");
    if (!value) throw Refused(fmt::format("{}: it has no valueXMLList", D::path(n)));
    const auto v = numbers_of(value);
    if (v.empty()) throw Refused(fmt::format("{}: an empty list", D::path(value)));
    const auto u = uncertainty_of(n, v.size());
    const auto units = list_entries(D::text(si(n, "unitXMLList")));
    if (units.empty()) throw Refused(fmt::format("{}: it has no unit", D::path(n)));
    if (units.size() != 1 && units.size() != v.size()) {
      throw Refused(fmt::format("{}: {} units for {} values", D::path(n), units.size(), v.size()));
    }
    if (units.size() == 1) return add(n, v, u, units.front(), q, known);
    for (std::size_t i = 0; i < v.size(); ++i) {
      add(n, {v[i]}, u.empty() ? u : std::vector<double>{u[i]}, units[i], q, known);
    }
    return !q.values.empty();
  }

  /// si:realList, and si:list of today (of realLists) and of D-SI 1.3 (of reals).
  bool list(xml_node n, DccQuantity& q, bool& known) {
    const auto unit = D::text(si(n, "listUnit"));
    const auto u = uncertainty_of(n, 1);
    bool any = false;
    for (const auto c : n.children()) {
      if (D::is(c, Vocabulary::kSi, "real")) any = real(c, unit, q, known, u) || any;
      if (D::is(c, Vocabulary::kSi, "realListXMLList")) any = xml_list(c, q, known) || any;
      if (D::is(c, Vocabulary::kSi, "realList") || D::is(c, Vocabulary::kSi, "list")) any = list(c, q, known) || any;
    }
    return any;
  }

  DccDocument d_;
  ImportedDcc out_;
  std::string relative_alone_;  ///< of the last quantity that has no other; empty: none has
};

}  // namespace

daq::Result<ImportedDcc> import_dcc(std::string_view xml) {
  auto document = DccDocument::parse(xml);
  if (!document) return document.error();
  try {
    return Import(std::move(*document)).run();
  } catch (const Refused& why) {
    return daq::Error{fmt::format("this certificate is refused: {}", why.what())};
  }
}

Record reference_of(const ImportedDcc& dcc, const std::string& file, const std::string& sha256,
                    const std::string& software) {
  Record r;
  r.kind = RecordKind::kReference;
  r.id = "REF-";
  for (const char c : dcc.id.substr(0, 60)) {
    const bool allowed =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    r.id += allowed ? c : '-';
  }
  r.software = software;
  r.instrument = dcc.instrument;
  if (r.instrument.model.empty()) r.instrument.model = dcc.item;
  for (const auto& q : dcc.quantities) {
    DataTable table{cut(q.name), {"value"}, {q.unit}, {}};
    if (!q.standard.empty()) table.columns.emplace_back("expanded_uncertainty"), table.units.push_back(q.unit);
    CalibratedQuantity summary{cut(q.name), "", q.unit, {}, {}};
    for (std::size_t i = 0; i < q.values.size(); ++i) {
      table.rows.push_back({q.values[i]});
      if (q.standard.empty()) continue;
      const double expanded = r.coverage_factor * q.standard[i];
      table.rows.back().push_back(expanded);
      if (expanded > 0) summary.uncertainty.push_back({q.values[i], expanded});
    }
    r.tables.push_back(std::move(table));
    auto& points = summary.uncertainty;
    if (points.empty()) continue;
    // By value; of two at the same one the greater uncertainty counts.
    std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) {
      return a.value != b.value ? a.value < b.value : a.expanded > b.expanded;
    });
    points.erase(
        std::unique(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.value == b.value; }),
        points.end());
    summary.range = {points.front().value, points.back().value};
    r.quantities.push_back(std::move(summary));
  }
  r.traceability = {{dcc.item, dcc.instrument.serial, cut(dcc.id), sha256, cut(dcc.laboratory), "", dcc.recalibrate_by,
                     "as in its tables, k = 2"}};
  r.procedure = cut(dcc.method);
  r.performed_from = dcc.performed_from;
  r.performed_until = dcc.performed_until;
  r.issued = dcc.issued;
  if (dcc.recalibrate_by && dcc.recalibrate_by->ns > dcc.issued.ns) r.valid_until = dcc.recalibrate_by;
  r.raw = {{file, sha256}};
  r.reason = fmt::format("imported from a DCC {} with {} findings", dcc.schema_version, dcc.findings.size());
  return r;
}

}  // namespace strigil::calibration
