#include "protocols/court/gage_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace strigil::protocols {

daq::Result<GageTable> gage_table(std::span<const GageReading> readings) {
  GageTable out;
  std::map<std::string, std::size_t> parts;
  std::map<std::string, std::size_t> appraisers;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<double>> cells;
  const auto number = [](std::map<std::string, std::size_t>& known, std::vector<std::string>& names,
                         const std::string& name) {
    const auto [at, is_new] = known.emplace(name, names.size());
    if (is_new) names.push_back(name);
    return at->second;
  };
  for (const auto& r : readings) {
    if (!std::isfinite(r.value)) {
      return daq::Error{fmt::format("part '{}' by '{}' reads {}: a study needs numbers", r.part, r.appraiser, r.value)};
    }
    cells[{number(parts, out.parts, r.part), number(appraisers, out.appraisers, r.appraiser)}].push_back(r.value);
  }
  if (out.parts.size() < 2) return daq::Error{fmt::format("{} parts: at least 2 are needed", out.parts.size())};
  for (const auto& [at, values] : cells) out.trials = std::max(out.trials, values.size());
  for (std::size_t p = 0; p < out.parts.size(); ++p) {
    for (std::size_t a = 0; a < out.appraisers.size(); ++a) {
      const auto cell = cells.find({p, a});
      const std::size_t count = cell == cells.end() ? 0 : cell->second.size();
      if (count != out.trials) {
        return daq::Error{
            fmt::format("the study is not balanced: part '{}' by '{}' has {} readings where others have {}. "
                        "Complete it or leave that part out",
                        out.parts[p], out.appraisers[a], count, out.trials)};
      }
      out.value.insert(out.value.end(), cell->second.begin(), cell->second.end());
    }
  }
  if (out.trials < 2) return daq::Error{"one trial each: repeatability is not seen, at least 2 are needed"};
  if (std::all_of(out.value.begin(), out.value.end(), [&](double v) { return v == out.value.front(); })) {
    return daq::Error{"all readings are the same: the gage does not resolve anything here"};
  }
  return out;
}

daq::Result<void> checked(const GageOptions& o) {
  if (o.tolerance && (!(*o.tolerance > 0) || std::isinf(*o.tolerance))) {
    return daq::Error{fmt::format("a tolerance of {} is no width", *o.tolerance)};
  }
  if (!(o.study_width > 0) || std::isinf(o.study_width))
    return daq::Error{fmt::format("study width {}", o.study_width)};
  if (!(o.level > 0 && o.level < 1)) return daq::Error{fmt::format("level {} is not between 0 and 1", o.level)};
  if (!(o.pool_above >= 0 && o.pool_above <= 1)) {
    return daq::Error{fmt::format("pooling above p = {} is not a probability", o.pool_above)};
  }
  return {};
}

GageVerdict gage_verdict(double grr_pct) noexcept {
  if (grr_pct < 10) return GageVerdict::kAccept;
  return grr_pct <= 30 ? GageVerdict::kMarginal : GageVerdict::kReject;
}

const char* name_of(GageVerdict verdict) noexcept {
  switch (verdict) {
    case GageVerdict::kAccept:
      return "accept";
    case GageVerdict::kMarginal:
      return "marginal";
    case GageVerdict::kReject:
      return "reject";
  }
  return "";
}

}  // namespace strigil::protocols
