#include "calibration/certificate/dcc_import.hpp"

#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <set>

#include "daq/strict_toml.hpp"
#include "record_fixture.hpp"
#include "reference_data.hpp"

namespace strigil::calibration {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// A small certificate with `quantities` in its one result.
std::string dcc(const std::string& quantities, const std::string& version = "3.3.0") {
  return R"(<?xml version="1.0" encoding="UTF-8"?>
<digitalCalibrationCertificate xmlns="https://ptb.de/dcc" xmlns:s="https://ptb.de/si" schemaVersion=")" +
         version + R"(">
<administrativeData><dccSoftware><software><name><content lang="en">x</content></name><release>v1</release></software></dccSoftware>
<coreData><countryCodeISO3166_1>DE</countryCodeISO3166_1><usedLangCodeISO639_1>en</usedLangCodeISO639_1>
<mandatoryLangCodeISO639_1>en</mandatoryLangCodeISO639_1><uniqueIdentifier>C 17/3</uniqueIdentifier>
<beginPerformanceDate>2025-01-02</beginPerformanceDate><endPerformanceDate>2025-01-03</endPerformanceDate></coreData>
<items><item><name><content lang="de">Kraftaufnehmer</content><content lang="en">Force transducer</content></name><model>U10</model>
<identifications><identification><issuer>customer</issuer><value>inv-9</value></identification>
<identification><issuer>manufacturer</issuer><value>S-1</value></identification></identifications></item></items>
<calibrationLaboratory><contact><name><content>Lab</content></name></contact></calibrationLaboratory></administrativeData>
<measurementResults><measurementResult><usedMethods><usedMethod><name><content lang="en">ISO 376</content></name></usedMethod></usedMethods>
<influenceConditions/><results><result><name><content lang="en">Force</content></name><data>)" +
         quantities +
         R"(</data></result></results></measurementResult></measurementResults></digitalCalibrationCertificate>)";
}

DccQuantity first(const std::string& inside) {
  const auto read = import_dcc(dcc("<quantity>" + inside + "</quantity>"));
  EXPECT_TRUE(read.ok()) << read.error().message;
  return read.ok() ? read->quantities.at(0) : DccQuantity{};
}

std::string words(const std::string& inside) {
  const auto read = import_dcc(dcc("<quantity>" + inside + "</quantity>"));
  return read.ok() ? "accepted" : read.error().message;
}

const std::string kNewton = "<s:unit>\\newton</s:unit>";

TEST(DccImportTest, EveryFormOfAnUncertainty) {
  const std::pair<std::string, double> forms[] = {
      {"<s:measurementUncertaintyUnivariate><s:standardMU><s:valueStandardMU>0.5</s:valueStandardMU></s:standardMU></"
       "s:measurementUncertaintyUnivariate>",
       .5},
      {"<s:measurementUncertaintyUnivariate><s:expandedMU><s:valueExpandedMU>0.5</"
       "s:valueExpandedMU><s:coverageFactor>2</s:coverageFactor><s:coverageProbability>0.95</s:coverageProbability></"
       "s:expandedMU></s:measurementUncertaintyUnivariate>",
       .25},
      {"<s:measurementUncertaintyUnivariate><s:coverageIntervalMU><s:valueStandardMU>0.3</"
       "s:valueStandardMU><s:intervalMin>1</s:intervalMin><s:intervalMax>2</s:intervalMax><s:coverageProbability>0.95</"
       "s:coverageProbability></s:coverageIntervalMU></s:measurementUncertaintyUnivariate>",
       .3},
      {"<s:expandedUnc><s:uncertainty>0.5</s:uncertainty><s:coverageFactor>2.5</"
       "s:coverageFactor><s:coverageProbability>0.95</s:coverageProbability></s:expandedUnc>",
       .2},
      {"<s:coverageInterval><s:standardUnc>0.1</s:standardUnc><s:intervalMin>1</s:intervalMin><s:intervalMax>2</"
       "s:intervalMax><s:coverageProbability>0.95</s:coverageProbability></s:coverageInterval>",
       .1},
  };
  for (const auto& [form, u] : forms) {
    const auto q = first("<s:real><s:value>2e3</s:value><s:unit>\\milli\\newton</s:unit>" + form + "</s:real>");
    EXPECT_EQ(q.unit, "N");
    EXPECT_DOUBLE_EQ(q.values.at(0), 2);
    EXPECT_DOUBLE_EQ(q.standard.at(0), u * 1e-3) << form;
    EXPECT_EQ(q.name, "Force");
  }
}

