#include "calibration/conversion.hpp"

#include <gmock/gmock.h>

#include "record_fixture.hpp"

namespace strigil::calibration {
namespace {

using testing::HasSubstr;

daq::StreamDescription force_stream() {
  daq::StreamDescription s;
  s.name = "force";
  for (const char* name : {"Fx", "Fy", "Fz"}) s.channels.push_back({name, "N", 1e-6, 0});
  for (const char* name : {"Tx", "Ty", "Tz"}) s.channels.push_back({name, "N m", 1e-6, 0});
  return s;
}

daq::NewestSample sample(std::initializer_list<std::int32_t> counts) {
  daq::NewestSample s;
  std::copy(counts.begin(), counts.end(), s.counts.begin());
  s.channels = static_cast<std::uint16_t>(counts.size());
  return s;
}

TEST(ConversionTest, APolynomialActsOnItsChannelAlone) {
  auto record = force_record();
  record.fit.coefficients = {0.5, 2, 0.25, -0.125};
  record.fit.covariance.clear();
  record.fit.inputs = {{"Fz", "N", 1e-6, 100'000}};
  const auto c = Conversion::with(force_stream(), record).value();
  const auto s = sample({1'000'000, -2'000'000, 2'100'000, 3, 4, 5});
  EXPECT_DOUBLE_EQ(c.value(s, 0), 1);
  EXPECT_DOUBLE_EQ(c.value(s, 1), -2);
  EXPECT_NEAR(c.value(s, 2), 0.5 + 2 * 2 + 0.25 * 4 - 0.125 * 8, 1e-12);
  EXPECT_DOUBLE_EQ(c.value(s, 5), 5e-6);
}

TEST(ConversionTest, AMatrixTakesCrosstalkAway) {
  Record record = force_record();
  record.fit = {};
  record.fit.kind = FitKind::kMatrix;
  record.quantities.clear();
  for (const char* name : {"Fx", "Fz"}) {
    record.quantities.push_back({"force", name, "N", {-25, 25}, {{-25, .05}, {25, .05}}});
    record.fit.inputs.push_back({name, "N", 1e-6, 0});
  }
  record.fit.coefficients = {1.0, -0.03, 0.02, 1.1, 0.001, -0.002};
  const auto c = Conversion::with(force_stream(), record).value();
  daq::Block block;
  block.channels = 6;
  block.samples = 2;
  block.counts = {4'000'000, 7, 10'000'000, 0, 0, 0, -1'000'000, 7, 0, 0, 0, 0};
  block.values.fill(-1);
  c.apply(block);
  EXPECT_NEAR(block.values[0], 4 - 0.3 + 0.001, 1e-6);
  EXPECT_FLOAT_EQ(block.values[1], 7e-6F) << "a channel the record does not speak of stays nominal";
  EXPECT_NEAR(block.values[2], 0.08 + 11 - 0.002, 1e-6);
  EXPECT_NEAR(block.values[6], -1 + 0.001, 1e-6);
  EXPECT_NEAR(block.values[8], -0.02 - 0.002, 1e-6);
}

TEST(ConversionTest, AStraightLineIsInTheDescriptionSoThatEveryReaderHasIt) {
  auto record = force_record();
  record.fit.inputs = {{"Fz", "N", 1e-6, 2000}};
  record.fit.coefficients = {0.01, 1.02};
  const auto described = described_by(force_stream(), record);
  const auto c = Conversion::with(force_stream(), record).value();
  for (const std::int32_t counts : {-3'000'000, 0, 2000, 17'000'000}) {
    const auto s = sample({0, 0, counts, 0, 0, 0});
    EXPECT_NEAR(Conversion(described).value(s, 2), c.value(s, 2), 1e-12);
  }
  record.fit.coefficients = {0.01, 1.02, 1e-4};
  record.fit.covariance.clear();
  EXPECT_EQ(described_by(force_stream(), record).channels[2].scale, 1e-6);
}

TEST(ConversionTest, WhatDoesNotFitTheStreamIsRefused) {
  const auto words = [](const Record& r) {
    const auto c = Conversion::with(force_stream(), r);
    return c.ok() ? std::string("accepted") : c.error().message;
  };
  auto r = force_record();
  r.quantities[0].channel = "Fq";
  EXPECT_THAT(words(r), HasSubstr("no channel 'Fq'"));
  r = force_record();
  r.fit.inputs[0].channel = "gauge";
  EXPECT_THAT(words(r), HasSubstr("no channel 'gauge'"));
  r = force_record();
  r.quantities[0].unit = "kN";
  EXPECT_THAT(words(r), HasSubstr("in kN, the stream in N"));
  r = force_record();
  r.fit.kind = FitKind::kConstants;
  r.fit.names = {"a", "b"};
  EXPECT_THAT(words(r), HasSubstr("gives no value of a sample"));
  r.fit.coefficients.clear();
  EXPECT_THAT(words(r), HasSubstr("need a name each")) << "a program's own record is looked at, too";
}

}  // namespace
}  // namespace strigil::calibration
