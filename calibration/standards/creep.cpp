#include "calibration/standards/creep.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "calibration/fit/least_squares.hpp"
#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

std::optional<daq::Error> refuse(const CreepRecord& r) {
  if (r.time_s.size() < 2) return daq::Error{"a creep record needs two readings at the least"};
  if (auto error = wrong_length("reading", r.reading.size(), r.time_s.size())) return error;
  if (auto error = not_finite("time_s", r.time_s)) return error;
  if (auto error = not_finite("reading", r.reading)) return error;
  if (r.time_s.front() < 0) return daq::Error{"creep times are told from the change of force: none may be before it"};
  if (auto error = not_rising("time_s", std::span(r.time_s).subspan(1), r.time_s.front())) return error;
  if (!std::isfinite(r.full_deflection) || r.full_deflection == 0) {
    return daq::Error{"full_deflection must be known and not zero: creep is told in % of it"};
  }
  return std::nullopt;
}

std::optional<double> reading_at(const CreepRecord& r, double t) {
  if (t < r.time_s.front() || t > r.time_s.back()) return std::nullopt;
  const auto next = std::lower_bound(r.time_s.begin(), r.time_s.end(), t) - r.time_s.begin();
  const auto i = static_cast<std::size_t>(next);
  if (r.time_s[i] == t) return r.reading[i];
  const double part = (t - r.time_s[i - 1]) / (r.time_s[i] - r.time_s[i - 1]);
  return r.reading[i - 1] + part * (r.reading[i] - r.reading[i - 1]);
}

/// What an amplitude is multiplied by at time t, and the derivative of that by ln tau.
double shape(CreepKind kind, double t, double tau) {
  return kind == CreepKind::logarithm ? std::log1p(t / tau) : -std::expm1(-t / tau);
}
double shape_by_ln_tau(CreepKind kind, double t, double tau) {
  return kind == CreepKind::logarithm ? -(t / tau) / (1 + t / tau) : -(t / tau) * std::exp(-t / tau);
}

std::size_t terms_of(CreepKind kind) { return kind == CreepKind::two_exponentials ? 2 : 1; }

Eigen::MatrixXd linear_design(const CreepRecord& r, CreepKind kind, const std::vector<double>& tau) {
  Eigen::MatrixXd x(static_cast<Eigen::Index>(r.time_s.size()), static_cast<Eigen::Index>(1 + tau.size()));
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    x(i, 0) = 1;
    for (std::size_t k = 0; k < tau.size(); ++k) {
      x(i, static_cast<Eigen::Index>(k) + 1) = shape(kind, r.time_s[static_cast<std::size_t>(i)], tau[k]);
    }
  }
  return x;
}

/// A candidate: times, the linear parameters that go best with them, and what is left.
struct Candidate {
  std::vector<double> tau;
  Eigen::VectorXd linear;  // start, amplitudes
  double squares = std::numeric_limits<double>::infinity();
};

Candidate with_times(const CreepRecord& r, CreepKind kind, const Eigen::VectorXd& y, std::vector<double> tau) {
  Candidate c;
  const Eigen::MatrixXd x = linear_design(r, kind, tau);
  const auto qr = x.colPivHouseholderQr();
  if (qr.rank() < x.cols()) return c;
  c.linear = qr.solve(y);
  c.squares = (y - x * c.linear).squaredNorm();
  c.tau = std::move(tau);
  return c;
}

Candidate search(const CreepRecord& r, CreepKind kind, const Eigen::VectorXd& y) {
  // From a third of the smallest step to three times the whole record: beyond, nothing is told apart from steps and
  // lines.
  double step = r.time_s.back();
  for (std::size_t i = 1; i < r.time_s.size(); ++i) step = std::min(step, r.time_s[i] - r.time_s[i - 1]);
  constexpr int kPlaces = 40;
  std::vector<double> times;
  const double low = std::log(step / 3), high = std::log(3 * r.time_s.back());
  for (int i = 0; i < kPlaces; ++i) times.push_back(std::exp(low + (high - low) * i / (kPlaces - 1)));
  Candidate best;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (terms_of(kind) == 1) {
      auto c = with_times(r, kind, y, {times[i]});
      if (c.squares < best.squares) best = std::move(c);
      continue;
    }
    for (std::size_t j = i + 1; j < times.size(); ++j) {
      auto c = with_times(r, kind, y, {times[i], times[j]});
      if (c.squares < best.squares) best = std::move(c);
    }
  }
  return best;
}

/// Start, amplitudes, ln tau: derivatives of the model by each.
Eigen::MatrixXd jacobian(const CreepRecord& r, CreepKind kind, const Candidate& c) {
  const auto terms = static_cast<Eigen::Index>(c.tau.size());
  Eigen::MatrixXd j(static_cast<Eigen::Index>(r.time_s.size()), 1 + 2 * terms);
  j.leftCols(1 + terms) = linear_design(r, kind, c.tau);
  for (Eigen::Index i = 0; i < j.rows(); ++i) {
    for (Eigen::Index k = 0; k < terms; ++k) {
      j(i, 1 + terms + k) = c.linear(1 + k) * shape_by_ln_tau(kind, r.time_s[static_cast<std::size_t>(i)],
                                                              c.tau[static_cast<std::size_t>(k)]);
    }
  }
  return j;
}

}  // namespace

