#include "calibration/standards/channel_delay.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;
constexpr double kCoherent = 0.5;         // lines below say nothing of the phase
constexpr double kFiveSigmaSquared = 25;  // a rival this much worse is no rival
constexpr std::size_t kMostSteps = 400'000;

double wrapped(double phase) { return std::remainder(phase, kTurn); }

/// A delay that explains the data best among its neighbours.
struct Candidate {
  double delay = 0;
  bool inverted = false;
  double misfit = 0;  // chi squared, or sum of squares over its variance
};

/// Best first; the others that are not told from it become candidates of the result.
void name_rivals(std::vector<Candidate> all, double scale, double apart_s, DelayResult& out) {
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.misfit < b.misfit; });
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].misfit - all.front().misfit > kFiveSigmaSquared * scale) break;
    const bool same = std::abs(all[i].delay - all.front().delay) < apart_s && all[i].inverted == all.front().inverted;
    const bool told = std::any_of(out.candidates_s.begin(), out.candidates_s.end(),
                                  [&](double d) { return std::abs(d - all[i].delay) < apart_s; });
    if (!same && !told) out.candidates_s.push_back(all[i].delay);
  }
  out.ambiguous = !out.candidates_s.empty();
  if (out.ambiguous) {
    out.remarks.push_back(
        fmt::format("{} other delays explain the data as well, the nearest at {:.6g} s: the signal is periodic or "
                    "of too narrow a band; use an event, or sines whose periods have no common multiple in reach",
                    out.candidates_s.size(), out.candidates_s.front()));
  }
}

struct WeightedPhase {
  double omega, phase, weight;
};

/// Phases left when a delay (and a change of sign) is taken out.
double left_of(const WeightedPhase& l, const Candidate& c) {
  return wrapped(l.phase + l.omega * c.delay - (c.inverted ? std::numbers::pi : 0));
}

/// The slope of what is left, until nothing is.
void refine(const std::vector<WeightedPhase>& lines, Candidate& c) {
  for (int step = 0; step < 30; ++step) {
    double top = 0, bottom = 0;
    for (const auto& l : lines) {
      top += l.weight * l.omega * left_of(l, c);
      bottom += l.weight * l.omega * l.omega;
    }
    const double move = -top / bottom;
    c.delay += move;
    if (std::abs(move) < 1e-15 + 1e-14 * std::abs(c.delay)) break;
  }
  c.misfit = 0;
  for (const auto& l : lines) c.misfit += l.weight * std::pow(left_of(l, c), 2);
}

/// Values between samples by cubic pieces with the slopes of neighbouring chords; good for smooth signals at uneven
/// times.
class Interpolated {
 public:
  explicit Interpolated(const TimedSamples& s) : s_(s), slope_(s.time_s.size()) {
    const auto n = s.time_s.size();
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t a = i == 0 ? 0 : i - 1, b = i + 1 == n ? i : i + 1;
      slope_[i] = (s.value[b] - s.value[a]) / (s.time_s[b] - s.time_s[a]);
    }
  }
  /// Value and derivative. `from` is where the last search ended; times mostly rise. Precondition: within the record.
  std::pair<double, double> at(double t, std::size_t& from) const {
    while (from > 0 && s_.time_s[from] > t) --from;
    while (from + 2 < s_.time_s.size() && s_.time_s[from + 1] < t) ++from;
    const double h = s_.time_s[from + 1] - s_.time_s[from];
    const double x = (t - s_.time_s[from]) / h;
    const double y0 = s_.value[from], y1 = s_.value[from + 1], m0 = slope_[from] * h, m1 = slope_[from + 1] * h;
    const double c2 = 3 * (y1 - y0) - 2 * m0 - m1, c3 = 2 * (y0 - y1) + m0 + m1;
    return {y0 + x * (m0 + x * (c2 + x * c3)), (m0 + x * (2 * c2 + 3 * x * c3)) / h};
  }

 private:
  const TimedSamples& s_;
  std::vector<double> slope_;
};

/// Second channel over gain and offset of the shifted first: sums that give both and what is left.
struct Regression {
  double gain = 0, offset = 0, squares = 0, correlation = 0;
};

