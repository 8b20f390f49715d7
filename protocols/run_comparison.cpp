#include "protocols/run_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace strigil::protocols {
namespace {

/// What is laid over each other: values of one channel over the bins.
struct Curves {
  const char* channel;
  const char* unit;
  std::vector<double> at;
  std::vector<double> first;
  std::vector<double> second;
};

class Pairing {
 public:
  Pairing(const StrokeSeries& first, const StrokeSeries& second, const ComparisonOptions& o)
      : first_(first), second_(second), o_(o) {
    width_ = o.by_time ? o.bin_s : o.bin_mm;
    const double reach =
        o.by_time ? std::min(daq::seconds(first.ended - first.began), daq::seconds(second.ended - second.began))
                  : 1e3 * std::abs(first.to_m - first.from_m);
    constexpr double kMostBins = 100'000;  // a jump in the readback must not eat all memory
    bins_ = reach > 0 && reach / width_ < kMostBins ? static_cast<std::size_t>(reach / width_) : 0;
  }

  [[nodiscard]] Curves force(const char* channel, const StrokeSamples& a, const StrokeSamples& b) const {
    Curves out{channel, "N", at(), curve(a, a.value), curve(b, b.value)};
    return out;
  }
  [[nodiscard]] Curves vibration() const {
    Curves out{"vibration RMS", "m/s2", at(), rms(first_.vibration_m_s2), rms(second_.vibration_m_s2)};
    return out;
  }

 private:
  [[nodiscard]] std::vector<double> at() const {
    std::vector<double> out;
    for (std::size_t i = 0; i < bins_; ++i) out.push_back((static_cast<double>(i) + 0.5) * width_);
    return out;
  }
  /// By the first run's beginning and direction, so that both lie over the same places.
  [[nodiscard]] std::vector<double> curve(const StrokeSamples& s, const std::vector<double>& value) const {
    return binned(o_.by_time ? s.t_s : way_mm(s, first_.from_m, first_.to_m > first_.from_m), value, 0, width_, bins_);
  }
  [[nodiscard]] std::vector<double> rms(const StrokeSamples& s) const {
    auto squares = s.value;
    double mean = 0;
    for (const double v : squares) mean += v / static_cast<double>(squares.size());
    for (double& v : squares) v = (v - mean) * (v - mean);  // gravity is no vibration
    auto out = curve(s, squares);
    for (double& v : out) v = std::sqrt(v);
    return out;
  }

  const StrokeSeries& first_;
  const StrokeSeries& second_;
  const ComparisonOptions& o_;
  double width_ = 1;
  std::size_t bins_ = 0;
};

ChannelDifference difference_of(const Curves& c) {
  ChannelDifference out{c.channel, c.unit};
  std::size_t n = 0;
  for (std::size_t i = 0; i < c.at.size(); ++i) {
    const double d = c.second[i] - c.first[i];
    if (!std::isfinite(d)) continue;
    ++n;
    out.first_mean += c.first[i];
    out.second_mean += c.second[i];
    out.rms += d * d;
    if (std::abs(d) > std::abs(out.largest)) out.largest = d, out.largest_at = c.at[i];
  }
  const double count = n > 0 ? static_cast<double>(n) : std::numeric_limits<double>::quiet_NaN();
  out.first_mean /= count;
  out.second_mean /= count;
  out.rms = std::sqrt(out.rms / count);
  return out;
}

calibration::SvgPlot plot_of(const Curves& c, std::size_t stroke, const RunSeries& first, const RunSeries& second,
                             bool by_time) {
  calibration::SvgPlot p;
  p.title = fmt::format("Stroke {}: {}", stroke + 1, c.channel);
  p.x_label = by_time ? "since the stroke began / s" : "from where the stroke began / mm";
  p.y_label = fmt::format("{} / {}", c.channel, c.unit);
  p.series.resize(2);
  for (std::size_t i = 0; i < 2; ++i) {
    p.series[i].kind = calibration::SvgKind::kLine;
    p.series[i].name = (i == 0 ? first : second).run_id;
    p.series[i].x = c.at;
    p.series[i].y = i == 0 ? c.first : c.second;
  }
  return p;
}

}  // namespace

daq::Result<RunComparison> compare_runs(const RunSeries& first, const RunSeries& second, const ComparisonOptions& o) {
  if (!(o.bin_mm >= 0.1 && o.bin_mm <= 100 && o.bin_s >= 1e-3 && o.bin_s <= 100)) {
    return daq::Error{
        fmt::format("bins of {} mm and {} s are not of 0.1 to 100 mm and 0.001 to 100 s", o.bin_mm, o.bin_s)};
  }
  for (const auto* run : {&first, &second}) {
    if (run->strokes.empty()) return daq::Error{fmt::format("run '{}' has no stroke that was done", run->run_id)};
  }
  RunComparison out;
  if (first.plan_sha256 != second.plan_sha256) {
    out.notes.push_back(
        "the runs are of different plans: their strokes are paired in the order in which they were done");
  }
  if (first.strokes.size() != second.strokes.size()) {
    out.notes.push_back(fmt::format("{} strokes against {}: those that only one has are left out", first.strokes.size(),
                                    second.strokes.size()));
  }
  bool any = false;
  for (std::size_t k = 0; k < std::min(first.strokes.size(), second.strokes.size()); ++k) {
    const auto& a = first.strokes[k];
    const auto& b = second.strokes[k];
    const Pairing pairing(a, b, o);
    std::vector<Curves> curves{pairing.force("normal force", a.normal_N, b.normal_N),
                               pairing.force("tangential force", a.tangential_N, b.tangential_N)};
    if (!a.vibration_m_s2.value.empty() && !b.vibration_m_s2.value.empty()) curves.push_back(pairing.vibration());
    StrokeDifference d;
    d.stroke = k;
    d.first_duration_s = daq::seconds(a.ended - a.began);
    d.second_duration_s = daq::seconds(b.ended - b.began);
    for (const auto& c : curves) {
      d.channels.push_back(difference_of(c));
      any = any || std::isfinite(d.channels.back().rms);
      out.plots.push_back(plot_of(c, k, first, second, o.by_time));
    }
    out.strokes.push_back(std::move(d));
  }
  if (!any) return daq::Error{"the strokes of these runs lie nowhere over each other"};
  return out;
}

}  // namespace strigil::protocols
