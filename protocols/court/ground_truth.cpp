#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "daq/json_depth.hpp"
#include "daq/json_text.hpp"
#include "protocols/court/run_strokes.hpp"

namespace strigil::protocols {
namespace {

using Json = nlohmann::json;
using Point = std::pair<double, double>;

std::string text_of(const Json& o, const char* key) {
  return o.is_object() && o.contains(key) && o[key].is_string() ? o[key].get<std::string>() : std::string();
}

/// Its outline as seen from above.
std::vector<Point> outline(const TruthInclusion& i) {
  constexpr int kCorners = 90;
  std::vector<Point> own;
  if (i.round) {
    for (int k = 0; k < kCorners; ++k) {
      const double a = 2 * std::numbers::pi * k / kCorners;
      own.emplace_back(i.length_mm / 2 * std::cos(a), i.width_mm / 2 * std::sin(a));
    }
  } else {
    for (const auto& [u, v] : {Point{-1, -1}, Point{1, -1}, Point{1, 1}, Point{-1, 1}})
      own.emplace_back(u * i.length_mm / 2, v * i.width_mm / 2);
  }
  const double c = std::cos(i.angle_deg * std::numbers::pi / 180);
  const double s = std::sin(i.angle_deg * std::numbers::pi / 180);
  for (auto& [u, v] : own) std::tie(u, v) = Point{i.x_mm + c * u - s * v, i.y_mm + s * u + c * v};
  return own;
}

/// What of a convex outline lies at or above (`sign` +1), or at or below (-1), y (Sutherland & Hodgman 1974).
std::vector<Point> clipped(const std::vector<Point>& in, double y_mm, double sign) {
  std::vector<Point> out;
  for (std::size_t k = 0; k < in.size(); ++k) {
    const auto& a = in[k];
    const auto& b = in[(k + 1) % in.size()];
    const double above_a = sign * (a.second - y_mm);
    const double above_b = sign * (b.second - y_mm);
    if (above_a >= 0) out.push_back(a);
    if ((above_a >= 0) != (above_b >= 0)) {
      const double share = above_a / (above_a - above_b);
      out.emplace_back(a.first + share * (b.first - a.first), y_mm);
    }
  }
  return out;
}

}  // namespace

daq::Result<GroundTruth> parse_ground_truth(std::string_view json) {
  const auto refuse = [](const std::string& what) { return daq::Error{"ground_truth.json: " + what}; };
  if (daq::nests_too_deep(json)) return refuse("nested too deep");
  const auto root = daq::parse_json(json);
  if (!root.is_object()) return refuse("not a JSON object");
  if (text_of(root, "format") != "strigil-ground-truth" || !text_of(root, "format_version").starts_with("1.")) {
    return refuse("not a strigil-ground-truth of version 1");
  }
  GroundTruth out;
  out.phantom = text_of(root, "phantom");
  out.condition = text_of(root, "condition");
  if (const auto tool = root.find("instrument"); tool != root.end() && tool->is_object()) {
    out.instrument = text_of(*tool, "name");
    if (const auto edge = tool->find("edge_length_mm"); edge != tool->end()) {
      if (!edge->is_number() || !(edge->get<double>() > 0)) return refuse("edge_length_mm is no length");
      out.edge_length_mm = edge->get<double>();
    }
  }
  const auto list = root.find("inclusions");
  if (list == root.end() || !list->is_array()) return refuse("no list of inclusions");
  for (const auto& j : *list) {
    TruthInclusion i;
    i.name = text_of(j, "name");
    i.kind = text_of(j, "kind");
    i.round = i.kind == "nodule" || i.kind == "lobule";
    if (!j.is_object() || !j.contains("target") || !j["target"].is_boolean() || !j.contains("differs") ||
        !j["differs"].is_boolean()) {
      return refuse(fmt::format("inclusion '{}' does not say whether it is a target and whether it differs", i.name));
    }
    i.target = j["target"];
    i.differs = j["differs"];
    struct Number {
      const char* key;
      double TruthInclusion::*member;
    };
    for (const auto& [key, member] :
         {Number{"x_mm", &TruthInclusion::x_mm}, Number{"y_mm", &TruthInclusion::y_mm},
          Number{"length_mm", &TruthInclusion::length_mm}, Number{"width_mm", &TruthInclusion::width_mm},
          Number{"angle_deg", &TruthInclusion::angle_deg}, Number{"depth_mm", &TruthInclusion::depth_mm},
          Number{"stiffness_contrast", &TruthInclusion::stiffness_contrast}}) {
      if (!j.contains(key) || !j[key].is_number() || !std::isfinite(j[key].get<double>())) {
        return refuse(fmt::format("inclusion '{}' has no number '{}'", i.name, key));
      }
      i.*member = j[key].get<double>();
    }
    if (!(i.length_mm > 0 && i.width_mm > 0)) return refuse(fmt::format("inclusion '{}' has no extent", i.name));
    out.inclusions.push_back(i);
  }
  return out;
}

std::vector<StrokeTarget> targets_under(const StrokeHearing& stroke, const GroundTruth& truth) {
  std::vector<StrokeTarget> out;
  for (const auto& i : truth.inclusions) {
    if (!i.target) continue;
    const double half_mm = truth.edge_length_mm / 2;
    const auto under = clipped(clipped(outline(i), stroke.lane_y_mm - half_mm, 1), stroke.lane_y_mm + half_mm, -1);
    if (under.empty()) continue;
    const auto [from, to] = std::minmax_element(under.begin(), under.end());  // by x
    StrokeTarget t;
    t.where.from_mm = from->first;
    t.where.to_mm = to->first;
    const double centre_mm = t.where.centre_mm();
    if (!(centre_mm >= stroke.x_from_mm && centre_mm <= stroke.x_to_mm)) continue;
    t.where.entered_s = stroke.reached_s(stroke.direction > 0 ? t.where.from_mm : t.where.to_mm);
    t.name = i.name;
    t.kind = i.kind;
    t.size_mm = std::min(i.length_mm, i.width_mm);
    t.depth_mm = i.depth_mm;
    t.contrast = i.stiffness_contrast;
    t.differs = i.differs;
    out.push_back(t);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.where.centre_mm() < b.where.centre_mm(); });
  return out;
}

}  // namespace strigil::protocols
