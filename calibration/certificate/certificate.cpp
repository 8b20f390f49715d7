#include "calibration/certificate/certificate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "calibration/certificate/result_parts.hpp"
#include "calibration/record/calendar.hpp"
#include "daq/json_text.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::calibration {
namespace {

constexpr std::array<std::string_view, 5> kLocations{"laboratory", "customer", "laboratoryBranch", "customerBranch",
                                                     "other"};

bool is_country(const std::string& code) {
  return code.size() == 2 && std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

Contact read_contact(daq::StrictTable t) {
  Contact c;
  c.name = t.text("name");
  c.street = t.text("street", "");
  c.post_code = t.text("post_code", "");
  c.city = t.text("city");
  c.country_code = t.text("country_code");
  c.email = t.text("email", "");
  c.phone = t.text("phone", "");
  if (t.has("country_code") && !is_country(c.country_code)) {
    t.refuse("country_code", "'country_code' is two capital letters (ISO 3166-1), e.g. \"DE\"");
  }
  return c;
}

nlohmann::ordered_json json_of(const Contact& c) {
  return {{"name", c.name},
          {"street", c.street},
          {"post_code", c.post_code},
          {"city", c.city},
          {"country_code", c.country_code},
          {"email", c.email},
          {"phone", c.phone}};
}

class Omissions {
 public:
  explicit Omissions(const Certificate& c) : c_(c) {}

  std::vector<Omission> run() {
    const auto& r = c_.record;
    const auto& h = c_.head;
    need(r.kind == RecordKind::kCalibration, "7.8.1", "the record is no calibration");
    need(!h.laboratory.name.empty() && !h.laboratory.city.empty() && is_country(h.laboratory.country_code), "7.8.2.1 b",
         "name and address of the laboratory");
    need(std::find(kLocations.begin(), kLocations.end(), h.location) != kLocations.end(), "7.8.2.1 c",
         "where it was performed");
    need(!r.id.empty(), "7.8.2.1 d", "a unique identification");
    need(!h.customer.name.empty() && is_country(h.customer.country_code), "7.8.2.1 e",
         "name and address of the customer");
    need(!r.procedure.empty(), "7.8.2.1 f", "the method");
    need(!r.instrument.make.empty() && !r.instrument.model.empty() && !r.instrument.serial.empty(), "7.8.2.1 g",
         "make, model and serial number of the item");
    need(!h.item_condition.empty(), "7.8.2.1 g", "the condition of the item ([certificate] item_condition)");
    need(r.performed_from.ns > 0 && r.performed_until.ns > 0, "7.8.2.1 i", "the dates of performance");
    need(r.issued.ns > 0, "7.8.2.1 j", "the date of issue");
    need(!r.quantities.empty() &&
             std::all_of(r.quantities.begin(), r.quantities.end(), [](const auto& q) { return !q.unit.empty(); }),
         "7.8.2.1 m", "results with units");
    need(!h.authorised_by.empty(), "7.8.2.1 o", "who authorises it ([certificate] authorised_by)");
    need(std::all_of(r.quantities.begin(), r.quantities.end(), [](const auto& q) { return !q.uncertainty.empty(); }),
         "7.8.4.1 a", "the uncertainty of every result");
    const auto& k = r.conditions;
    need(k.temperature_C.has_value(), "7.8.4.1 b", "the conditions: at least the temperature that was met");
    need(!r.traceability.empty(), "7.8.4.1 c", "to what the results are traceable");
    for (const auto& t : r.traceability) {
      need(!t.certificate.empty() && !t.laboratory.empty(), "7.8.4.1 c",
           fmt::format("certificate and laboratory of the reference '{}'", t.what));
    }
    need(!r.adjustment.empty(), "7.8.4.1 d", "whether the item was adjusted: none, as found, as left");
    const auto& s = r.classification;
    if (!s.conformity.empty()) {
      need(!s.standard.empty(), "7.8.6.2", "to what the statement of conformity refers");
      need(!s.decision_rule.empty(), "7.8.6.1", "the decision rule of the statement of conformity");
    }
    return std::move(out_);
  }

 private:
  void need(bool held, const char* clause, std::string what) {
    if (!held) out_.push_back({clause, std::move(what)});
  }
  const Certificate& c_;
  std::vector<Omission> out_;
};

}  // namespace

daq::Result<CertificateHead> parse_certificate_head(std::string_view text, const std::string& file) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  CertificateHead h;
  auto laboratory = root.table("laboratory", true);
  h.laboratory = read_contact(laboratory);
  h.accreditation = laboratory.text("accreditation", "");
  laboratory.finish();
  auto customer = root.table("customer", true);
  h.customer = read_contact(customer);
  customer.finish();
  auto c = root.table("certificate", true);
  h.location = c.text("location", h.location);
  if (std::find(kLocations.begin(), kLocations.end(), h.location) == kLocations.end()) {
    c.refuse("location", "'location' is laboratory, customer, laboratoryBranch, customerBranch or other");
  }
  h.authorised_by = c.text("authorised_by");
  h.authorised_role = c.text("authorised_role", "");
  if (c.has("received")) {
    const auto received = parse_instant(c.text("received"));
    if (received) h.received = *received;
    if (!received) c.refuse("received", received.error().message);
  }
  h.item_condition = c.text("item_condition");
  h.deviations = c.text("deviations", "");
  h.external_provider = c.text("external_provider", "");
  h.opinions = c.text("opinions", "");
  h.recalibration_agreed = c.boolean("recalibration_agreed", false);
  c.finish();
  root.finish();
  if (document.error()) return *document.error();
  return h;
}