class Event {
 public:
  Event(const TimedSamples& first, const TimedSamples& second, double reach_s) : curve_(first) {
    for (std::size_t i = 0; i < second.time_s.size(); ++i) {
      const double t = second.time_s[i];
      if (t - reach_s >= first.time_s.front() && t + reach_s <= first.time_s.back()) {
        time_.push_back(t);
        value_.push_back(second.value[i]);
      }
    }
  }
  [[nodiscard]] std::size_t size() const { return time_.size(); }
  [[nodiscard]] Regression at(double delay) const {
    double n = 0, mx = 0, my = 0, xx = 0, xy = 0, yy = 0;
    std::size_t from = 0;
    for (std::size_t i = 0; i < time_.size(); ++i) {
      const double x = curve_.at(time_[i] - delay, from).first;
      n += 1;
      const double dx = x - mx, dy = value_[i] - my;
      mx += dx / n;
      my += dy / n;
      xx += dx * (x - mx);
      xy += dx * (value_[i] - my);
      yy += dy * (value_[i] - my);
    }
    Regression r;
    if (!(xx > 0 && yy > 0)) return r;
    r.gain = xy / xx;
    r.offset = my - r.gain * mx;
    r.squares = std::max(yy - xy * xy / xx, 0.0);
    r.correlation = xy / std::sqrt(xx * yy);
    return r;
  }
  /// One Gauss-Newton step of delay, gain and offset: how far the delay moves, and its variance for residuals of
  /// variance 1.
  [[nodiscard]] std::pair<double, double> step(double delay, const Regression& r) const {
    Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
    Eigen::Vector3d right = Eigen::Vector3d::Zero();
    std::size_t from = 0;
    for (std::size_t i = 0; i < time_.size(); ++i) {
      const auto [x, slope] = curve_.at(time_[i] - delay, from);
      const Eigen::Vector3d row(1, x, -r.gain * slope);
      normal += row * row.transpose();
      right += row * (value_[i] - r.offset - r.gain * x);
    }
    const Eigen::Vector3d scale =
        normal.diagonal().cwiseMax(std::numeric_limits<double>::min()).cwiseSqrt().cwiseInverse();
    const Eigen::Matrix3d scaled = scale.asDiagonal() * normal * scale.asDiagonal();
    const Eigen::Matrix3d inverse = scale.asDiagonal() * scaled.inverse() * scale.asDiagonal();
    return {(inverse * right)(2), inverse(2, 2)};
  }

 private:
  Interpolated curve_;
  std::vector<double> time_, value_;
};

std::optional<daq::Error> refuse_samples(const char* name, const TimedSamples& s) {
  if (s.time_s.size() < 8)
    return daq::Error{fmt::format("the {} channel has {} samples; eight are needed", name, s.time_s.size())};
  if (auto error = wrong_length(fmt::format("{} values", name), s.value.size(), s.time_s.size())) return error;
  if (auto error = not_finite(fmt::format("{} times", name), s.time_s)) return error;
  if (auto error = not_finite(fmt::format("{} values", name), s.value)) return error;
  return not_rising(fmt::format("{} times", name), s.time_s, -std::numeric_limits<double>::infinity());
}

/// Noise of the first channel tilts its own slopes: Gauss-Newton's information counts them as signal. What the sum of
/// squares really gains away from its smallest does not, since noise is paid back there; so u = s
/// sqrt(information)/curvature.
double event_uncertainty(const Event& event, double delay, const Regression& r, double variance, double step) {
  const double unit = event.step(delay, r).second;
  if (!(unit > 0)) return std::numeric_limits<double>::infinity();
  const double plain = std::sqrt(variance * unit);
  const double away = std::clamp(5 * plain, 1e-6 * step, step);
  const double gained = event.at(delay + away).squares + event.at(delay - away).squares - 2 * r.squares;
  const double curvature = gained / (2 * away * away);
  return curvature > 0 ? std::max(plain, std::sqrt(variance / unit) / curvature)
                       : std::numeric_limits<double>::infinity();
}

double mean_step(const TimedSamples& s) {
  return (s.time_s.back() - s.time_s.front()) / static_cast<double>(s.time_s.size() - 1);
}

}  // namespace

