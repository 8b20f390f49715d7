// From the readings of a vibration calibration to its record: sensitivities, budget, response, linearity, chirp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "calibration/standards/readings_check.hpp"
#include "calibration/standards/vibration_comparison.hpp"
#include "calibration/vibration_record.hpp"
#include "protocols/calibrate/vibration_readings.hpp"

namespace strigil::protocols {
namespace {

using calibration::BudgetTerm;

constexpr const char* kAxisChannels[] = {"ax", "ay", "az"};
constexpr double kToPercent = 100;
constexpr double kDegree = std::numbers::pi / 180;
const double kRectangular = std::sqrt(3.0);
/// Chirp and sine of one mounting that differ by more are of two things.
constexpr double kDisagree = 0.05;
/// What leakage of a chirp through a Hann window may leave [A].
constexpr double kLeakage = 0.002;
constexpr double kThreeSigma = 3;
/// Of one axis, of what is short of the standard.
constexpr std::size_t kMostRemarks = 3;

/// One axis, read and assessed.
struct AxisResult {
  std::size_t axis = 0;
  std::size_t channel = 0;
  double scale = 0;  // nominal, m/s2 by count
  double rate_Hz = 0;
  calibration::ComparisonReport report;
  std::vector<calibration::VibrationResponse> response;
  double mounting_pct = 0;   // of one mounting
  double linearity_pct = 0;  // largest deviation
  double largest_m_s2 = 0;   // amplitude that was seen
  calibration::DataTable linearity;
  calibration::DataTable chirp;
  std::vector<calibration::BudgetLine> in_use;
  calibration::Estimate value_pct;  // u of a value in use
};

class VibrationEvaluation {
 public:
  VibrationEvaluation(const VibrationProcedure& procedure, const std::vector<VibrationProcedure::AxisSteps>& axes,
                      const ProcedureData& data, const ProcedureSetup& setup)
      : p_(procedure.plan()), steps_(procedure.steps()), axes_(axes), data_(data), setup_(setup) {}

  daq::Result<ProcedureResult> run() {
    if (data_.roles.vibration >= data_.streams.size()) return daq::Error{"the rig has no accelerometer"};
    for (std::size_t i = 0; i < p_.axes.size(); ++i) {
      auto one = axis(i);
      if (!one) return daq::Error{fmt::format("axis {}: {}", kAxisChannels[p_.axes[i]], one.error().message)};
      results_.push_back(std::move(*one));
    }
    record();
    return std::move(out_);
  }

 private:
  [[nodiscard]] const daq::StreamDescription& stream() const { return data_.streams[data_.roles.vibration]; }

  daq::Result<SineReading> sine(std::size_t step, const VibrationChannels& channels) const {
    // hands, settle, measure: the excitation was asked for two steps before.
    return read_sine(data_.windows[step][data_.roles.vibration], stream(), channels, steps_[step - 2].hands.excitation,
                     setup_.reference);
  }

  daq::Result<AxisResult> axis(std::size_t index) {
    AxisResult out;
    out.axis = p_.axes[index];
    const auto channels = vibration_channels(stream(), out.axis, p_.reference_channel);
    if (!channels) return channels.error();
    out.channel = channels->sensor;
    out.scale = stream().channels[channels->sensor].scale;
    out.rate_Hz = stream().rate_Hz;
    std::vector<std::vector<SineReading>> readings;  // [mounting][frequency]
    for (const auto& mounting : axes_[index].sines) {
      auto& row = readings.emplace_back();
      for (const auto step : mounting) {
        auto reading = sine(step, *channels);
        if (!reading) return reading.error();
        row.push_back(*reading);
      }
    }
    if (auto r = compare(readings, out); !r) return r.error();
    if (auto r = linearity(index, *channels, readings, out); !r) return r.error();
    if (auto r = chirp(index, *channels, readings, out); !r) return r.error();
    value_in_use(out);
    return out;
  }

