#include "protocols/court/nested_study.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

namespace strigil::protocols {

daq::Result<NestedStudy> nested_components(std::span<const NestedReading> readings, double level) {
  if (readings.empty()) return daq::Error{"there is no reading"};
  if (!(level > 0 && level < 1)) return daq::Error{fmt::format("level {} is not between 0 and 1", level)};
  const std::size_t depth = readings.front().path.size();
  if (depth == 0) return daq::Error{"a nested study needs a level above the repeats"};

  struct Node {
    double mean = 0;
    std::size_t children = 0;
  };
  // tier[k]: nodes whose path has k names; the readings are the tier below the last.
  std::vector<std::map<std::vector<std::string>, Node>> tier(depth + 1);
  for (const auto& r : readings) {
    if (r.path.size() != depth) {
      return daq::Error{fmt::format("a reading has {} levels where others have {}", r.path.size(), depth)};
    }
    if (!std::isfinite(r.value)) return daq::Error{fmt::format("{} is no reading", r.value)};
    auto& leaf = tier[depth][r.path];
    leaf.mean += r.value;
    ++leaf.children;
  }
  for (std::size_t k = depth + 1; k-- > 0;) {
    if (k < depth) {
      for (const auto& [path, node] : tier[k + 1]) {
        auto& parent = tier[k][std::vector<std::string>(path.begin(), path.end() - 1)];
        parent.mean += node.mean;
        ++parent.children;
      }
    }
    const auto first = tier[k].begin()->second.children;
    for (auto& [path, node] : tier[k]) {
      if (node.children != first) {
        return daq::Error{fmt::format("the study is not balanced at level {}: {} members where others have {}", k + 1,
                                      node.children, first)};
      }
      node.mean /= static_cast<double>(node.children);
    }
    if (first < 2) return daq::Error{fmt::format("level {} has one member only: its spread is not seen", k + 1)};
  }

  NestedStudy out;
  out.levels.resize(depth + 1);
  std::vector<double> below(depth + 1, 1);  // readings under one node of the tier under level k
  for (std::size_t k = depth; k-- > 0;) {
    below[k] = below[k + 1] * static_cast<double>(tier[k + 1].begin()->second.children);
  }
  for (std::size_t k = 0; k <= depth; ++k) {
    double sum = 0;
    if (k < depth) {
      for (const auto& [path, node] : tier[k + 1]) {
        const double d = node.mean - tier[k].at(std::vector<std::string>(path.begin(), path.end() - 1)).mean;
        sum += d * d;
      }
    } else {
      for (const auto& r : readings) {
        const double d = r.value - tier[depth].at(r.path).mean;
        sum += d * d;
      }
    }
    const auto members = static_cast<double>(k < depth ? tier[k + 1].size() : readings.size());
    out.levels[k].dof = members - static_cast<double>(tier[k].size());
    out.levels[k].mean_square = sum * below[k] / out.levels[k].dof;
  }
  for (std::size_t k = 0; k <= depth; ++k) {
    auto& l = out.levels[k];
    std::vector<MeanSquareTerm> terms{{1 / below[k], {l.mean_square, l.dof}}};
    if (k < depth) terms.push_back({-1 / below[k], {out.levels[k + 1].mean_square, out.levels[k + 1].dof}});
    l.component = variance_component(terms, level);
    out.total_variance += l.component.variance;
    if (l.component.clamped) {
      out.warnings.push_back(
          fmt::format("the variance of level {} came out as {:.6g} and was set to 0", k + 1, l.component.estimate));
    }
  }
  return out;
}

}  // namespace strigil::protocols
