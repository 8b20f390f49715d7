#include "calibration/standards/vibration_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "calibration/standards/readings_check.hpp"
#include "calibration/standards/transmissibility.hpp"

namespace strigil::calibration {
namespace {

using Complex = std::complex<double>;
constexpr double kDegree = std::numbers::pi / 180;

bool finite(Complex z) { return std::isfinite(z.real()) && std::isfinite(z.imag()); }

std::optional<daq::Error> bad_terms(const std::vector<BudgetTerm>& terms) {
  for (const auto& t : terms) {
    if (auto error = out_of_bounds("budget term '" + t.name + "' in %", t.u_pct, 0, 100)) return error;
    if (!(t.dof >= 1)) return daq::Error{"budget term '" + t.name + "' has fewer than one degree of freedom"};
  }
  return std::nullopt;
}

std::optional<daq::Error> refuse(const ComparisonInput& in) {
  if (in.readings.empty()) return daq::Error{"no frequencies: nothing to compare"};
  if (in.reference.size() != 1 && in.reference.size() != in.readings.size()) {
    return daq::Error{fmt::format("{} reference entries for {} frequencies; one, or one for each, is needed",
                                  in.reference.size(), in.readings.size())};
  }
  double last = 0;
  for (const auto& r : in.readings) {
    if (!std::isfinite(r.frequency_Hz) || !(r.frequency_Hz > last)) {
      return daq::Error{fmt::format("frequencies must rise from above zero; {:g} Hz does not", r.frequency_Hz)};
    }
    last = r.frequency_Hz;
    if (r.ratio.empty()) return daq::Error{fmt::format("no ratio at {:g} Hz", r.frequency_Hz)};
    for (const auto& z : r.ratio) {
      if (!finite(z) || z == 0.0) {
        return daq::Error{
            fmt::format("a ratio at {:g} Hz is zero or no number: one of the channels is dead", r.frequency_Hz)};
      }
    }
    if (auto error = bad_terms(r.terms)) return error;
    if (auto error = out_of_bounds("phase_u_deg", r.phase_u_deg, 0, 180)) return error;
    if (auto error = out_of_bounds("coherence", r.coherence, 1e-12, 1)) return error;
    if (auto error = out_of_bounds("averages", r.averages, 1, 1e9)) return error;
    for (const double v : {r.amplitude_m_s2, r.distortion_pct, r.transverse_pct}) {
      if (!std::isfinite(v) || v < 0)
        return daq::Error{
            fmt::format("amplitude, distortion or transverse motion at {:g} Hz is no number "
                        "from 0 on",
                        r.frequency_Hz)};
    }
  }
  for (const auto& r : in.reference) {
    for (const auto& z : {r.sensitivity, r.gain_reference, r.gain_dut}) {
      if (!finite(z) || z == 0.0) return daq::Error{"sensitivity or gain of the reference is zero or no number"};
    }
    if (auto error = out_of_bounds("expanded_pct of the reference", r.expanded_pct, 0, 100)) return error;
    if (auto error = out_of_bounds("expanded_phase_deg of the reference", r.expanded_phase_deg, 0, 180)) return error;
  }
  if (auto error = bad_terms(in.terms)) return error;
  return out_of_bounds("phase_u_deg", in.phase_u_deg, 0, 180);
}

/// Type A of magnitude (relative) and phase (rad), with the mean.
struct Repeats {
  Complex mean;
  double magnitude_u = 0;
  double phase_u_rad = 0;
  double dof = 0;
};

Repeats repeats_of(const ComparisonReadings& r) {
  Repeats out;
  const auto n = static_cast<double>(r.ratio.size());
  // Magnitude and phase apart: a complex mean would lose magnitude where phases scatter. Phases are told from the first
  // one.
  std::vector<double> magnitudes, angles;
  for (const auto& z : r.ratio) {
    magnitudes.push_back(std::abs(z));
    angles.push_back(std::arg(z / r.ratio.front()));
  }
  const auto m = spread_of(magnitudes);
  const auto a = spread_of(angles);
  out.mean = std::polar(m.mean, std::arg(r.ratio.front()) + a.mean);
  if (r.ratio.size() > 1) {
    out.magnitude_u = m.deviation / std::sqrt(n) / m.mean;
    out.phase_u_rad = a.deviation / std::sqrt(n);
    out.dof = n - 1;
  } else {
    const auto error = estimated_random_error(r.coherence, r.averages);
    out.magnitude_u = error.relative_u;
    out.phase_u_rad = std::asin(std::min(error.relative_u, 1.0));
    out.dof = error.dof;
  }
  return out;
}

ComparisonPoint evaluate(const ComparisonReadings& r, const ComparisonReference& ref, const ComparisonInput& in,
                         double coherence_at_least) {
  const auto repeats = repeats_of(r);
  ComparisonPoint p;
  p.frequency_Hz = r.frequency_Hz;
  p.sensitivity = ref.sensitivity * repeats.mean * ref.gain_reference / ref.gain_dut;
  p.usable = r.coherence >= coherence_at_least;
  p.budget.push_back({"reference transducer", ref.expanded_pct / 2});
  p.budget.push_back({r.ratio.size() > 1 ? "repeatability" : "coherence", 100 * repeats.magnitude_u, repeats.dof});
  p.budget.insert(p.budget.end(), in.terms.begin(), in.terms.end());
  p.budget.insert(p.budget.end(), r.terms.begin(), r.terms.end());
  double u = 0, dof = std::numeric_limits<double>::infinity();
  for (const auto& t : p.budget) {
    dof = effective_dof(u, dof, t.u_pct, t.dof);
    u = std::hypot(u, t.u_pct);
  }
  const double magnitude = std::abs(p.sensitivity);
  p.magnitude = {magnitude, magnitude * u / 100, dof};
  p.expanded_pct = 100 * p.magnitude.expanded() / magnitude;
  const double a = repeats.phase_u_rad / kDegree, b = std::hypot(ref.expanded_phase_deg / 2, in.phase_u_deg, r.phase_u_deg);
  p.phase_deg = {std::arg(p.sensitivity) / kDegree, std::hypot(a, b),
                 effective_dof(a, repeats.dof, b, std::numeric_limits<double>::infinity())};
  return p;
}

std::vector<std::string> shortfalls(const ComparisonInput& in, const LimitTable& table) {
  std::vector<std::string> out;
  const auto& p = table.procedure;
  if (in.mountings < p.limit("mountings_at_least")) {
    out.push_back(fmt::format("mounted {} time(s); {:.0f} are wanted: repeatability of mounting is not in the figures",
                              in.mountings, p.limit("mountings_at_least")));
  }
  for (const auto& r : in.readings) {
    const auto over = [&](const char* what, double value, std::string_view key) {
      if (value > p.limit(key)) {
        out.push_back(fmt::format("at {:g} Hz {} is {:.3g} %; at most {:g} % is wanted", r.frequency_Hz, what, value,
                                  p.limit(key)));
      }
    };
    over("harmonic distortion", r.distortion_pct, "harmonic_distortion_at_most_pct");
    over("transverse motion", r.transverse_pct, "transverse_motion_at_most_pct");
    if (r.coherence < p.limit("coherence_at_least")) {
      out.push_back(fmt::format("at {:g} Hz coherence is {:.3g}; at least {:g} is wanted", r.frequency_Hz, r.coherence,
                                p.limit("coherence_at_least")));
    }
    if (r.amplitude_m_s2 > 0 &&
        (r.amplitude_m_s2 < p.limit("amplitude_low_m_s2") || r.amplitude_m_s2 > p.limit("amplitude_high_m_s2"))) {
      out.push_back(fmt::format("at {:g} Hz the amplitude is {:.3g} m/s^2; {:g} to {:g} is wanted", r.frequency_Hz,
                                r.amplitude_m_s2, p.limit("amplitude_low_m_s2"), p.limit("amplitude_high_m_s2")));
    }
  }
  return out;
}

}  // namespace

std::pair<double, double> ComparisonReport::band_within(double pct) const {
  std::size_t low = reference_point, high = reference_point;
  const auto good = [&](std::size_t i) { return points[i].usable && std::abs(points[i].deviation_pct) <= pct; };
  while (low > 0 && good(low - 1)) --low;
  while (high + 1 < points.size() && good(high + 1)) ++high;
  return {points[low].frequency_Hz, points[high].frequency_Hz};
}

LimitSchema iso16063_21_schema() {
  return {{"amplitude_low_m_s2", "amplitude_high_m_s2", "harmonic_distortion_at_most_pct",
           "transverse_motion_at_most_pct", "mountings_at_least", "coherence_at_least"},
          {},
          {},
          {}};
}

daq::Result<ComparisonReport> assess_comparison(const ComparisonInput& in, const LimitTable& table) {
  if (auto error = refuse(in)) return *error;
  ComparisonReport out;
  out.table = table.identity;
  for (std::size_t i = 0; i < in.readings.size(); ++i) {
    const auto& ref = in.reference.size() == 1 ? in.reference[0] : in.reference[i];
    out.points.push_back(evaluate(in.readings[i], ref, in, table.procedure.limit("coherence_at_least")));
    const double distance = std::abs(out.points[i].frequency_Hz - in.reference_frequency_Hz);
    if (distance < std::abs(out.points[out.reference_point].frequency_Hz - in.reference_frequency_Hz))
      out.reference_point = i;
  }
  const auto& at = out.points[out.reference_point];
  if (!(std::abs(at.frequency_Hz - in.reference_frequency_Hz) <= 0.01 * in.reference_frequency_Hz)) {
    return daq::Error{fmt::format("the reference frequency of {:g} Hz was not measured; the nearest is {:g} Hz",
                                  in.reference_frequency_Hz, at.frequency_Hz)};
  }
  const double reference = at.magnitude.value;
  for (auto& p : out.points) {
    p.deviation_pct = 100 * (p.magnitude.value / reference - 1);
    p.deviation_dB = 20 * std::log10(p.magnitude.value / reference);
  }
  out.nonconformities = shortfalls(in, table);
  return out;
}

daq::Result<ComparisonReport> assess_comparison(const ComparisonInput& input) {
  static const LimitTable kTable = read_built_in_table("iso16063_21", iso16063_21_schema());
  return assess_comparison(input, kTable);
}

std::vector<double> third_octaves_Hz(double low_Hz, double high_Hz) {
  std::vector<double> out;
  if (!(low_Hz > 0 && high_Hz >= low_Hz)) return out;
  const int first = static_cast<int>(std::ceil(10 * std::log10(low_Hz / 1000) - 1e-9));
  const int last = static_cast<int>(std::floor(10 * std::log10(high_Hz / 1000) + 1e-9));
  for (int n = first; n <= last; ++n) out.push_back(1000 * std::pow(10.0, n / 10.0));
  return out;
}

}  // namespace strigil::calibration
