#include "protocols/calibrate/force_axes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace strigil::protocols {
namespace {

constexpr std::string_view kChannels[] = {"Fx", "Fy", "Fz"};

std::size_t channel_of(const std::string& axis) {
  const auto name = std::string_view(axis).substr(1);
  return static_cast<std::size_t>(std::find(std::begin(kChannels), std::end(kChannels), name) - std::begin(kChannels));
}

}  // namespace

daq::Result<ForceAxes> force_axes(const rig::BenchConfig& bench) {
  ForceAxes out;
  out.normal = channel_of(bench.force.normal_axis);
  out.sign = bench.force.normal_axis.front() == '-' ? -1 : 1;
  out.lateral[0] = channel_of(bench.force.tangential_axis);
  if (out.normal >= std::size(kChannels) || out.lateral[0] >= std::size(kChannels) || out.lateral[0] == out.normal) {
    return daq::Error{fmt::format("the bench's normal_axis \"{}\" and tangential_axis \"{}\" are not two of Fx, Fy, Fz",
                                  bench.force.normal_axis, bench.force.tangential_axis)};
  }
  out.lateral[1] = 3 - out.normal - out.lateral[0];
  return out;
}

LoadOfMasses load_of_masses(double force_N, const ReferenceStandard& reference) {
  constexpr std::size_t kMost = 16;
  const auto count = std::min(reference.masses.size(), kMost);
  std::uint32_t best = 1;
  double nearest = std::numeric_limits<double>::infinity();
  for (std::uint32_t set = 1; set < 1U << count; ++set) {
    double mass_kg = 0;
    for (std::size_t i = 0; i < count; ++i) mass_kg += (set >> i & 1U) != 0 ? reference.masses[i].mass_kg : 0;
    const double away = std::abs(mass_kg * reference.place.gravity_m_s2 - force_N);
    const bool fewer = std::abs(away - nearest) < 1e-9 && std::popcount(set) < std::popcount(best);
    if (away < nearest - 1e-9 || fewer) {
      nearest = away;
      best = set;
    }
  }
  std::vector<calibration::LoadMass> pieces;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    if ((best >> i & 1U) == 0) continue;
    pieces.push_back(reference.masses[i]);
    names.push_back(reference.masses[i].name);
  }
  LoadOfMasses out;
  out.words = fmt::format("{}", fmt::join(names, " + "));
  // Bounds of masses and of the place were looked at when the file was read.
  if (const auto force = calibration::reference_force(pieces, reference.place)) {
    out.force_N = force->force_N.value;
    out.u_N = force->force_N.u;
  }
  return out;
}

}  // namespace strigil::protocols
