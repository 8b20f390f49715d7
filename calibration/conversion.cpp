#include "calibration/conversion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>

namespace strigil::calibration {
namespace {

std::optional<std::size_t> channel_of(const daq::StreamDescription& stream, const std::string& name) {
  for (std::size_t c = 0; c < stream.channels.size(); ++c) {
    if (stream.channels[c].name == name) return c;
  }
  return std::nullopt;
}

/// Rows of a matrix that look at nothing but their own channel are straight lines, too.
void describe_rows(const Record& record, daq::StreamDescription& stream) {
  const auto& fit = record.fit;
  const auto n = fit.inputs.size();
  const auto rows = record.quantities.size();
  if (fit.coefficients.size() != rows * (n + 1)) return;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto& channel = record.quantities[row].channel;
    const auto c = channel_of(stream, channel);
    const FitInput* own = nullptr;
    double gain = 0;
    bool alone = true;
    for (std::size_t i = 0; i < n; ++i) {
      const double by = fit.coefficients[row * n + i];
      if (fit.inputs[i].channel == channel) {
        own = &fit.inputs[i];
        gain = by;
      } else {
        alone = alone && by == 0;
      }
    }
    if (!c || own == nullptr || !alone) continue;
    stream.channels[*c].scale = gain * own->per_count;
    stream.channels[*c].offset = fit.coefficients[rows * n + row] - stream.channels[*c].scale * own->zero_counts;
  }
}

}  // namespace

Conversion::Conversion(const daq::StreamDescription& stream) : channels_(stream.channels.size()) {
  assert(channels_ >= 1 && channels_ <= daq::kMaxChannels);
  for (std::size_t c = 0; c < channels_; ++c) {
    scale_[c] = stream.channels[c].scale;
    offset_[c] = stream.channels[c].offset;
  }
}

daq::Result<Conversion> Conversion::with(const daq::StreamDescription& stream, const Record& record) {
  const auto refuse = [&](const std::string& why) {
    return daq::Error{fmt::format("calibration '{}' cannot be used on stream '{}': {}", record.id, stream.name, why)};
  };
  // What comes from a file was looked at when it was read; what a program made may not have been.
  if (const auto problems = problems_of(record); !problems.empty()) return refuse(problems.front());
  const auto& fit = record.fit;
  const bool matrix = fit.kind == FitKind::kMatrix;
  if (!matrix && fit.kind != FitKind::kPolynomial) {
    return refuse(fmt::format("its fit is a {}, which gives no value of a sample", name_of(fit.kind)));
  }
  Conversion out(stream);
  for (const auto& input : fit.inputs) {
    const auto c = channel_of(stream, input.channel);
    if (!c) return refuse(fmt::format("the stream has no channel '{}'", input.channel));
    out.input_[out.inputs_++] = {*c, input.per_count, input.zero_counts};
  }
  for (std::size_t row = 0; row < record.quantities.size(); ++row) {
    const auto& q = record.quantities[row];
    const auto c = channel_of(stream, q.channel);
    if (!c) return refuse(fmt::format("the stream has no channel '{}'", q.channel));
    if (stream.channels[*c].unit != q.unit) {
      return refuse(fmt::format("it gives '{}' in {}, the stream in {}", q.channel, q.unit, stream.channels[*c].unit));
    }
    out.rule_[*c] = matrix ? Rule::kMatrix : Rule::kPolynomial;
    if (!matrix) continue;
    for (std::size_t i = 0; i < out.inputs_; ++i) out.matrix_[*c][i] = fit.coefficients[row * out.inputs_ + i];
    out.offset_[*c] = fit.coefficients[record.quantities.size() * out.inputs_ + row];
  }
  if (!matrix) {
    out.terms_ = fit.coefficients.size();
    std::copy(fit.coefficients.begin(), fit.coefficients.end(), out.polynomial_.begin());
  }
  return out;
}

double Conversion::at(const std::int32_t* counts, std::size_t c) const noexcept {
  const auto x = [&](std::size_t i) {
    return input_[i].per_count * (static_cast<double>(counts[input_[i].channel]) - input_[i].zero_counts);
  };
  switch (rule_[c]) {
    case Rule::kPolynomial: {
      double value = 0;
      for (std::size_t k = terms_; k-- > 0;) value = value * x(0) + polynomial_[k];
      return value;
    }
    case Rule::kMatrix: {
      double value = offset_[c];
      for (std::size_t i = 0; i < inputs_; ++i) value += matrix_[c][i] * x(i);
      return value;
    }
    case Rule::kNominal:
      break;
  }
  return scale_[c] * counts[c] + offset_[c];
}

void Conversion::apply(daq::Block& block) const noexcept {
  if (block.channels != channels_) return;  // a device that changed its shape: the session flags it, counts stay true
  std::size_t i = 0;
  if (inputs_ == 0) {
    for (std::size_t s = 0; s < block.samples; ++s) {
      for (std::size_t c = 0; c < channels_; ++c, ++i) {
        block.values[i] = static_cast<float>(scale_[c] * block.counts[i] + offset_[c]);
      }
    }
    return;
  }
  for (std::size_t s = 0; s < block.samples; ++s) {
    const auto* sample = block.counts.data() + s * channels_;
    for (std::size_t c = 0; c < channels_; ++c, ++i) block.values[i] = static_cast<float>(at(sample, c));
  }
}

daq::StreamDescription described_by(const daq::StreamDescription& stream, const Record& record) {
  auto out = stream;
  const auto& fit = record.fit;
  if (fit.kind == FitKind::kMatrix) {
    describe_rows(record, out);
    return out;
  }
  if (fit.kind != FitKind::kPolynomial || fit.coefficients.size() != 2 || record.quantities.size() != 1) return out;
  const auto& input = fit.inputs.front();
  const auto& channel = record.quantities.front().channel;
  const auto c = channel_of(stream, channel);
  if (!c || input.channel != channel) return out;
  out.channels[*c].scale = fit.coefficients[1] * input.per_count;
  out.channels[*c].offset = fit.coefficients[0] - out.channels[*c].scale * input.zero_counts;
  return out;
}

}  // namespace strigil::calibration
