#include "calibration/standards/stream_quotients.hpp"

#include <fmt/format.h>

#include <cmath>

#include "calibration/signal/sine_fit.hpp"

namespace strigil::calibration {

daq::Result<std::complex<double>> sine_quotient(std::span<const double> reference, std::span<const double> dut,
                                                double rate_Hz, double frequency_Hz) {
  if (reference.size() != dut.size()) {
    return daq::Error{fmt::format("the reference has {} samples and the device {}: they must be sampled together",
                                  reference.size(), dut.size())};
  }
  const auto a = fit_sine(reference, rate_Hz, frequency_Hz);
  if (!a) return daq::Error{"reference: " + a.error().message};
  const auto b = fit_sine(dut, rate_Hz, frequency_Hz);
  if (!b) return daq::Error{"device under test: " + b.error().message};
  return std::polar(b->amplitude / a->amplitude, b->phase_rad - a->phase_rad);
}

daq::Result<std::vector<ResponsePoint>> response_points(const FrequencyResponse& response, double low_Hz,
                                                        double high_Hz) {
  std::vector<ResponsePoint> out;
  for (const auto& l : response.lines) {
    if (l.frequency_Hz > 0 && l.frequency_Hz >= low_Hz && l.frequency_Hz <= high_Hz) {
      out.push_back({l.frequency_Hz, l.h1, std::min(l.coherence, 1.0)});
    }
  }
  if (out.empty()) {
    return daq::Error{fmt::format("the response has no line between {:g} and {:g} Hz; its lines are {:g} Hz apart",
                                  low_Hz, high_Hz, response.resolution_Hz)};
  }
  return out;
}

daq::Result<std::vector<ComparisonReadings>> chirp_readings(const FrequencyResponse& response,
                                                            std::span<const double> frequencies_Hz) {
  std::vector<ComparisonReadings> out;
  std::size_t last = 0;
  for (const double f : frequencies_Hz) {
    if (!(f > 0) || response.lines.empty() || f > response.lines.back().frequency_Hz) {
      return daq::Error{fmt::format("{:g} Hz lies beyond the lines of the response", f)};
    }
    const auto at = static_cast<std::size_t>(std::lround(f / response.resolution_Hz));
    if (at == 0 || at >= response.lines.size() || at == last) {
      return daq::Error{fmt::format("lines {:g} Hz apart do not tell {:g} Hz from its neighbour: take longer segments",
                                    response.resolution_Hz, f)};
    }
    last = at;
    const auto& l = response.lines[at];
    ComparisonReadings r;
    r.frequency_Hz = l.frequency_Hz;
    r.ratio = {l.h1};
    r.coherence = std::min(l.coherence, 1.0);
    r.averages = response.averages;
    out.push_back(r);
  }
  return out;
}

daq::Result<DelayResult> delay_between(std::span<const double> first, std::span<const double> second, double rate_Hz,
                                       double search_s, double low_Hz, double high_Hz, const SpectrumOptions& options) {
  if (!(rate_Hz > 0) || static_cast<double>(options.segment) / rate_Hz < 8 * search_s) {
    return daq::Error{
        fmt::format("segments of {} samples at {:g} Hz are shorter than eight times the {:g} s searched: the delay "
                    "itself would take the coherence away",
                    options.segment, rate_Hz, search_s)};
  }
  const auto response = frequency_response(first, second, rate_Hz, options);
  if (!response) return response.error();
  std::vector<CrossLine> lines;
  for (const auto& l : response->lines) {
    if (l.frequency_Hz > 0 && l.frequency_Hz >= low_Hz && l.frequency_Hz <= high_Hz) {
      lines.push_back({l.frequency_Hz, std::arg(l.h1), std::min(l.coherence, 1.0)});
    }
  }
  return delay_from_phase(lines, response->averages, search_s);
}

}  // namespace strigil::calibration
