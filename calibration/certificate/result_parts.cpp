#include "calibration/certificate/result_parts.hpp"

#include <algorithm>

#include "calibration/certificate/certificate.hpp"

namespace strigil::calibration {
namespace {

constexpr std::string_view kColon = ": ";

/// What stands before the colon, where it begins with a channel of the record.
std::string_view head_of(const Record& record, const std::string& name) {
  const auto colon = name.find(kColon);
  if (colon == std::string::npos) return {};
  const auto head = std::string_view(name).substr(0, colon);
  for (const auto& q : record.quantities) {
    if (!q.channel.empty() && (head == q.channel || head.starts_with(q.channel + ' '))) return head;
  }
  return {};
}

/// Of several channels that fit ("mode 1", "mode 1 damping") the longest; of a name without one the first quantity.
const CalibratedQuantity& quantity_of(const Record& record, std::string_view head) {
  const CalibratedQuantity* best = &record.quantities.front();
  std::size_t longest = 0;
  for (const auto& q : record.quantities) {
    const bool fits = head == q.channel || head.starts_with(q.channel + ' ');
    if (!fits || q.channel.size() <= longest) continue;
    best = &q;
    longest = q.channel.size();
  }
  return *best;
}

}  // namespace

double coverage_factor_of(const Record& record, std::size_t at) {
  for (const auto& t : record.tables) {
    if (t.name != "results" || t.rows.size() != record.quantities.size()) continue;
    const auto k = std::find(t.columns.begin(), t.columns.end(), "k");
    if (k != t.columns.end()) return t.rows[at][static_cast<std::size_t>(k - t.columns.begin())];
  }
  return record.coverage_factor;
}

std::string unit_of_constant(const Record& record, std::size_t at) {
  const auto& names = record.fit.names;
  if (at < names.size()) {
    if (names[at].find(" in %") != std::string::npos) return "%";
    for (const auto& q : record.quantities) {
      if (q.channel == names[at]) return q.unit;
    }
  }
  const auto in_place = record.fit.coefficients.size() == record.quantities.size() ? at : 0;
  return record.quantities[in_place].unit;
}

std::vector<BudgetOf> budgets_of(const Record& record) {
  std::vector<BudgetOf> out;
  std::vector<std::string_view> heads;
  for (const auto& line : record.budget) {
    const auto head = head_of(record, line.name);
    const auto unit = line.unit == "%" && line.sensitivity == 1 ? "%" : quantity_of(record, head).unit;
    const auto found = std::find(heads.begin(), heads.end(), head);
    const auto at = static_cast<std::size_t>(found - heads.begin());
    if (found == heads.end()) {
      heads.push_back(head);
      auto& budget = out.emplace_back();
      budget.unit = unit;
      if (!head.empty()) {
        const auto& q = quantity_of(record, head);
        budget.title = title_of(q);
        if (head.size() > q.channel.size()) budget.title += "," + std::string(head.substr(q.channel.size()));
      }
    }
    auto& budget = out[at];
    if (budget.unit != unit) budget.unit.clear();
    budget.shares.push_back({line, unit});
    if (!head.empty()) budget.shares.back().line.name.erase(0, head.size() + kColon.size());
  }
  return out;
}

}  // namespace strigil::calibration
