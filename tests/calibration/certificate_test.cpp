#include "calibration/certificate/certificate.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "calibration/certificate/certificate_table.hpp"
#include "calibration/certificate/dcc_check.hpp"
#include "calibration/certificate/dcc_import.hpp"
#include "calibration/certificate/result_parts.hpp"
#include "calibration/certificate/signature.hpp"
#include "calibration/certificate/unit.hpp"
#include "daq/json_text.hpp"
#include "daq/strict_toml.hpp"
#include "daq/temporary_folder.hpp"
#include "record_fixture.hpp"
#include "reference_data.hpp"

namespace strigil::calibration {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

CertificateHead head() {
  const auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/docs/examples/laboratory.toml").value();
  const auto h = parse_certificate_head(text, "laboratory.toml");
  EXPECT_TRUE(h.ok()) << h.error().message;
  return *h;
}

Certificate certificate_of(const Record& r) { return {r, hash_of(r), head()}; }

/// As an instrument's record: results in several units, each with its own coverage factor and its own budget.
Record several_results() {
  auto r = force_record("TOOL-1");
  r.quantities = {{"mass", "mass", "kg", {0.04408, 0.04408}, {{0.04408, 0.00032}}},
                  {"natural frequency", "mode 1", "Hz", {393.13, 393.13}, {{393.13, 0.09}}},
                  {"damping ratio", "mode 1 damping", "1", {0.065, 0.065}, {{0.065, 0.001}}}};
  r.fit = {};
  r.fit.kind = FitKind::kConstants;
  r.fit.names = {"mass", "mode 1", "mode 1 damping"};
  r.fit.coefficients = {0.04408, 393.13, 0.065};
  r.tables = {{"results", {"value", "k"}, {"1", "1"}, {{0.04408, 2}, {393.13, 2.25}, {0.065, 2}}}};
  r.budget = {{"mass: scale", "normal", 1.2e-4, "kg", 1, 0},
              {"mass: gravity", "normal", 1.6e-4, "kg", 1, 0},
              {"mode 1: scatter", "t", 0.03, "Hz", 1, 7},
              {"mode 1: clock", "normal", 0.04, "Hz", 1, 0},
              {"mode 1 damping: model", "rectangular", 5e-4, "1", 1, 0}};
  return r;
}

/// Records of every shape that a certificate is made of.
std::vector<Record> all_records() {
  std::vector<Record> out{force_record()};
  auto hostile = force_record("HOSTILE-1");
  hostile.operator_name = "<b>&\"'\x01 \t\n  Ørsted ";
  hostile.instrument.make = "A & B <GmbH>";
  hostile.conditions.notes = "]]> <!-- -->";
  hostile.procedure = "<script>alert(1)</script>";
  hostile.supersedes = "OLD-1";
  hostile.adjustment = "as left";
  hostile.conditions.pressure_kPa = Interval{99, 101};
  hostile.software = "nonsense";
  out.push_back(hostile);
  auto matrix = force_record("MATRIX-1");
  matrix.fit = {};
  matrix.fit.kind = FitKind::kMatrix;
  matrix.quantities.clear();
  for (const char* name : {"Fx", "Fz"}) {
    matrix.quantities.push_back({"force", name, "N", {-25, 25}, {{-25, .05}, {25, .05}}});
    matrix.fit.inputs.push_back({name, "V", 1e-6, 0});
  }
  matrix.fit.coefficients = {1.0, -0.03, 0.02, 1.1, 0.001, -0.002};
  matrix.tables.clear();
  matrix.budget.clear();
  matrix.classification = {};
  out.push_back(matrix);
  auto response = force_record("VIB-1");
  response.quantities = {{"sensitivity", "", "m/s2", {10, 5000}, {{10, 0.01}, {5000, 0.05}}}};
  response.fit = {};
  response.fit.kind = FitKind::kTable;
  response.tables = {{"frequency response",
                      {"frequency", "magnitude", "phase"},
                      {"Hz", "mV/(m/s2)", "deg"},
                      {{10, 1e-7, -1}, {160, 1.0, -0.5}, {5000, 1.2e22, 3}}}};
  response.adjustment = "as found";
  out.push_back(response);
  out.push_back(several_results());
  return out;
}

TEST(CertificateTest, EveryDccIsValidByTheSchemaAndBreaksNoRule) {
  const auto schema = reference_data("dcc/v3.3.0/dcc.xsd");
  const auto folder = daq::TemporaryFolder::make("dcc");
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  const auto& path = folder->path();
  const bool can = schema && std::system("xmllint --version >/dev/null 2>&1") == 0;
  for (const auto& r : all_records()) {
    ASSERT_THAT(problems_of(r), IsEmpty()) << r.id;
    for (const bool agreed : {false, true}) {
      auto c = certificate_of(r);
      c.head.recalibration_agreed = agreed;
      const auto xml = to_dcc(c);
      const auto findings = check_dcc(xml);
      ASSERT_TRUE(findings.ok()) << findings.error().message;
      for (const auto& f : *findings) ADD_FAILURE() << r.id << ": " << f.rule << " " << f.where << ": " << f.text;
      if (!can) continue;
      const auto file = path + "/" + r.id + ".xml";
      std::ofstream(file) << xml;
      const auto command =
          "xmllint --nonet --noout --schema '" + *schema + "' '" + file + "' >'" + path + "/log' 2>&1";
      EXPECT_EQ(std::system(command.c_str()), 0) << daq::read_text_file(path + "/log").value();
    }
  }
  if (!can) GTEST_SKIP() << "no schema or no xmllint: only our own rules were looked at";
}

TEST(CertificateTest, OurOwnDccImportsWithEveryNumber) {
  const auto r = force_record();
  const auto dcc = import_dcc(to_dcc(certificate_of(r)));
  ASSERT_TRUE(dcc.ok()) << dcc.error().message;
  EXPECT_EQ(dcc->id, r.id);
  EXPECT_EQ(dcc->instrument.serial, "FT12345");
  EXPECT_EQ(dcc->laboratory, "Example Laboratory for Tactile Instruments");
  const auto found = std::find_if(dcc->quantities.begin(), dcc->quantities.end(),
                                  [](const auto& q) { return q.ref_type == "basic_calibrationValue"; });
  ASSERT_NE(found, dcc->quantities.end());
  EXPECT_EQ(found->unit, "N");
  EXPECT_EQ(found->values, (std::vector<double>{0.5, 10, 25}));
  EXPECT_EQ(found->standard, (std::vector<double>{0.01, 0.015, 0.025}));
  const auto coefficient = std::find_if(dcc->quantities.begin(), dcc->quantities.end(),
                                        [](const auto& q) { return q.name.starts_with("c1"); });
  ASSERT_NE(coefficient, dcc->quantities.end());
  EXPECT_EQ(coefficient->values.front(), 1.02e-6) << "to the bit";
  EXPECT_DOUBLE_EQ(coefficient->standard.front(), 1e-9);
  auto reference = reference_of(*dcc, "x.xml", std::string(64, 'd'), "0.1.0");
  reference.number = 1;
  reference.previous = kNoRecordBefore;
  reference.created = day("2026-11-29");
  EXPECT_THAT(problems_of(reference), IsEmpty());
}

TEST(CertificateTest, WhatIso17025WantsIsAskedForByClause) {
  EXPECT_THAT(omissions_of(certificate_of(force_record())), IsEmpty());
  struct Case {
    std::function<void(Certificate&)> spoil;
    const char* clause;
  };
  const Case cases[] = {
      {[](Certificate& c) { c.record.kind = RecordKind::kReference; }, "7.8.1"},
      {[](Certificate& c) { c.head.laboratory.city = ""; }, "7.8.2.1 b"},
      {[](Certificate& c) { c.head.location = "moon"; }, "7.8.2.1 c"},
      {[](Certificate& c) { c.record.id = ""; }, "7.8.2.1 d"},
      {[](Certificate& c) { c.head.customer.name = ""; }, "7.8.2.1 e"},
      {[](Certificate& c) { c.record.procedure = ""; }, "7.8.2.1 f"},
      {[](Certificate& c) { c.record.instrument.model = ""; }, "7.8.2.1 g"},
      {[](Certificate& c) { c.head.item_condition = ""; }, "7.8.2.1 g"},
      {[](Certificate& c) { c.record.performed_from = {}; }, "7.8.2.1 i"},
      {[](Certificate& c) { c.record.issued = {}; }, "7.8.2.1 j"},
      {[](Certificate& c) { c.record.quantities[0].unit = ""; }, "7.8.2.1 m"},
      {[](Certificate& c) { c.head.authorised_by = ""; }, "7.8.2.1 o"},
      {[](Certificate& c) { c.record.quantities[0].uncertainty.clear(); }, "7.8.4.1 a"},
      {[](Certificate& c) { c.record.conditions.temperature_C.reset(); }, "7.8.4.1 b"},
      {[](Certificate& c) { c.record.traceability.clear(); }, "7.8.4.1 c"},
      {[](Certificate& c) { c.record.traceability[0].certificate = ""; }, "7.8.4.1 c"},
      {[](Certificate& c) { c.record.adjustment = ""; }, "7.8.4.1 d"},
      {[](Certificate& c) { c.record.classification.decision_rule = ""; }, "7.8.6.1"},
      {[](Certificate& c) { c.record.classification.standard = ""; }, "7.8.6.2"},
  };
  for (const auto& c : cases) {
    auto certificate = certificate_of(force_record());
    c.spoil(certificate);
    const auto omissions = omissions_of(certificate);
    ASSERT_EQ(omissions.size(), 1U) << c.clause;
    EXPECT_EQ(omissions.front().clause, c.clause);
  }
}

TEST(CertificateTest, TheRecalibrationDateStandsThereOnlyWhenAgreed) {
  auto c = certificate_of(force_record());
  for (const auto& text : {to_html(c), to_dcc(c)}) EXPECT_THAT(text, Not(HasSubstr("2028-01-02")));
  c.head.recalibration_agreed = true;
  for (const auto& text : {to_html(c), to_dcc(c)}) EXPECT_THAT(text, HasSubstr("2028-01-02"));
}

TEST(CertificateTest, HtmlSaysItAllAndRunsNothing) {
  const auto c = certificate_of(all_records()[1]);
  const auto html = to_html(c);
  for (const char* words :
       {"Calibration certificate", "HOSTILE-1", "End of certificate HOSTILE-1", "&lt;script&gt;",
        "A &amp; B &lt;GmbH&gt;", "replaces certificate OLD-1", "after adjustment", "method based on ISO 376:2011",
        "D-K-15192-0042", "simple acceptance", "Uncertainty budget", "<svg", "relate only to the item"}) {
    EXPECT_THAT(html, HasSubstr(words));
  }
  EXPECT_THAT(html, HasSubstr(c.record_hash));
  for (const char* never : {"<script", "http://www.w3.org/1999", "src=", "@import", "url("})
    EXPECT_THAT(html, Not(HasSubstr(never)));
  const auto json = daq::parse_json(to_certificate_json(c));
  EXPECT_EQ(json["certificate"], "HOSTILE-1");
  EXPECT_EQ(json["record"]["hash"], c.record_hash);
}

TEST(CertificateTest, EveryResultHasItsOwnUnitFactorAndBudget) {
  const auto r = several_results();
  ASSERT_THAT(problems_of(r), IsEmpty());
  const auto budgets = budgets_of(r);
  ASSERT_EQ(budgets.size(), 3U);
  EXPECT_EQ(budgets[1].title, "natural frequency, mode 1");
  EXPECT_EQ(budgets[1].unit, "Hz");
  ASSERT_EQ(budgets[1].shares.size(), 2U);
  EXPECT_EQ(budgets[1].shares[0].line.name, "scatter");
  EXPECT_EQ(budgets[2].title, "damping ratio, mode 1 damping") << "the longest channel that fits";

  const auto html = to_html(certificate_of(r));
  EXPECT_THAT(html, HasSubstr("<td>mass</td><td>0.04408</td><td>0.00032</td><td class=\"words\">kg</td><td>2.00</td>"));
  EXPECT_THAT(html, HasSubstr("<td>393.130</td><td>0.090</td><td class=\"words\">Hz</td><td>2.25</td>"));
  EXPECT_THAT(html, HasSubstr("<td><b>0.00020</b></td>")) << "of the mass alone: 1.2 and 1.6 make 2.0";
  EXPECT_THAT(html, HasSubstr("<td><b>0.050</b></td>"));
  EXPECT_THAT(html, HasSubstr("a coverage factor k that stands beside each"));

  const auto dcc = import_dcc(to_dcc(certificate_of(r)));
  ASSERT_TRUE(dcc.ok()) << dcc.error().message;
  const auto find = [&](const std::string& name, std::size_t values) {
    return *std::find_if(dcc->quantities.begin(), dcc->quantities.end(),
                         [&](const auto& q) { return q.name.starts_with(name) && q.standard.size() == values; });
  };
  EXPECT_DOUBLE_EQ(find("natural frequency, mode 1 with", 1).standard.front(), 0.04)
      << "0.09 by its own factor of 2.25";
  EXPECT_DOUBLE_EQ(find("mass with", 1).standard.front(), 0.00016);
  for (const auto& [name, unit] : {std::pair{"mode 1", "Hz"}, {"mass", "kg"}, {"scatter", "Hz"}, {"model", "1"}}) {
    EXPECT_EQ(find(name, 0).unit, unit) << name;
  }
}

TEST(CertificateTest, RelativeBudgetsAndFiguresInPercentStaySo) {
  auto r = force_record("VER-1");
  r.quantities.front().channel = "az";
  r.budget = {{"az: reference", "normal", 0.25, "%", 1, 0}, {"az: drift", "rectangular", 0.06, "%", 1, 0}};
  EXPECT_EQ(budgets_of(r).front().unit, "%");
  r.fit = {};
  r.fit.kind = FitKind::kConstants;
  r.fit.names = {"q in %, largest", "f0 in %"};
  r.fit.coefficients = {0.2, 0.1};
  EXPECT_EQ(unit_of_constant(r, 1), "%");
  const auto dcc = import_dcc(to_dcc(certificate_of(r)));
  ASSERT_TRUE(dcc.ok()) << dcc.error().message;
  std::vector<double> seen;
  for (const auto& q : dcc->quantities) {
    if (q.name == "reference (normal)" || q.name == "f0 in %") seen.push_back(q.values.front());
  }
  EXPECT_THAT(seen, testing::UnorderedElementsAre(testing::DoubleEq(0.0025), testing::DoubleEq(0.001)))
      << "of 1, not of newtons";
}

TEST(CertificateTest, DigitsThatCanBeRead) {
  EXPECT_EQ(rounded(20.002979, 0.0397), "20.003");
  EXPECT_EQ(rounded(119976.6, 3102), "120000");
  EXPECT_EQ(rounded(-3, std::nan("")), "-3");
  EXPECT_EQ(two_digits(1551), "1600");
  EXPECT_EQ(two_digits(4.5e-6), "4.5e-06");
  DataTable map{"error_map_x", {"command", "rising", "falling"}, {"m", "m", "m"}, {}};
  for (int i = 0; i < 200; ++i) map.rows.push_back({i * 1e-3, i * 1e-8, -2e-5});
  const auto html = table_html(map);
  EXPECT_THAT(html, HasSubstr("Error map, axis x"));
  EXPECT_THAT(html, HasSubstr("One row of 5 is printed. All 200 are in the JSON and the DCC"));
  EXPECT_THAT(html, HasSubstr("<td>199.000</td><td>1.990</td><td>-20.000</td>")) << "the last row, in mm and um";
  EXPECT_THAT(html, HasSubstr("<svg"));
}

TEST(CertificateTest, AHeadThatIsWrongIsRefusedWithItsLine) {
  auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/docs/examples/laboratory.toml").value();
  const auto words = [&](const std::string& from, const std::string& to) {
    auto spoilt = text;
    spoilt.replace(spoilt.find(from), from.size(), to);
    const auto h = parse_certificate_head(spoilt, "lab.toml");
    return h.ok() ? std::string("accepted") : h.error().message;
  };
  EXPECT_THAT(words("country_code = \"DE\"", "country_code = \"Germany\""), HasSubstr("two capital letters"));
  EXPECT_THAT(words("location = \"laboratory\"", "location = \"moon\""), HasSubstr("'location' is laboratory"));
  EXPECT_THAT(words("authorised_by", "authorized_by"), HasSubstr("authorised_by"));
}

TEST(SignatureTest, OneFlippedByteAnywhereFails) {
  const auto keys = make_signing_keys().value();
  const std::string bytes = to_dcc(certificate_of(force_record()));
  const auto signature = sign(bytes, keys.secret).value();
  EXPECT_EQ(verify_signature(bytes, signature, keys.public_key).value(), keys.public_key);
  EXPECT_EQ(verify_signature(bytes, signature, "").value(), keys.public_key);
  for (std::size_t i = 0; i < bytes.size(); i += 61) {
    auto flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_FALSE(verify_signature(flipped, signature, "").ok()) << i;
  }
  for (std::size_t i = 0; i < signature.size(); ++i) {
    for (const int bit : {0, 1, 5, 7}) {
      auto flipped = signature;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      EXPECT_FALSE(verify_signature(bytes, flipped, "").ok()) << "byte " << i << " of the signature";
    }
  }
  EXPECT_FALSE(verify_signature(bytes, signature + "\n", "").ok());
  EXPECT_FALSE(verify_signature(bytes + " ", signature, "").ok());
  const auto other = make_signing_keys().value();
  EXPECT_THAT(verify_signature(bytes, sign(bytes, other.secret).value(), keys.public_key).error().message,
              HasSubstr("another key"));
  EXPECT_FALSE(verify_signature(bytes, signature, "rubbish").ok());
  EXPECT_FALSE(sign(bytes, "rubbish").ok());
}

TEST(DsiUnitTest, ThereAndBack) {
  EXPECT_EQ(dsi_unit("1 1 "), "\\one") << "found by the fuzzer";
  const std::pair<const char*, const char*> table[] = {{"N", "\\newton"},
                                                       {"1", "\\one"},
                                                       {"", "\\one"},
                                                       {"m/s2", "\\metre\\per\\second\\tothe{2}"},
                                                       {"mV", "\\milli\\volt"},
                                                       {"N m", "\\newton\\metre"},
                                                       {"um", "\\micro\\metre"},
                                                       {"kg", "\\kilogram"},
                                                       {"1/K", "\\per\\kelvin"},
                                                       {"furlong", "|furlong"}};
  for (const auto& [symbol, unit] : table) EXPECT_EQ(dsi_unit(symbol), unit) << symbol;
  struct Case {
    const char* text;
    const char* symbol;
    double factor;
  };
  const Case cases[] = {{"\\kilo\\newton", "N", 1e3},
                        {"\\milli\\volt\\per\\volt", "V/V", 1e-3},
                        {"\\metre\\per\\second\\tothe{2}", "m/s2", 1},
                        {"\\milli\\metre\\tothe{2}", "m2", 1e-6},
                        {"\\gram", "kg", 1e-3},
                        {"\\kilo\\gram", "kg", 1},
                        {"\\kilogram", "kg", 1},
                        {"\\per\\kelvin", "1/K", 1},
                        {"\\second\\tothe{-1}", "1/s", 1},
                        {"\\percent", "1", 1e-2},
                        {"\\one", "1", 1},
                        {"\\degreecelsius", "degC", 1}};
  for (const auto& c : cases) {
    const auto read = read_dsi_unit(c.text);
    ASSERT_TRUE(read.has_value()) << c.text;
    EXPECT_EQ(read->symbol, c.symbol) << c.text;
    EXPECT_DOUBLE_EQ(read->factor, c.factor) << c.text;
  }
  for (const char* none : {"", "N", "\\", "\\kilo", "\\per", "\\newton\\per", "\\foo", "\\metre\\tothe{2",
                           "\\metre\\tothe{x}", "\\metre\\tothe{0}", "|foo"}) {
    EXPECT_FALSE(read_dsi_unit(none).has_value()) << none;
  }
  EXPECT_EQ(dsi_plain(2), "2");
  EXPECT_EQ(dsi_plain(0.95), "0.95");
  EXPECT_EQ(dsi_plain(2.13), "2.13");
}

}  // namespace
}  // namespace strigil::calibration
