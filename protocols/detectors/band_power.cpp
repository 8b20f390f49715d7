#include "protocols/detectors/band_power.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

namespace strigil::protocols {
namespace {

constexpr std::size_t kMostLead = 4'096;

/// Second-order Butterworth by the bilinear transform: b0 b1 b2 a1 a2.
std::array<double, 5> butterworth(double corner_Hz, double rate_Hz, bool low_pass) {
  const double w = 2 * M_PI * corner_Hz / rate_Hz;
  const double alpha = std::sin(w) * M_SQRT1_2;
  const double cosine = std::cos(w);
  const double a0 = 1 + alpha;
  const double b1 = low_pass ? 1 - cosine : -(1 + cosine);
  const double b0 = low_pass ? b1 / 2 : -b1 / 2;
  return {b0 / a0, b1 / a0, b0 / a0, -2 * cosine / a0, (1 - alpha) / a0};
}

}  // namespace

double BandPowerExtractor::Biquad::step(double x) noexcept {
  const double y = c[0] * x + s1;
  s1 = c[1] * x - c[3] * y + s2;
  s2 = c[2] * x - c[4] * y;
  return y;
}

BandPowerExtractor::BandPowerExtractor(const BandPowerOptions& options)
    : options_(options), band_cells_(kBands, SpatialCells(options.cell_mm)), contact_cells_(options.cell_mm) {
  assert(options.vibration_rate_Hz > 0 && options.training > 0);
  for (std::size_t b = 0; b < kBands; ++b) {
    const double top = std::min(options.edges_Hz[b + 1], 0.45 * options.vibration_rate_Hz);
    const double bottom = std::min(options.edges_Hz[b], 0.9 * top);
    for (const bool low_pass : {false, true}) {
      Biquad filter;
      filter.c = butterworth(low_pass ? top : bottom, options.vibration_rate_Hz, low_pass);
      filters_[b].push_back(filter);
    }
  }
}

void BandPowerExtractor::begin(int direction) {
  for (std::size_t b = 0; b < kBands; ++b) {
    for (auto& f : filters_[b]) f.s1 = f.s2 = 0;
    band_cells_[b].begin(direction);
    bands_[b].clear();
  }
  contact_cells_.begin(direction);
  contact_.clear();
  window_.clear();
  done_ = 0;
}

void BandPowerExtractor::feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
                              const Sink& sink) {
  for (const auto& s : contact) {
    if (!(std::abs(s.speed_mm_s) >= options_.least_speed_mm_s)) continue;
    contact_cells_.add(s.x_mm, s.at_s, stiffness_signal(s, options_.stiffness_N_mm),
                       [&](const Cell& c) { contact_.push_back(c); });
  }
  for (const auto& s : vibration) {
    if (!std::isfinite(s.acceleration_m_s2)) continue;
    const bool slides = std::abs(s.speed_mm_s) >= options_.least_speed_mm_s;
    for (std::size_t b = 0; b < kBands; ++b) {
      double a = s.acceleration_m_s2;
      for (auto& f : filters_[b]) a = f.step(a);
      if (!slides) continue;
      a /= s.speed_mm_s;
      band_cells_[b].add(
          s.x_mm, s.at_s, a * a, [&](const Cell& c) { bands_[b].push_back(c); }, s.speed_mm_s);
    }
  }
  join(sink);
}

void BandPowerExtractor::end(const Sink& sink) {
  contact_cells_.finish([&](const Cell& c) { contact_.push_back(c); });
  for (std::size_t b = 0; b < kBands; ++b) band_cells_[b].finish([&](const Cell& c) { bands_[b].push_back(c); });
  join(sink);
  while (done_ < window_.size()) contrast(done_++, window_.back().cell.closed_s, sink);
}

void BandPowerExtractor::join(const Sink& sink) {
  const std::size_t reach = options_.guard + options_.training;
  while (!contact_.empty() && !bands_[0].empty()) {  // the bands' cells close together
    if (contact_.front().index < bands_[0].front().index) {
      contact_.pop_front();
      continue;
    }
    if (bands_[0].front().index < contact_.front().index) {
      for (auto& b : bands_) b.pop_front();
      continue;
    }
    Features f;
    f.cell = contact_.front();
    f.value[kBands] = f.cell.value;
    for (std::size_t b = 0; b < kBands; ++b) {
      constexpr double kSilence = 1e-18;  // (m/s2 / (mm/s))^2
      const auto& cell = bands_[b].front();
      f.value[b] = std::log(cell.value + kSilence);
      f.cell.closed_s = std::max(f.cell.closed_s, cell.closed_s);
      f.cell.speed_mm_s = cell.speed_mm_s;
      f.cell.after_gap = f.cell.after_gap || cell.after_gap;
      bands_[b].pop_front();
    }
    contact_.pop_front();
    if (f.cell.after_gap || (!window_.empty() && f.cell.index != window_.back().cell.index + 1)) {
      while (done_ < window_.size()) contrast(done_++, f.cell.closed_s, sink);
      window_.clear();
      done_ = 0;
    }
    window_.push_back(f);
    if (window_.size() > done_ + reach) contrast(done_++, f.cell.closed_s, sink);
    if (done_ > reach) {
      window_.pop_front();
      --done_;
    }
  }
  while (contact_.size() > kMostLead) contact_.pop_front();
  while (bands_[0].size() > kMostLead) {
    for (auto& b : bands_) b.pop_front();
  }
}