  /// Terms of one frequency that no repetition shows.
  std::vector<BudgetTerm> terms_at(const std::vector<std::vector<SineReading>>& readings, std::size_t i) const {
    const auto& b = p_.budget;
    double transverse = 0, distortion = 0, resolution = 0;
    for (const auto& m : readings) {
      transverse = std::max(transverse, m[i].transverse);
      // Whole periods but for half a sample: so much of a harmonic is taken for fundamental, at the most.
      distortion = std::max(distortion, m[i].distortion / (std::numbers::pi * m[i].periods));
      resolution = std::max(resolution, m[i].resolution);
    }
    const double drift = setup_.reference.drift_relative;
    // The direction of the motion across is not known: arcsine.
    const double across = std::hypot(b.transverse, setup_.reference.transverse_relative) * transverse;
    return {{"stability of the reference", kToPercent * drift / kRectangular},
            {"gains of both channels", kToPercent * b.channels / kRectangular},
            {"transverse motion", kToPercent * across / std::numbers::sqrt2},
            {"distortion", kToPercent * distortion / kRectangular},
            {"base strain, cable, relative motion", kToPercent * b.strain / kRectangular},
            {"temperature", kToPercent * std::abs(b.sensitivity_per_K) * b.temperature_K / kRectangular},
            {"resolution", kToPercent * resolution / std::sqrt(static_cast<double>(readings.size()))}};
  }

  daq::Result<void> compare(const std::vector<std::vector<SineReading>>& readings, AxisResult& out) {
    calibration::ComparisonInput in;
    in.reference_frequency_Hz = p_.frequencies_Hz[p_.reference_point];
    in.mountings = p_.mountings;
    for (std::size_t i = 0; i < p_.frequencies_Hz.size(); ++i) {
      const double f = p_.frequencies_Hz[i];
      const auto certified = *response_at(setup_.reference, f);
      calibration::ComparisonReadings r;
      r.frequency_Hz = f;
      for (const auto& m : readings) {
        r.ratio.push_back(m[i].ratio);
        r.amplitude_m_s2 += m[i].amplitude_m_s2 / static_cast<double>(readings.size());
        r.distortion_pct = std::max(r.distortion_pct, kToPercent * m[i].distortion);
        r.transverse_pct = std::max(r.transverse_pct, kToPercent * m[i].transverse);
        out.largest_m_s2 = std::max(out.largest_m_s2, m[i].amplitude_m_s2);
      }
      r.terms = terms_at(readings, i);
      r.phase_u_deg = 360 * f * p_.budget.skew_s / kRectangular;
      in.readings.push_back(std::move(r));
      in.reference.push_back({std::polar(certified.sensitivity_V_m_s2, certified.phase_rad),
                              kToPercent * certified.expanded_relative, certified.expanded_phase_rad / kDegree});
    }
    auto report = calibration::assess_comparison(in);
    if (!report) return report.error();
    out.report = std::move(*report);
    for (std::size_t i = 0; i < out.report.points.size(); ++i) {
      const auto& p = out.report.points[i];
      const auto& r = in.readings[i];
      out.response.push_back({p.frequency_Hz, p.magnitude.value, p.phase_deg.value, p.deviation_pct, p.expanded_pct,
                              p.phase_deg.expanded(), r.amplitude_m_s2, r.distortion_pct, r.transverse_pct});
    }
    std::vector<double> mountings;
    for (const auto& m : readings) mountings.push_back(std::abs(m[p_.reference_point].ratio));
    const auto spread = calibration::spread_of(mountings);
    out.mounting_pct = kToPercent * spread.deviation / spread.mean;
    return {};
  }

