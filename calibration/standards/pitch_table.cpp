#include "calibration/standards/pitch_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace strigil::calibration {
namespace {

/// The straight line through two points, exact at both ends.
double between(double x, double x0, double x1, double y0, double y1) noexcept {
  const double part = (x - x0) / (x1 - x0);
  return part < 0.5 ? y0 + part * (y1 - y0) : y1 - (1 - part) * (y1 - y0);
}

}  // namespace

daq::Result<PitchTable> PitchTable::make(std::span<const PitchNode> nodes) {
  if (nodes.size() < 2 || nodes.size() > kMaxNodes) {
    return daq::Error{fmt::format("a pitch table has 2 to {} nodes, not {}", kMaxNodes, nodes.size())};
  }
  PitchTable table;
  table.count_ = nodes.size();
  std::copy(nodes.begin(), nodes.end(), table.nodes_.begin());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& n = nodes[i];
    if (!std::isfinite(n.command_m) || !std::isfinite(n.rising_m) || !std::isfinite(n.falling_m)) {
      return daq::Error{fmt::format("node {} of the pitch table is not a finite number", i)};
    }
    if (i == 0) continue;
    const double step = n.command_m - nodes[i - 1].command_m;
    if (!(step > 0)) return daq::Error{fmt::format("node {} of the pitch table is not beyond the node before it", i)};
    for (const double change : {n.rising_m - nodes[i - 1].rising_m, n.falling_m - nodes[i - 1].falling_m}) {
      if (!(std::abs(change) < step)) {
        return daq::Error{
            fmt::format("between nodes {} and {} the deviation changes by {:g} m over {:g} m: no axis that "
                        "moves forward does that; check units and the order of the targets",
                        i - 1, i, change, step)};
      }
    }
  }
  for (const auto approach : {Approach::rising, Approach::falling}) {
    for (std::size_t i = 1; i < table.count_; ++i) {
      if (!(table.reached(i, approach) > table.reached(i - 1, approach))) {
        return daq::Error{fmt::format("nodes {} and {} of the pitch table are too near to tell apart", i - 1, i)};
      }
    }
  }
  return table;
}

daq::Result<PitchTable> PitchTable::from(const StageAssessment& stage) {
  if (!stage.bidirectional) {
    return daq::Error{"a pitch table needs a test in both directions: backlash was not measured"};
  }
  std::vector<PitchNode> nodes;
  for (const auto& t : stage.targets) nodes.push_back({t.target_m, t.mean_forward_m, t.mean_backward_m});
  return make(nodes);
}

std::optional<double> PitchTable::position(double command_m, Approach approach) const noexcept {
  if (count_ < 2 || !(command_m >= nodes_[0].command_m) || !(command_m <= nodes_[count_ - 1].command_m)) return {};
  const auto i = segment([&](std::size_t k) { return nodes_[k].command_m < command_m; });
  return between(command_m, nodes_[i - 1].command_m, nodes_[i].command_m, reached(i - 1, approach),
                 reached(i, approach));
}

std::optional<double> PitchTable::command(double position_m, Approach approach) const noexcept {
  if (count_ < 2 || !(position_m >= reached(0, approach)) || !(position_m <= reached(count_ - 1, approach))) return {};
  const auto i = segment([&](std::size_t k) { return reached(k, approach) < position_m; });
  return between(position_m, reached(i - 1, approach), reached(i, approach), nodes_[i - 1].command_m,
                 nodes_[i].command_m);
}

double PitchTable::lowest_m(Approach approach) const noexcept {
  return count_ == 0 ? std::numeric_limits<double>::quiet_NaN() : reached(0, approach);
}

double PitchTable::highest_m(Approach approach) const noexcept {
  return count_ == 0 ? std::numeric_limits<double>::quiet_NaN() : reached(count_ - 1, approach);
}

std::string linuxcnc_file(const PitchTable& table) {
  std::string out;
  for (const auto& n : table.nodes()) {
    out += fmt::format("{:.6f} {:.6f} {:.6f}\n", n.command_m * 1e3, (n.command_m + n.rising_m) * 1e3,
                       (n.command_m + n.falling_m) * 1e3);
  }
  return out;
}

}  // namespace strigil::calibration
