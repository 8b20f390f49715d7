#include "rig/ground_truth.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "daq/json_text.hpp"

namespace strigil::rig {
namespace {

using Json = nlohmann::ordered_json;

/// Millimetres to the nanometre: 0.1 + 0.2 is nobody's idea of a truth.
double mm(double m) {
  constexpr double kPerMetre = 1e9;
  return std::round(m * kPerMetre) / 1e6;
}

double degrees(double rad) {
  constexpr double kSteps = 1e6;
  return std::round(rad * 180 / std::numbers::pi * kSteps) / kSteps;
}

Json layers_of(const Phantom& phantom) {
  auto out = Json::array();
  double from_m = 0;
  for (const auto& layer : phantom.layers) {
    out.push_back({{"name", layer.name},
                   {"material", layer.material},
                   {"from_depth_mm", mm(from_m)},
                   {"to_depth_mm", mm(from_m + layer.thickness_m)},
                   {"stiffness_factor", layer.stiffness_factor}});
    from_m += layer.thickness_m;
  }
  return out;
}

Json inclusions_of(const Phantom& phantom) {
  auto out = Json::array();
  for (const auto& i : phantom.inclusions) {
    const auto box = footprint_of(i);
    out.push_back({{"name", i.name},
                   {"kind", name_of(i.kind)},
                   {"target", i.target},
                   {"differs", differs(i)},
                   {"x_mm", mm(i.x_m)},
                   {"y_mm", mm(i.y_m)},
                   {"depth_mm", mm(i.depth_m)},
                   {"length_mm", mm(i.length_m)},
                   {"width_mm", mm(i.width_m)},
                   {"thickness_mm", mm(i.thickness_m)},
                   {"angle_deg", degrees(i.angle_rad)},
                   {"footprint_x_mm", {mm(box.x_min_m), mm(box.x_max_m)}},
                   {"footprint_y_mm", {mm(box.y_min_m), mm(box.y_max_m)}},
                   {"stiffness_contrast", i.stiffness_contrast},
                   {"friction_contrast", i.friction_contrast},
                   {"roughness_contrast", i.roughness_contrast},
                   {"rise_mm", mm(i.rise_m)}});
  }
  return out;
}

}  // namespace

Footprint footprint_of(const PhantomInclusion& i) noexcept {
  const bool round = i.kind == InclusionKind::kNodule || i.kind == InclusionKind::kLobule;
  const double along_x = i.length_m / 2 * std::abs(std::cos(i.angle_rad));
  const double along_y = i.length_m / 2 * std::abs(std::sin(i.angle_rad));
  const double across_x = i.width_m / 2 * std::abs(std::sin(i.angle_rad));
  const double across_y = i.width_m / 2 * std::abs(std::cos(i.angle_rad));
  const double half_x_m = round ? std::hypot(along_x, across_x) : along_x + across_x;
  const double half_y_m = round ? std::hypot(along_y, across_y) : along_y + across_y;
  return {i.x_m - half_x_m, i.x_m + half_x_m, i.y_m - half_y_m, i.y_m + half_y_m};
}

bool differs(const PhantomInclusion& i) noexcept {
  return i.stiffness_contrast != 1 || i.friction_contrast != 1 || i.roughness_contrast != 1 || i.rise_m != 0;
}

std::string ground_truth_json(const Phantom& phantom, const Instrument* instrument) {
  auto bumps = Json::array();
  for (const auto& b : phantom.surface.bumps) {
    bumps.push_back(
        {{"x_mm", mm(b.x_m)}, {"y_mm", mm(b.y_m)}, {"height_mm", mm(b.height_m)}, {"width_mm", mm(b.width_m)}});
  }
  Json truth{{"format", "strigil-ground-truth"},
             {"format_version", "1.0"},
             {"phantom", phantom.name},
             {"title", phantom.title},
             {"condition", phantom.condition},
             {"x_mm", {mm(phantom.x_min_m), mm(phantom.x_max_m)}},
             {"y_mm", {mm(phantom.y_min_m), mm(phantom.y_max_m)}},
             {"surface_z_mm", mm(phantom.surface.z_m)},
             {"emollient", {{"name", phantom.emollient.name}, {"age_s", phantom.emollient.age_s}}},
             {"layers", layers_of(phantom)},
             {"inclusions", inclusions_of(phantom)},
             {"bumps", bumps},
             {"instrument", nullptr}};
  if (instrument != nullptr)
    truth["instrument"] = {
        {"name", instrument->name}, {"title", instrument->title}, {"edge_length_mm", mm(instrument->edge_length_m)}};
  return daq::json_text(truth, 1);
}

}  // namespace strigil::rig