TEST(DccImportTest, Lists) {
  auto q = first(
      "<s:realListXMLList><s:valueXMLList>1 2.5 +3E0</s:valueXMLList><s:unitXMLList>\\newton</s:unitXMLList>"
      "<s:measurementUncertaintyUnivariateXMLList><s:expandedMUXMLList><s:valueExpandedMUXMLList>0.2 0.4 "
      "0.6</s:valueExpandedMUXMLList>"
      "<s:coverageFactorXMLList>2</s:coverageFactorXMLList><s:coverageProbabilityXMLList>0.95</"
      "s:coverageProbabilityXMLList>"
      "</s:expandedMUXMLList></s:measurementUncertaintyUnivariateXMLList></s:realListXMLList>");
  EXPECT_EQ(q.values, (std::vector<double>{1, 2.5, 3}));
  EXPECT_THAT(q.standard, testing::ElementsAre(testing::DoubleEq(.1), testing::DoubleEq(.2), testing::DoubleEq(.3)));
  // D-SI 1.3: a list of reals
  q = first("<s:list><s:real><s:value>1</s:value>" + kNewton +
            "<s:expandedUnc><s:uncertainty>0.2</s:uncertainty><s:coverageFactor>2</s:coverageFactor>"
            "<s:coverageProbability>0.95</s:coverageProbability></s:expandedUnc></s:real><s:real><s:value>2</s:value>" +
            kNewton +
            "<s:expandedUnc><s:uncertainty>0.4</s:uncertainty><s:coverageFactor>2</"
            "s:coverageFactor><s:coverageProbability>0.95</s:coverageProbability>"
            "</s:expandedUnc></s:real></s:list>");
  EXPECT_EQ(q.values, (std::vector<double>{1, 2}));
  EXPECT_EQ(q.standard, (std::vector<double>{.1, .2}));
  // D-SI 2: a list of realLists, with one unit and one uncertainty for all
  q = first(
      "<s:list><s:realList><s:listUnit>\\kilo\\newton</"
      "s:listUnit><s:listMeasurementUncertaintyUnivariate><s:standardMU>"
      "<s:valueStandardMU>0.01</s:valueStandardMU></s:standardMU></s:listMeasurementUncertaintyUnivariate>"
      "<s:real><s:value>1</s:value></s:real><s:real><s:value>2</s:value></s:real></s:realList></s:list>");
  EXPECT_EQ(q.values, (std::vector<double>{1000, 2000}));
  EXPECT_EQ(q.standard, (std::vector<double>{10, 10}));
  // In a hybrid the unit that is known here counts.
  const std::string u =
      "<s:expandedUnc><s:uncertainty>1</s:uncertainty><s:coverageFactor>2</"
      "s:coverageFactor><s:coverageProbability>0.95</s:coverageProbability></s:expandedUnc>";
  q = first("<s:hybrid><s:real><s:value>2.2</s:value><s:unit>|lbf</s:unit>" + u +
            "</s:real><s:real><s:value>9.8</s:value>" + kNewton + u + "</s:real></s:hybrid>");
  EXPECT_EQ(q.unit, "N");
  EXPECT_EQ(q.values.at(0), 9.8);
}