double CreepModel::at(double t) const {
  double y = start.value;
  for (std::size_t k = 0; k < tau_s.size(); ++k) y += amplitude[k].value * shape(kind, t, tau_s[k].value);
  return y;
}

std::string CreepModel::equation() const {
  std::string out = fmt::format("y(t) = {:.9g}", start.value);
  for (std::size_t k = 0; k < tau_s.size(); ++k) {
    const double a = amplitude[k].value;
    const double tau = tau_s[k].value;
    out += kind == CreepKind::logarithm ? fmt::format(" + {:.6g} ln(1 + t/{:.6g} s)", a, tau)
                                        : fmt::format(" + {:.6g} (1 - exp(-t/{:.6g} s))", a, tau);
  }
  return out;
}

daq::Result<CreepFigures> creep_figures(const CreepRecord& record) {
  if (auto error = refuse(record)) return *error;
  const auto change = [&](double from, double to) -> std::optional<double> {
    const auto a = reading_at(record, from);
    const auto b = reading_at(record, to);
    if (!a || !b) return std::nullopt;
    return 100 * (*b - *a) / record.full_deflection;
  };
  return CreepFigures{change(30, 300), change(30, 1800), change(1200, 1800)};
}

daq::Result<CreepModel> fit_creep(const CreepRecord& record, CreepKind kind) {
  if (auto error = refuse(record)) return *error;
  const auto parameters = 1 + 2 * terms_of(kind);
  if (record.time_s.size() < parameters + 2) {
    return daq::Error{
        fmt::format("{} readings are too few for a creep curve of {} parameters", record.time_s.size(), parameters)};
  }
  const Eigen::VectorXd y =
      Eigen::Map<const Eigen::VectorXd>(record.reading.data(), static_cast<Eigen::Index>(record.reading.size()));
  Candidate best = search(record, kind, y);
  if (best.tau.empty()) return daq::Error{"the record does not tell start and creep apart"};
  constexpr int kSteps = 60;
  for (int step = 0; step < kSteps; ++step) {
    const Eigen::MatrixXd j = jacobian(record, kind, best);
    const Eigen::VectorXd rest = y - linear_design(record, kind, best.tau) * best.linear;
    const Eigen::VectorXd move = j.colPivHouseholderQr().solve(rest).tail(static_cast<Eigen::Index>(best.tau.size()));
    bool better = false;
    for (double part = 1; part > 1e-6 && !better; part /= 2) {
      auto tau = best.tau;
      for (std::size_t k = 0; k < tau.size(); ++k) {
        tau[k] *= std::exp(std::clamp(part * move(static_cast<Eigen::Index>(k)), -2.0, 2.0));
      }
      auto c = with_times(record, kind, y, tau);
      if (c.squares < best.squares) {
        better = true;
        best = std::move(c);
      }
    }
    if (!better) break;
  }
  // The covariance is that of the linearized problem at the solution.
  const Eigen::VectorXd rest = y - linear_design(record, kind, best.tau) * best.linear;
  const auto linearized = fit_least_squares(jacobian(record, kind, best), rest);
  if (!linearized) {
    return daq::Error{"the record does not tell the parameters of this creep curve apart: " +
                      linearized.error().message};
  }
  CreepModel out;
  out.kind = kind;
  const auto n = static_cast<double>(record.time_s.size());
  const double dof = n - static_cast<double>(parameters);
  const double variance = best.squares / dof;
  out.residual_sd = std::sqrt(variance);
  // The linearized fit scales by its own residuals; they are the same up to what the last step left.
  const auto u = [&](Eigen::Index i) { return linearized->standard_errors(i); };
  out.start = {best.linear(0), u(0), dof};
  const auto terms = static_cast<Eigen::Index>(best.tau.size());
  for (Eigen::Index k = 0; k < terms; ++k) {
    const double tau = best.tau[static_cast<std::size_t>(k)];
    const double nothing = 1e-13 * y.cwiseAbs().maxCoeff();
    if (!(std::abs(best.linear(1 + k)) > nothing) || !(u(1 + terms + k) < 1)) {
      return daq::Error{
          "the record does not tell a time of this creep curve: it creeps too little, or the curve has too many terms"};
    }
    out.amplitude.push_back({best.linear(1 + k), u(1 + k), dof});
    out.tau_s.push_back({tau, tau * u(1 + terms + k), dof});
  }
  if (terms == 2 && out.tau_s[0].value > out.tau_s[1].value) {
    std::swap(out.tau_s[0], out.tau_s[1]);
    std::swap(out.amplitude[0], out.amplitude[1]);
  }
  const double p = static_cast<double>(parameters) + 1;  // and the scatter
  const double smallest = std::numeric_limits<double>::min();
  out.aicc = n * std::log(std::max(best.squares / n, smallest)) + 2 * p + 2 * p * (p + 1) / std::max(n - p - 1, 1.0);
  return out;
}

daq::Result<std::vector<CreepModel>> fit_creep_models(const CreepRecord& record) {
  if (auto error = refuse(record)) return *error;
  std::vector<CreepModel> out;
  std::string why;
  for (const auto kind : {CreepKind::one_exponential, CreepKind::logarithm, CreepKind::two_exponentials}) {
    auto model = fit_creep(record, kind);
    if (model) {
      out.push_back(std::move(model).value());
    } else {
      why = model.error().message;
    }
  }
  if (out.empty()) return daq::Error{"no creep curve fits: " + why};
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.aicc < b.aicc; });
  return out;
}

}  // namespace strigil::calibration