daq::Result<DelayResult> delay_from_phase(std::span<const CrossLine> lines, double averages, double search_s,
                                          bool may_be_inverted) {
  if (auto error = out_of_bounds("averages", averages, 1, 1e9)) return *error;
  if (!(search_s > 0) || !std::isfinite(search_s)) return daq::Error{"search_s must be above zero"};
  std::vector<WeightedPhase> good;
  double highest = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& l = lines[i];
    if (!(l.frequency_Hz >= 0) || !std::isfinite(l.frequency_Hz) || !std::isfinite(l.phase_rad) ||
        !(l.coherence >= 0 && l.coherence <= 1)) {
      return daq::Error{
          fmt::format("line {} of the cross spectrum is no number, or its coherence is not within 0 to 1", i)};
    }
    if (l.coherence < kCoherent || l.frequency_Hz == 0) continue;
    const double g2 = std::min(l.coherence, 1 - 1e-9);
    good.push_back({kTurn * l.frequency_Hz, l.phase_rad, 2 * averages * g2 / (1 - g2)});
    highest = std::max(highest, l.frequency_Hz);
  }
  if (good.size() < 3) {
    return daq::Error{
        fmt::format("{} coherent lines (coherence {:g} and above); three are needed", good.size(), kCoherent)};
  }
  const double step = 1 / (8 * highest);
  const double count = std::ceil(search_s / step);
  if (2 * count + 1 > static_cast<double>(kMostSteps)) {
    return daq::Error{
        fmt::format("a search over +-{:g} s in steps of {:.3g} s is too long: search less far", search_s, step)};
  }
  const auto n = static_cast<std::ptrdiff_t>(count);
  std::vector<double> agreement;
  for (std::ptrdiff_t i = -n; i <= n; ++i) {
    double sum = 0;
    for (const auto& l : good) sum += l.weight * std::cos(l.phase + l.omega * step * static_cast<double>(i));
    agreement.push_back(sum);
  }
  std::vector<Candidate> candidates;
  double most = 0;
  for (const auto& l : good) most += l.weight;
  for (const bool inverted : {false, true}) {
    if (inverted && !may_be_inverted) continue;
    const double sign = inverted ? -1 : 1;
    for (std::size_t i = 0; i < agreement.size(); ++i) {
      const double here = sign * agreement[i];
      const bool left = i == 0 || here >= sign * agreement[i - 1];
      const bool right = i + 1 == agreement.size() || here > sign * agreement[i + 1];
      if (!left || !right || here < 0.3 * most) continue;
      Candidate c{step * (static_cast<double>(i) - static_cast<double>(n)), inverted, 0};
      refine(good, c);
      if (std::abs(c.delay) <= search_s + step) candidates.push_back(c);
    }
  }
  if (candidates.empty())
    return daq::Error{"no delay within the search explains the phases: search further, or look at the signs"};
  const auto best = *std::min_element(candidates.begin(), candidates.end(),
                                      [](const auto& a, const auto& b) { return a.misfit < b.misfit; });
  DelayResult out;
  out.inverted = best.inverted;
  const auto dof = static_cast<double>(good.size()) - 1;
  out.reduced_chi2 = best.misfit / dof;
  double information = 0;
  for (const auto& l : good) {
    information += l.weight * l.omega * l.omega;
    out.worst_residual_rad = std::max(out.worst_residual_rad, std::abs(left_of(l, best)));
  }
  out.delay_s = {best.delay, std::sqrt(std::max(out.reduced_chi2, 1.0) / information), dof};
  if (out.reduced_chi2 > 1 + 5 * std::sqrt(2 / dof)) {
    out.remarks.push_back(
        fmt::format("phases scatter {:.3g} times as much as coherence explains, {:.3g} rad at the worst: not a pure "
                    "delay (a filter), or coherence was estimated from too few averages",
                    std::sqrt(out.reduced_chi2), out.worst_residual_rad));
  }
  name_rivals(std::move(candidates), std::max(out.reduced_chi2, 1.0), step, out);
  return out;
}