  daq::Result<void> linearity(std::size_t index, const VibrationChannels& channels,
                              const std::vector<std::vector<SineReading>>& readings, AxisResult& out) const {
    const std::string name = kAxisChannels[out.axis];
    out.linearity = {"linearity_" + name,
                     {"amplitude", "indicated", "deviation", "standard_uncertainty"},
                     {"m/s2", "m/s2", "%", "%"},
                     {}};
    const auto& first = readings.front()[p_.reference_point];
    const double volts = response_at(setup_.reference, p_.frequencies_Hz[p_.reference_point])->sensitivity_V_m_s2;
    const auto add = [&](const SineReading& r) {
      const double deviation_pct = kToPercent * (std::abs(r.ratio) / std::abs(first.ratio) - 1);
      out.linearity.rows.push_back({r.amplitude_m_s2, r.amplitude_m_s2 * std::abs(r.ratio) * volts, deviation_pct,
                                    kToPercent * std::hypot(r.u_ratio, first.u_ratio)});
      out.linearity_pct = std::max(out.linearity_pct, std::abs(deviation_pct));
      out.largest_m_s2 = std::max(out.largest_m_s2, r.amplitude_m_s2);
    };
    for (const auto step : axes_[index].linearity) {
      const auto reading = sine(step, channels);
      if (!reading) return reading.error();
      add(*reading);
    }
    if (out.linearity.rows.empty()) add(first);
    return {};
  }

  daq::Result<void> chirp(std::size_t index, const VibrationChannels& channels,
                          const std::vector<std::vector<SineReading>>& readings, AxisResult& out) {
    const auto step = axes_[index].chirp;
    if (step == 0) return {};
    const auto& asked = steps_[step - 2].hands.excitation;
    const auto response = read_chirp(data_.windows[step][data_.roles.vibration], stream(), channels, asked);
    if (!response) return response.error();
    const std::string name = kAxisChannels[out.axis];
    out.chirp = {"chirp_" + name,
                 {"frequency", "H1", "H2", "phase", "coherence", "standard_uncertainty"},
                 {"Hz", "1", "1", "deg", "1", "%"},
                 {}};
    double coherence = 1;
    for (const auto& line : response->lines) {
      if (line.frequency_Hz < asked.frequency_Hz || line.frequency_Hz > asked.to_Hz) continue;
      const auto certified = response_at(setup_.reference, line.frequency_Hz);
      if (!certified || !(line.coherence > 0)) continue;
      const auto reference = std::polar(certified->sensitivity_V_m_s2, certified->phase_rad);
      coherence = std::min(coherence, line.coherence);
      out.chirp.rows.push_back({line.frequency_Hz, std::abs(line.h1 * reference), std::abs(line.h2 * reference),
                                std::arg(line.h1 * reference) / kDegree, line.coherence,
                                kToPercent * std::min(line.relative_error, 1.0)});
    }
    if (out.chirp.rows.empty()) return daq::Error{"the chirp shows no line between its ends: lengthen 'period_s'"};
    double worst = 0, worst_Hz = 0;
    std::size_t compared = 0;
    for (std::size_t i = 0; i < p_.frequencies_Hz.size(); ++i) {
      const double f = p_.frequencies_Hz[i];
      const auto at = line_at(*response, f, asked);
      if (!at) continue;
      ++compared;
      const auto& r = readings.front()[i];
      const double difference = std::abs(at->h1) / std::abs(r.ratio) - 1;
      const double u = std::hypot(at->relative_error, r.u_ratio);
      if (std::abs(difference) > std::abs(worst)) {
        worst = difference;
        worst_Hz = f;
      }
      if (std::abs(difference) > kDisagree) {
        return daq::Error{
            fmt::format("at {:g} Hz the chirp gives {:.1f} % more than the sine: one of both is not what it seems", f,
                        kToPercent * difference)};
      }
      if (std::abs(difference) > std::hypot(kThreeSigma * u, kLeakage)) {
        out_.remarks.push_back(
            fmt::format("{}: at {:g} Hz the chirp gives {:.2f} % more than the sine, with u = {:.2f} %", name, f,
                        kToPercent * difference, kToPercent * u));
      }
    }
    out_.remarks.push_back(
        compared == 0
            ? fmt::format("{}: no sine lies within the chirp: neither checks the other", name)
            : fmt::format("{}: chirp (H1, least coherence {:.4f}, {:.0f} averages) and {} sines agree "
                          "within {:.2f} %, worst at {:g} Hz",
                          name, coherence, response->averages, compared, kToPercent * std::abs(worst), worst_Hz));
    return {};
  }