void BandPowerExtractor::contrast(std::size_t centre, double known_s, const Sink& sink) const {
  const std::size_t reach = options_.guard + options_.training;
  BandFeatures sum{};
  double count = 0;
  const std::size_t from = centre > reach ? centre - reach : 0;
  const std::size_t to = std::min(window_.size(), centre + reach + 1);
  double fastest_mm_s = 0;
  for (std::size_t i = from; i < to; ++i) fastest_mm_s = std::max(fastest_mm_s, std::abs(window_[i].cell.speed_mm_s));
  const auto steady = [&](const Features& f) { return std::abs(f.cell.speed_mm_s) >= kSteadyShare * fastest_mm_s; };
  if (!steady(window_[centre])) return;
  for (std::size_t i = from; i < to; ++i) {
    if ((i > centre ? i - centre : centre - i) <= options_.guard || !steady(window_[i])) continue;
    count += 1;
    for (std::size_t f = 0; f < kBandFeatures; ++f) sum[f] += window_[i].value[f];
  }
  if (2 * count < static_cast<double>(options_.training)) return;  // too few to compare with
  Features out = window_[centre];
  out.cell.closed_s = known_s;
  for (std::size_t f = 0; f < kBandFeatures; ++f) out.value[f] -= sum[f] / count;
  sink(out);
}

double BandPowerModel::log_odds(const BandFeatures& f) const noexcept {
  double sum = bias;
  for (std::size_t i = 0; i < kBandFeatures; ++i) sum += weight[i] * (f[i] - mean[i]) / deviation[i];
  return sum;
}

daq::Result<BandPowerModel> train_band_power(std::span<const TrainingStroke> strokes, const BandPowerOptions& options,
                                             double margin_mm, double ridge) {
  if (!(ridge > 0) || !(margin_mm >= 0)) return daq::Error{"training needs a ridge above 0 and a margin not below"};
  std::vector<BandFeatures> rows;
  std::vector<double> labels;
  BandPowerExtractor extractor(options);
  for (const auto& stroke : strokes) {
    const auto take = [&](const BandPowerExtractor::Features& f) {
      double distance = std::numeric_limits<double>::infinity();
      for (const auto& t : stroke.targets) {
        const double x = f.cell.centre_mm;
        distance = std::min(distance, std::max({0.0, t.from_mm - x, x - t.to_mm}));
      }
      if (distance > 0 && distance <= margin_mm) return;
      rows.push_back(f.value);
      labels.push_back(distance > 0 ? 0 : 1);
    };
    extractor.begin(stroke.direction);
    extractor.feed(stroke.contact, stroke.vibration, take);
    extractor.end(take);
  }
  double targets = 0;
  for (const double y : labels) targets += y;
  const auto n = static_cast<double>(rows.size());
  if (targets == 0 || targets == n) {
    return daq::Error{
        fmt::format("{:.0f} of {} cells lie in targets: training needs both kinds", targets, rows.size())};
  }
  BandPowerModel model;
  for (std::size_t f = 0; f < kBandFeatures; ++f) {
    double square = 0;
    for (const auto& r : rows) model.mean[f] += r[f] / n;
    for (const auto& r : rows) square += (r[f] - model.mean[f]) * (r[f] - model.mean[f]) / n;
    constexpr double kRounding = 1e-20;  // of contrasts of logarithms and newtons
    if (!(square > kRounding)) return daq::Error{fmt::format("feature {} never varies: is its sensor alive?", f)};
    model.deviation[f] = std::sqrt(square);
    for (auto& r : rows) r[f] = (r[f] - model.mean[f]) / model.deviation[f];
  }
  // A quarter bounds p (1 - p): each coordinate's step by that bound never overshoots.
  std::vector<double> eta(rows.size(), 0);
  constexpr int kMostSweeps = 20'000;
  constexpr double kSettled = 1e-10;
  double largest = 1;
  for (int sweep = 0; sweep < kMostSweeps && largest > kSettled; ++sweep) {
    largest = 0;
    for (std::size_t f = 0; f <= kBandFeatures; ++f) {
      const bool constant = f == kBandFeatures;
      double gradient = constant ? 0 : -ridge * model.weight[f];
      double bound = constant ? 0.25 * n : 0.25 * n + ridge;  // the features' squares add up to n
      for (std::size_t i = 0; i < rows.size(); ++i) {
        gradient += (labels[i] - 1 / (1 + std::exp(-eta[i]))) * (constant ? 1 : rows[i][f]);
      }
      const double step = gradient / bound;
      (constant ? model.bias : model.weight[f]) += step;
      for (std::size_t i = 0; i < rows.size(); ++i) eta[i] += step * (constant ? 1 : rows[i][f]);
      largest = std::max(largest, std::abs(step));
    }
  }
  if (largest > kSettled) return daq::Error{"training did not settle: a larger ridge holds the weights"};
  return model;
}

BandPowerDetector::BandPowerDetector(const BandPowerModel& model, const BandPowerOptions& options, std::string name)
    : model_(model),
      name_(std::move(name)),
      extractor_(options),
      peaks_(static_cast<std::size_t>(std::lround(options.apart_mm / options.cell_mm)), options.threshold) {}

BandPowerExtractor::Sink BandPowerDetector::into(std::vector<Detection>& out) {
  return [this, &out](const BandPowerExtractor::Features& f) {
    peaks_.push({f.cell.centre_mm, f.cell.at_s, f.cell.closed_s, model_.log_odds(f.value)}, out);
  };
}

void BandPowerDetector::begin(const StrokeStart& start, std::vector<Detection>&) {
  extractor_.begin(start.direction);
  peaks_.reset();
}

void BandPowerDetector::feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
                             std::vector<Detection>& out) {
  extractor_.feed(contact, vibration, into(out));
}

void BandPowerDetector::end(std::vector<Detection>& out) {
  extractor_.end(into(out));
  peaks_.finish(out);
}

}  // namespace strigil::protocols