/// A list as most laboratories write one; without `u` it has no uncertainty.
std::string column(const std::string& name, const std::string& values, const std::string& unit,
                   const std::string& u = "", const std::string& after = "") {
  auto list =
      "<s:realListXMLList><s:valueXMLList>" + values + "</s:valueXMLList><s:unitXMLList>" + unit + "</s:unitXMLList>";
  if (!u.empty()) {
    list +=
        "<s:measurementUncertaintyUnivariateXMLList><s:expandedMUXMLList><s:valueExpandedMUXMLList>" + u +
        "</s:valueExpandedMUXMLList><s:coverageFactorXMLList>2</s:coverageFactorXMLList><s:coverageProbabilityXMLList>"
        "0.95</s:coverageProbabilityXMLList></s:expandedMUXMLList></s:measurementUncertaintyUnivariateXMLList>";
  }
  return "<quantity><name><content lang=\"de\">auf deutsch</content><content lang=\"en\">" + name +
         "</content></name>" + list + "</s:realListXMLList>" + after + "</quantity>";
}

/// What imports of such certificates: "name [unit] values; ..." with standard uncertainties, or why not.
std::string told(const std::string& quantities) {
  const auto read = import_dcc(dcc("<list>" + quantities + "</list>"));
  if (!read) return read.error().message;
  std::string out;
  for (const auto& q : read->quantities) {
    out += fmt::format("{} [{}] {:.6g}", q.name, q.unit, fmt::join(q.values, " "));
    out += q.standard.empty() ? "; " : fmt::format(" u {:.6g}; ", fmt::join(q.standard, " "));
  }
  for (const auto& p : read->passed_over) out += "not read: " + p + "; ";
  return out;
}

/// In the style of the good-practice examples, by the schema.
TEST(DccImportTest, CertificatesOfOtherKindsOfLaboratory) {
  const std::string old_u =
      "<s:expandedUncXMLList><s:uncertaintyXMLList>0.061</s:uncertaintyXMLList><s:coverageFactorXMLList>2</"
      "s:coverageFactorXMLList><s:coverageProbabilityXMLList>0.95</s:coverageProbabilityXMLList></"
      "s:expandedUncXMLList>";
  const auto kelvin = [&](const std::string& unit, const std::string& values, const std::string& u) {
    return "<s:realListXMLList><s:valueXMLList>" + values + "</s:valueXMLList><s:unitXMLList>" + unit +
           "</s:unitXMLList>" + u + "</s:realListXMLList>";
  };
  // Temperature: kelvin and degrees beside each other; what has the uncertainty counts, whichever stands first.
  EXPECT_EQ(
      told("<quantity><name><content>Error</content></name><s:hybrid>" + kelvin("\\degreecelsius", "0.07 0.09", old_u) +
           kelvin("\\kelvin", "0.07 0.09", "") + "</s:hybrid></quantity>"),
      "Error [degC] 0.07 0.09 u 0.0305 0.0305; ");
  EXPECT_EQ(
      told(column("Reference", "306.248 373.121", "\\kelvin") + column("Error", "0.07 0.09", "\\kelvin", "0.061")),
      "Reference [K] 306.248 373.121; Error [K] 0.07 0.09 u 0.0305 0.0305; ");
  // Mass: marks are no numbers, and are told; milligrams become kilograms.
  EXPECT_EQ(
      told("<quantity><name><content>Marks</content></name><charsXMLList>none dot dot</charsXMLList></quantity>" +
           column("Nominal", "1 2 2", "\\kilogram") + column("Deviation", "1.2 2 -0.5", "\\milli\\gram", "1 3 3")),
      "Nominal [kg] 1 2 2; Deviation [kg] 1.2e-06 2e-06 -5e-07 u 5e-07 1.5e-06 1.5e-06; "
      "not read: /measurementResults/measurementResult/results/result/data/list/quantity ('Marks'): no real numbers "
      "in it; ");
  // Force transducer: kilonewtons, mV/V, a relative uncertainty beside the absolute one.
  const auto relative = [](const std::string& values) {
    return "<relativeUncertainty><relativeUncertaintyXmlList><s:valueXMLList>" + values +
           "</s:valueXMLList><s:unitXMLList>\\percent</s:unitXMLList></relativeUncertaintyXmlList></"
           "relativeUncertainty>";
  };
  EXPECT_EQ(told(column("Force", "0.01 0.02", "\\kilo\\newton") +
                 column("Deflection", "0.2 0.4", "\\milli\\volt\\per\\volt", "0.0002 0.0004", relative("0.1 0.1"))),
            "Force [N] 10 20; Deflection [V/V] 0.0002 0.0004 u 1e-07 2e-07; ");
  EXPECT_THAT(told(column("Deflection", "0.2 0.4", "\\milli\\volt\\per\\volt", "", relative("0.1 0.1"))),
              AllOf(HasSubstr("nothing can be traceable to it"),
                    HasSubstr("relative uncertainty of 'Deflection' stands alone")));
  // Accelerometer: sensitivity and phase over frequency; what is complex is told and left out.
  EXPECT_EQ(
      told(column("Frequency", "20 160", "\\hertz") +
           column("Sensitivity", "10.01 10", "\\milli\\volt\\second\\tothe{2}\\per\\metre", "0.1 0.05") +
           column("Phase", "180 -90", "\\degree", "0.5") +
           "<quantity><name><content>S</content></name><s:complexListXMLList><s:valueMagnitudeXMLList>1</"
           "s:valueMagnitudeXMLList></s:complexListXMLList></quantity>"),
      "Frequency [Hz] 20 160; Sensitivity [V s2/m] 0.01001 0.01 u 5e-05 2.5e-05; Phase [rad] 3.14159 -1.5708 u "
      "0.00436332 0.00436332; not read: /measurementResults/measurementResult/results/result/data/list/quantity ('S'): "
      "no real numbers in it; ");
  // Units of one's own, and those that stand beside SI.
  EXPECT_EQ(told(column("Hardness", "62", "|HRC", "0.3")), "Hardness [|HRC] 62 u 0.15; ");
  EXPECT_EQ(told(column("Pressure", "1.013", "\\milli\\bar", "0.002")), "Pressure [Pa] 101.3 u 0.1; ");
  EXPECT_EQ(told(column("Angle", "60", "\\arcminute", "120")), "Angle [rad] 0.0174533 u 0.0174533; ");
}