  /// Between two lines by a straight line, where both lie within the chirp.
  static std::optional<calibration::ResponseLine> line_at(const calibration::FrequencyResponse& r, double f,
                                                          const rig::Excitation& asked) {
    const double at = f / r.resolution_Hz;
    const auto k = static_cast<std::size_t>(at);
    if (k + 1 >= r.lines.size()) return std::nullopt;
    const auto& below = r.lines[k];
    const auto& above = r.lines[k + 1];
    if (below.frequency_Hz < asked.frequency_Hz || above.frequency_Hz > asked.to_Hz) return std::nullopt;
    if (!(below.coherence > 0) || !(above.coherence > 0)) return std::nullopt;
    auto out = below;
    const double part = at - static_cast<double>(k);
    out.h1 = (1 - part) * below.h1 + part * above.h1;
    out.relative_error = std::max(below.relative_error, above.relative_error);
    return out;
  }

  /// u of a value that a run gets by the sensitivity at the reference frequency, at that frequency.
  void value_in_use(AxisResult& out) const {
    const auto& at = out.report.points[out.report.reference_point];
    const auto& b = p_.budget;
    const double here_C = setup_.temperature_C.value_or((b.use_low_C + b.use_high_C) / 2);
    const double away_K = std::max(std::abs(b.use_low_C - here_C), std::abs(b.use_high_C - here_C));
    auto terms = at.budget;
    terms.push_back({"one mounting in use", out.mounting_pct, static_cast<double>(p_.mountings - 1)});
    terms.push_back({"linearity", out.linearity_pct / kRectangular});
    terms.push_back({"temperature in use", kToPercent * std::abs(b.sensitivity_per_K) * away_K / kRectangular});
    double u = 0, dof = std::numeric_limits<double>::infinity();
    // Both say the scatter of mountings, by the same few of them: together they have no more degrees of freedom.
    double scatter = 0;
    for (const auto& t : terms) {
      if (std::isfinite(t.dof)) {
        scatter = std::hypot(scatter, t.u_pct);
        continue;
      }
      u = std::hypot(u, t.u_pct);
    }
    dof = calibration::effective_dof(u, dof, scatter, static_cast<double>(p_.mountings - 1));
    out.value_pct = {0, std::hypot(u, scatter), dof};
    for (const auto& t : terms) {
      const bool normal = t.name == "reference transducer" || std::isfinite(t.dof);
      out.in_use.push_back({fmt::format("{}: {}", kAxisChannels[out.axis], t.name),
                            normal                               ? "normal"
                            : t.name.rfind("transverse", 0) == 0 ? "arcsine"
                                                                 : "rectangular",
                            t.u_pct, "%", 1, std::isfinite(t.dof) ? t.dof : 0});
    }
  }

  void record() {
    auto& r = out_.record;
    r.setting.rate_Hz = results_.front().rate_Hz;
    r.setting.counts_per_unit = 1 / std::abs(results_.front().scale);
    if (setup_.temperature_C)
      r.conditions.temperature_C = calibration::Interval{*setup_.temperature_C, *setup_.temperature_C};
    r.conditions.use_temperature_C = calibration::Interval{p_.budget.use_low_C, p_.budget.use_high_C};
    const auto& table = results_.front().report.table;
    r.classification.standard = table.standard;
    r.classification.edition = table.edition;
    r.classification.basis = table.status;
    r.classification.limit_table = table.id;
    r.classification.limit_table_sha256 = table.sha256;
    r.coverage_factor = 0;
    for (const auto& a : results_) {
      r.coverage_factor =
          std::max({r.coverage_factor, 2.0, calibration::coverage_factor(std::max(a.value_pct.dof, 1.0))});
    }
    fit(r);
    points(r);
    for (const auto& a : results_) {
      const std::string channel = kAxisChannels[a.axis];
      const double largest = a.largest_m_s2;
      // A value near nothing is known to a count.
      const double least = std::abs(a.scale) / std::sqrt(12.0) * r.coverage_factor;
      const double whole = std::hypot(r.coverage_factor * a.value_pct.u / kToPercent * largest, least);
      r.quantities.push_back(
          {"acceleration", channel, "m/s2", {-largest, largest}, {{-largest, whole}, {0, least}, {largest, whole}}});
      r.budget.insert(r.budget.end(), a.in_use.begin(), a.in_use.end());
      r.tables.push_back(calibration::response_table(channel, a.response));
      r.tables.push_back(a.linearity);
      if (!a.chirp.rows.empty()) r.tables.push_back(a.chirp);
      remarks(a);
    }
  }