daq::Result<DelayResult> delay_from_event(const TimedSamples& first, const TimedSamples& second, double search_s,
                                          bool may_be_inverted) {
  if (auto error = refuse_samples("first", first)) return *error;
  if (auto error = refuse_samples("second", second)) return *error;
  if (!(search_s > 0) || !std::isfinite(search_s)) return daq::Error{"search_s must be above zero"};
  const double step = std::min(mean_step(first), mean_step(second)) / 2;
  const Event event(first, second, search_s + step);  // a step further, so that the ends of the search have a slope too
  if (event.size() < 8) {
    return daq::Error{fmt::format(
        "only {} samples of the second channel lie {:g} s within the first on both sides: record longer, or "
        "search less far",
        event.size(), search_s)};
  }
  const double count = std::ceil(search_s / step);
  if (2 * count * static_cast<double>(event.size()) > 2e9) {
    return daq::Error{
        fmt::format("a search over +-{:g} s is too long for {} samples: search less far", search_s, event.size())};
  }
  const auto n = static_cast<std::ptrdiff_t>(count);
  std::vector<double> squares;
  std::vector<double> correlation;
  for (std::ptrdiff_t i = -n; i <= n; ++i) {
    const auto r = event.at(std::clamp(step * static_cast<double>(i), -search_s, search_s));
    const bool wrong_sign = r.correlation <= 0 && !may_be_inverted;
    squares.push_back(wrong_sign || r.correlation == 0 ? std::numeric_limits<double>::infinity() : r.squares);
    correlation.push_back(r.correlation);
  }
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < squares.size(); ++i) {
    const bool left = i == 0 || squares[i] <= squares[i - 1];
    const bool right = i + 1 == squares.size() || squares[i] < squares[i + 1];
    if (left && right && std::isfinite(squares[i])) {
      candidates.push_back({std::clamp(step * (static_cast<double>(i) - static_cast<double>(n)), -search_s, search_s),
                            correlation[i] < 0, squares[i]});
    }
  }
  if (candidates.empty()) return daq::Error{"the second channel does not follow the first anywhere within the search"};
  // Only those that could be best after refinement are refined.
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.misfit < b.misfit; });
  if (candidates.size() > 20) candidates.resize(20);
  for (auto& c : candidates) {
    auto r = event.at(c.delay);
    for (int round = 0; round < 20; ++round) {
      const double move = std::clamp(event.step(c.delay, r).first, -step, step);
      bool better = false;
      for (double part = 1; part > 0.01 && !better; part /= 2) {
        const double to = std::clamp(c.delay + part * move, -search_s, search_s);
        const auto next = event.at(to);
        better = next.squares < r.squares;
        if (better) {
          c.delay = to;
          r = next;
        }
      }
      if (!better) break;
    }
    c.misfit = r.squares;
  }
  const auto best = *std::min_element(candidates.begin(), candidates.end(),
                                      [](const auto& a, const auto& b) { return a.misfit < b.misfit; });
  const auto r = event.at(best.delay);
  if (std::abs(r.correlation) < 0.5) {
    return daq::Error{
        fmt::format("the channels correlate by {:.3g} at the best: they did not see the same event", r.correlation)};
  }
  const double dof = static_cast<double>(event.size()) - 3;
  const double variance = std::max(r.squares / dof, std::numeric_limits<double>::min());
  DelayResult out;
  out.inverted = r.gain < 0;
  out.delay_s = {best.delay, event_uncertainty(event, best.delay, r, variance, step), dof};
  out.reduced_chi2 = 1;  // the scatter is taken from what is left
  if (std::abs(best.delay) > search_s - step) {
    out.remarks.emplace_back("the best delay is at the end of the search: search further");
  }
  name_rivals(std::move(candidates), variance, 2 * step, out);
  return out;
}

daq::Result<Estimate> mean_delay(std::span<const double> delays_s, double systematic_s) {
  if (delays_s.size() < 2)
    return daq::Error{"a mean of delays needs two at the least: one says nothing of its scatter"};
  if (auto error = not_finite("delays_s", delays_s)) return *error;
  if (!std::isfinite(systematic_s) || systematic_s < 0) return daq::Error{"systematic_s must be 0 or more"};
  const auto s = spread_of(delays_s);
  const auto n = static_cast<double>(delays_s.size());
  const double u = s.deviation / std::sqrt(n);
  return Estimate{s.mean, std::hypot(u, systematic_s),
                  effective_dof(u, n - 1, systematic_s, std::numeric_limits<double>::infinity())};
}

}  // namespace strigil::calibration