TEST(DccImportTest, UnitsThatAreMissing) {
  EXPECT_THAT(words("<s:real><s:value>1</s:value></s:real>"), HasSubstr("/quantity/real: it has no unit"));
  EXPECT_THAT(words("<s:real><s:value>1</s:value><s:unit> </s:unit></s:real>"), HasSubstr("it has no unit"));
  EXPECT_THAT(words("<s:realListXMLList><s:valueXMLList>1 2</s:valueXMLList></s:realListXMLList>"),
              HasSubstr("/realListXMLList: it has no unit"));
  EXPECT_THAT(told(column("F", "1 2 3", "\\newton \\newton", "0.1")), HasSubstr("2 units for 3 values"));
  EXPECT_THAT(told(column("F", "1 2", "\\newton \\kelvin", "0.1")), HasSubstr("'N' and 'K' in one list"));
  EXPECT_THAT(told(column("Ratio", "1 2", "\\one", "0.1")), "Ratio [1] 1 2 u 0.05 0.05; ");
}

TEST(DccImportTest, WhatCannotBeUsedIsRefusedWithThePlace) {
  const auto real = [](const std::string& value, const std::string& k, const std::string& u) {
    return "<s:real><s:value>" + value + "</s:value>" + kNewton + "<s:expandedUnc><s:uncertainty>" + u +
           "</s:uncertainty><s:coverageFactor>" + k +
           "</s:coverageFactor><s:coverageProbability>0.95</s:coverageProbability></s:expandedUnc></s:real>";
  };
  EXPECT_EQ(words(real("1", "2", "0.1")), "accepted");
  EXPECT_THAT(words(real("1,5", "2", "0.1")),
              AllOf(HasSubstr("/measurementResults/"), HasSubstr("'1,5' is no number")));
  EXPECT_THAT(words(real("1e999", "2", "0.1")), HasSubstr("is no number"));
  EXPECT_THAT(words(real("inf", "2", "0.1")), HasSubstr("is no number"));
  EXPECT_THAT(words(real("1", "0.5", "0.1")), HasSubstr("coverage factor of 0.5"));
  EXPECT_THAT(words(real("1", "2", "-0.1")), HasSubstr("below 0"));
  EXPECT_THAT(words(real("NaN", "2", "0.1")), HasSubstr("no numbers that can be read"));
  EXPECT_THAT(words("<s:real><s:value>1</s:value>" + kNewton + "</s:real>"), HasSubstr("nothing can be traceable"));
  EXPECT_THAT(words("<noQuantity><content>see the drawing</content></noQuantity>"), HasSubstr("no numbers"));
  EXPECT_THAT(
      words("<s:realListXMLList><s:valueXMLList>1 2 "
            "3</s:valueXMLList><s:unitXMLList>\\newton</s:unitXMLList><s:expandedUncXMLList>"
            "<s:uncertaintyXMLList>0.1 0.2</s:uncertaintyXMLList><s:coverageFactorXMLList>2</s:coverageFactorXMLList>"
            "</s:expandedUncXMLList></s:realListXMLList>"),
      HasSubstr("2 numbers for 3 values"));
  const auto good = dcc("<quantity>" + real("1", "2", "0.1") + "</quantity>");
  const auto without = [&](const std::string& from, const std::string& to) {
    auto spoilt = good;
    const auto at = spoilt.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    spoilt.replace(at, from.size(), to);
    const auto read = import_dcc(spoilt);
    return read.ok() ? std::string("accepted") : read.error().message;
  };
  EXPECT_THAT(without("3.3.0", "4.0.0"), HasSubstr("its schema version is '4.0.0'"));
  EXPECT_EQ(without("3.3.0", "2.4.0"), "accepted");
  EXPECT_THAT(without("C 17/3", " "), HasSubstr("no uniqueIdentifier"));
  EXPECT_THAT(without("2025-01-03", "2025-01-01"), HasSubstr("ended before it began"));
  EXPECT_THAT(without("2025-01-02", "2025-13-02"), HasSubstr("beginPerformanceDate"));
  EXPECT_THAT(without("<content>Lab</content>", ""), HasSubstr("calibration laboratory"));
  EXPECT_THAT(without("https://ptb.de/dcc", "https://example.org/dcc"), HasSubstr("its root is"));
  EXPECT_THAT(without("https://ptb.de/si", "https://example.org/si"), HasSubstr("no numbers that can be read"));
}