  /// Values by the sensitivity at the reference frequency.
  void fit(calibration::Record& r) const {
    const auto n = results_.size();
    r.fit.kind = n == 1 ? calibration::FitKind::kPolynomial : calibration::FitKind::kMatrix;
    if (n == 1) r.fit.coefficients = {0};
    for (std::size_t i = 0; i < n; ++i) {
      const auto& a = results_[i];
      const auto& channel = stream().channels[a.channel];
      r.fit.inputs.push_back({kAxisChannels[a.axis], "m/s2", a.scale, -channel.offset / a.scale});
      const double gain = 1 / a.report.points[a.report.reference_point].magnitude.value;
      if (n == 1) r.fit.coefficients.push_back(gain);
      for (std::size_t j = 0; j < n && n > 1; ++j) r.fit.coefficients.push_back(i == j ? gain : 0);
    }
    if (n > 1) r.fit.coefficients.insert(r.fit.coefficients.end(), n, 0.0);
  }

  /// Of the first axis: amplitudes by the reference, what the sensor indicates, what the record makes of that.
  void points(calibration::Record& r) const {
    const auto& a = results_.front();
    const double sensitivity = a.report.points[a.report.reference_point].magnitude.value;
    calibration::DataTable t{
        "points", {"reference", "indication", "fitted", "expanded_uncertainty"}, {"m/s2", "m/s2", "m/s2", "m/s2"}, {}};
    for (const auto& row : a.linearity.rows) {
      const double fitted = row[1] / sensitivity;
      t.rows.push_back({row[0], row[1], fitted, r.coverage_factor * a.value_pct.u / kToPercent * fitted});
    }
    r.tables.push_back(std::move(t));
  }

  void remarks(const AxisResult& a) {
    const auto& at = a.report.points[a.report.reference_point];
    const auto band = a.report.band_within(5);
    out_.remarks.push_back(fmt::format(
        "{}: indicates {:.5f} of what there is at {:g} Hz, U {:.2f} %; within 5 % of that from {:g} to {:g} Hz; "
        "mountings scatter by {:.3f} %, amplitudes by {:.3f} %",
        kAxisChannels[a.axis], at.magnitude.value, at.frequency_Hz, at.expanded_pct, band.first, band.second,
        a.mounting_pct, a.linearity_pct));
    const auto& short_of = a.report.nonconformities;
    for (std::size_t i = 0; i < std::min(short_of.size(), kMostRemarks); ++i) {
      out_.remarks.push_back(fmt::format("{}: {}", kAxisChannels[a.axis], short_of[i]));
    }
    if (short_of.size() > kMostRemarks) {
      out_.remarks.push_back(fmt::format("{}: and {} more of the kind; table response_{} has them all",
                                         kAxisChannels[a.axis], short_of.size() - kMostRemarks, kAxisChannels[a.axis]));
    }
  }

  const VibrationPlan& p_;
  const std::vector<ProcedureStep>& steps_;
  const std::vector<VibrationProcedure::AxisSteps>& axes_;
  const ProcedureData& data_;
  const ProcedureSetup& setup_;
  std::vector<AxisResult> results_;
  ProcedureResult out_;
};

}  // namespace

daq::Result<ProcedureResult> VibrationProcedure::evaluate(const ProcedureData& data,
                                                          const ProcedureSetup& setup) const {
  return VibrationEvaluation(*this, axes_, data, setup).run();
}

}  // namespace strigil::protocols