std::vector<Omission> omissions_of(const Certificate& certificate) { return Omissions(certificate).run(); }

std::string title_of(const CalibratedQuantity& q) {
  if (q.channel.empty() || q.channel == q.quantity) return q.quantity;
  const bool single = q.range.low == q.range.high;  // "centre of mass, centre x": no channel of anything
  return fmt::format("{}, {}{}", q.quantity, single ? "" : "channel ", q.channel);
}

std::string coverage_words_of(const Record& r) {
  bool one = true;
  for (std::size_t i = 1; i < r.quantities.size(); ++i) one = one && coverage_factor_of(r, i) == coverage_factor_of(r, 0);
  if (!one) return "k that stands beside each";
  return fmt::format("of k = {:.3g}", r.quantities.empty() ? r.coverage_factor : coverage_factor_of(r, 0));
}

std::string method_of(const Record& r) {
  const auto& c = r.classification;
  if (c.standard.empty()) return r.procedure;
  return fmt::format("{} ({}{}{})", r.procedure, c.basis.empty() ? "" : c.basis + " ", c.standard,
                     c.edition.empty() ? "" : ":" + c.edition);
}

std::vector<std::string> statements_of(const Certificate& c) {
  const auto& r = c.record;
  const auto& h = c.head;
  std::vector<std::string> out;
  out.emplace_back("The results relate only to the item that was calibrated, and to the time of calibration.");
  out.push_back(fmt::format(
      "The expanded uncertainties are standard uncertainties multiplied by a coverage factor {}, for a coverage "
      "probability of about {:g} %, evaluated after JCGM 100 (GUM).",
      coverage_words_of(r), 100 * r.coverage_probability));
  std::string chain;
  for (const auto& t : r.traceability) {
    chain += fmt::format("{}{} (serial {}) by certificate {} of {}", chain.empty() ? "" : "; ", t.what, t.serial,
                         t.certificate, t.laboratory);
  }
  if (!chain.empty()) out.push_back(fmt::format("The results are traceable to: {}.", chain));
  const auto& s = r.classification;
  if (!s.result.empty() || !s.conformity.empty()) {
    out.push_back(fmt::format(
        "Conformity: the item {}{}{}{}. Decision rule: {}. The statement refers to the results of this "
        "certificate.",
        s.conformity == "fail" ? "does not meet " : "meets ", s.basis.empty() ? "" : fmt::format("({}) ", s.basis),
        s.edition.empty() ? s.standard : s.standard + ":" + s.edition,
        s.result.empty() ? "" : fmt::format(", class {}", s.result), s.decision_rule));
  }
  if (r.adjustment == "none") out.emplace_back("The item was not adjusted.");
  if (r.adjustment == "as found") out.emplace_back("The results are of the item as it was found, before adjustment.");
  if (r.adjustment == "as left") out.emplace_back("The results are of the item as it was left, after adjustment.");
  out.push_back(h.deviations.empty() ? "There were no additions to, deviations or exclusions from the method."
                                     : "Additions, deviations and exclusions: " + h.deviations);
  if (!h.external_provider.empty())
    out.push_back("Results of an external provider are among these: " + h.external_provider);
  if (!r.supersedes.empty()) out.push_back(fmt::format("This certificate replaces certificate {}.", r.supersedes));
  if (h.recalibration_agreed && r.valid_until) {
    out.push_back(
        fmt::format("As agreed with the customer, it is to be calibrated again by {}.", date_of(*r.valid_until)));
  }
  if (!h.opinions.empty()) out.push_back("Opinions and interpretations: " + h.opinions);
  out.emplace_back("This certificate may not be reproduced except in full without the laboratory's approval.");
  return out;
}

std::string to_certificate_json(const Certificate& c) {
  const auto& h = c.head;
  nlohmann::ordered_json j{
      {"format", "strigil-certificate"},
      {"version", "1.0"},
      {"certificate", c.record.id},
      {"record_sha256", c.record_hash},
      {"laboratory", json_of(h.laboratory)},
      {"accreditation", h.accreditation},
      {"customer", json_of(h.customer)},
      {"location", h.location},
      {"authorised_by", h.authorised_by},
      {"authorised_role", h.authorised_role},
      {"received", h.received ? nlohmann::ordered_json(date_of(*h.received)) : nlohmann::ordered_json()},
      {"item_condition", h.item_condition},
      {"method", method_of(c.record)},
      {"statements", statements_of(c)},
      {"record", daq::parse_ordered_json(to_text(c.record))}};
  return daq::json_text(j, 1) + "\n";
}

}  // namespace strigil::calibration