TEST(DccImportTest, HostileXml) {
  const auto why = [](const std::string& xml) {
    const auto read = import_dcc(xml);
    return read.ok() ? std::string("accepted") : read.error().message;
  };
  EXPECT_THAT(why(""), HasSubstr("not well-formed"));
  EXPECT_THAT(why("{}"), HasSubstr("not well-formed"));
  EXPECT_THAT(why("<a/>"), HasSubstr("its root is 'a'"));
  EXPECT_THAT(why("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" + dcc("<quantity/>").substr(38)),
              HasSubstr("DOCTYPE"));
  EXPECT_THAT(why(std::string(kLongestDcc + 1, ' ')), HasSubstr("longer than"));
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<list>";
  EXPECT_THAT(why(dcc(deep).substr(0, 2000) + deep), HasSubstr("not well-formed"));
  std::string closed;
  for (int i = 0; i < 100'000; ++i) closed += "</list>";
  EXPECT_THAT(why(dcc(deep + closed)), HasSubstr("nested deeper than 100"));
  auto bytes = dcc("<quantity/>");
  bytes.replace(bytes.find("Kraft"), 5, "\xff\xfe\xff\xfe\xff");
  EXPECT_THAT(why(bytes), HasSubstr("UTF-8"));
  auto entity = dcc("<quantity/>");
  entity.replace(entity.find("Kraft"), 5, "&nope;");
  EXPECT_THAT(why(entity), HasSubstr("refers to '&nope;'"));
  entity.replace(entity.find("&nope;"), 6, "<!-- &nope; -->&amp;&#65;");
  EXPECT_THAT(why(entity), testing::Not(HasSubstr("refers to")));
  // Ten entities, each ten times the one before: with or without a name that is used.
  std::string bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">";
  for (char c = 'b'; c <= 'j'; ++c) {
    bomb += fmt::format("<!ENTITY {} \"", c);
    for (int i = 0; i < 10; ++i) bomb += fmt::format("&{};", static_cast<char>(c - 1));
    bomb += "\">";
  }
  auto blown = dcc("<quantity/>").substr(38);
  EXPECT_THAT(why(bomb + "]>" + blown), HasSubstr("DOCTYPE"));
  blown.replace(blown.find("Kraft"), 5, "&j;");
  EXPECT_THAT(why(bomb + "]>" + blown), HasSubstr("DOCTYPE"));
  EXPECT_THAT(why(blown), HasSubstr("refers to '&j;'"));
  // As editors under Windows save it.
  const auto small = dcc("<quantity/>");
  for (const bool big : {false, true}) {
    std::string wide = big ? "\xfe\xff" : "\xff\xfe";
    for (const char c : small) wide += big ? std::string{'\0', c} : std::string{c, '\0'};
    EXPECT_THAT(why(wide), HasSubstr("UTF-16"));
    EXPECT_THAT(why(wide.substr(2)), HasSubstr("UTF-16")) << "without its mark";
  }
  EXPECT_EQ(why("\xef\xbb\xbf" + small), why(small)) << "the mark of UTF-8 is none";
  auto latin = small;
  latin.replace(latin.find("UTF-8"), 5, "ISO-8859-1").replace(latin.find("Kraft"), 1, "\xc4");
  EXPECT_THAT(why(latin), HasSubstr("UTF-8"));
  std::string many = "<quantity><s:realListXMLList><s:valueXMLList>";
  for (std::size_t i = 0; i <= kMostDccNumbers; ++i) many += "1 ";
  many += "</s:valueXMLList><s:unitXMLList>\\newton</s:unitXMLList></s:realListXMLList></quantity>";
  EXPECT_THAT(why(dcc(many)), HasSubstr("a list of more than 100000 numbers"));
}

TEST(DccImportTest, TheExamplesOfTheReferenceData) {
  const auto folder = reference_data("dcc");
  if (!folder) GTEST_SKIP() << "no reference data";
  const auto text = [&](const std::string& name) {
    return daq::read_text_file(*folder + "/" + name, kLongestDcc).value();
  };
  const auto valid = import_dcc(text("valid.xml"));
  ASSERT_TRUE(valid.ok()) << valid.error().message;
  EXPECT_EQ(valid->id, "1234");
  EXPECT_EQ(valid->laboratory, "Kalibrierfirma GmbH");
  EXPECT_EQ(valid->instrument.serial, "string-manufacturer-item");
  EXPECT_EQ(date_of(*valid->recalibrate_by), "1959-10-22");
  ASSERT_EQ(valid->quantities.size(), 3U);
  EXPECT_EQ(valid->quantities[0].unit, "K");
  EXPECT_EQ(valid->quantities[0].values, (std::vector<double>{306.248, 373.121, 448.253, 523.319, 593.154}));
  EXPECT_EQ(valid->quantities[2].standard, std::vector<double>(5, 0.0305));
  for (const auto& f : valid->findings) EXPECT_FALSE(f.error) << f.rule << " " << f.where << " " << f.text;
  const auto schematron = import_dcc(text("invalid_schematron.xml"));
  ASSERT_TRUE(schematron.ok()) << schematron.error().message;
  EXPECT_THAT(schematron->findings, testing::Contains(testing::Field(&DccFinding::rule, "languages")));
  EXPECT_THAT(import_dcc(text("invalid_schema.xml")).error().message, HasSubstr("no uniqueIdentifier"));
  EXPECT_THAT(import_dcc(text("invalid_syntax.xml")).error().message, HasSubstr("not well-formed"));
}

TEST(DccCheckTest, EachRuleByWhatBreaksIt) {
  const std::string body =
      "<list><quantity id=\"q1\" refId=\"q1\"><name><content "
      "lang=\"en\">F</content></name><s:realListXMLList><s:valueXMLList>1 2</s:valueXMLList>"
      "<s:unitXMLList>\\newton</s:unitXMLList><s:expandedUncXMLList><s:uncertaintyXMLList>0.1</s:uncertaintyXMLList>"
      "<s:coverageFactorXMLList>2</s:coverageFactorXMLList><s:coverageProbabilityXMLList>0.95</"
      "s:coverageProbabilityXMLList>"
      "</s:expandedUncXMLList></s:realListXMLList></quantity></list>";
  auto good = dcc(body);
  // What the little certificate above leaves out on purpose.
  const auto repair = [&](const std::string& from, const std::string& to) {
    good.replace(good.find(from), from.size(), to);
  };
  repair("<content lang=\"de\">Kraftaufnehmer</content>", "");
  repair("<influenceConditions/>", "<usedSoftware/><influenceConditions/>");
  const auto rules = [&](const std::string& from, const std::string& to) {
    auto spoilt = good;
    const auto at = spoilt.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    spoilt.replace(at, from.size(), to);
    std::set<std::string> out;
    const auto findings = check_dcc(spoilt);
    EXPECT_TRUE(findings.ok());
    for (const auto& f : *findings) out.insert(f.rule + (f.error ? "" : "?"));
    return out;
  };
  using Rules = std::set<std::string>;
  EXPECT_EQ(rules("C 17/3", "C 18/3"), Rules{});
  EXPECT_EQ(
      rules("<usedMethods><usedMethod><name><content lang=\"en\">ISO 376</content></name></usedMethod></usedMethods>",
            ""),
      Rules{"methods"});
  EXPECT_EQ(rules("<influenceConditions/>", ""), Rules{"conditions"});
  EXPECT_EQ(rules("<usedSoftware/>", ""), Rules{"software?"});
  EXPECT_EQ(rules("schemaVersion=\"3.3.0\"", "schemaVersion=\"3.2.1\""), Rules{"version?"});
  EXPECT_EQ(rules("refId=\"q1\"", "refId=\"q2\""), (Rules{"references", "references?"}));
  EXPECT_EQ(rules("lang=\"en\">F<", "lang=\"fr\">F<"), Rules{"languages"});
  EXPECT_EQ(rules("<release>v1<", "<release>1.2.3<"), Rules{"release"});
  EXPECT_EQ(rules("<release>v1<", "<release>v8.2<"), Rules{});
  EXPECT_EQ(rules("<release>v1<", "<release>v1.2.3.4.5<"), Rules{"release"});
  EXPECT_EQ(rules("_1>DE<", "_1>XX<"), Rules{"codes"});
  EXPECT_EQ(rules("2025-01-03", "2024-01-03"), Rules{"dates"});
  EXPECT_EQ(rules(">1 2<", ">1  2<"), Rules{"lists"});
  EXPECT_EQ(rules(">1 2<", "> 1 2<"), Rules{"lists"});
  EXPECT_EQ(rules(">0.1<", ">0.1 0.2 0.3<"), Rules{"lists"});
  EXPECT_EQ(rules(">\\newton<", ">\\newton \\newton \\newton<"), Rules{"lists"});
  EXPECT_EQ(rules(">2<", ">2e0<"), Rules{"numbers"});
  EXPECT_EQ(rules(">2<", ">0.9<"), Rules{"numbers"});
  EXPECT_EQ(rules(">0.95<", ">95<"), Rules{"numbers"});
  EXPECT_EQ(rules(">1 2<", ">1 x<"), Rules{"numbers"});
}

}  // namespace
}  // namespace strigil::calibration
