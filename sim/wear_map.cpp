#include "sim/wear_map.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace strigil::sim {
namespace {

/// The edge may move so far along itself before the cells under it are looked up again.
constexpr double kReload_m = 0.5e-3;

}  // namespace

WearMap::WearMap(double x_min_m, double x_max_m, double y_min_m, double y_max_m, double edge_length_m)
    : x_m_(x_min_m),
      y_m_(y_min_m),
      edge_m_(edge_length_m),
      columns_(static_cast<std::size_t>(std::ceil((x_max_m - x_min_m) / kCell_m)) + 2),
      rows_(static_cast<std::size_t>(std::ceil((y_max_m - y_min_m) / kCell_m)) + 1),
      cells_(columns_ * rows_) {
  assert(x_min_m < x_max_m && y_min_m < y_max_m);
}

WearMap::Cell WearMap::average(std::size_t column) const noexcept {
  Cell sum;
  for (auto row = first_row_; row <= last_row_; ++row) {
    const auto& cell = cells_[column * rows_ + row];
    sum.path_m += cell.path_m;
    sum.work_J_m2 += cell.work_J_m2;
  }
  const auto count = static_cast<double>(last_row_ - first_row_ + 1);
  return {sum.path_m / count, sum.work_J_m2 / count};
}

void WearMap::write_back() noexcept {
  if (column_ == kNowhere) return;
  for (auto row = first_row_; row <= last_row_; ++row) {
    auto& left = cells_[column_ * rows_ + row];
    auto& right = cells_[(column_ + 1) * rows_ + row];
    left.path_m += new_left_.path_m;
    left.work_J_m2 += new_left_.work_J_m2;
    right.path_m += new_right_.path_m;
    right.work_J_m2 += new_right_.work_J_m2;
  }
  new_left_ = new_right_ = {};
}

void WearMap::load(std::size_t column, double y_m) noexcept {
  write_back();
  const auto row = [&](double y) {
    return static_cast<std::size_t>(std::clamp((y - y_m_) / kCell_m, 0.0, static_cast<double>(rows_ - 1)));
  };
  column_ = column;
  loaded_y_m_ = y_m;
  first_row_ = row(y_m - edge_m_ / 2);
  last_row_ = row(y_m + edge_m_ / 2);
  left_ = average(column);
  right_ = average(column + 1);
}

const Wear& WearMap::look(double x_m, double y_m) noexcept {
  const double place = std::clamp((x_m - x_m_) / kCell_m, 0.0, static_cast<double>(columns_) - 1.001);
  const auto column = static_cast<std::size_t>(place);
  if (column != column_ || std::abs(y_m - loaded_y_m_) > kReload_m) load(column, y_m);
  share_ = place - static_cast<double>(column);
  wear_.path_m = left_.path_m + share_ * (right_.path_m - left_.path_m);
  wear_.work_J_m2_per_m = (right_.work_J_m2 - left_.work_J_m2) / kCell_m;
  wear_.work_J_m2 = left_.work_J_m2 + share_ * (right_.work_J_m2 - left_.work_J_m2);
  return wear_;
}

void WearMap::add(double path_m, double work_J) noexcept {
  const double work_J_m2 = work_J / (kCell_m * edge_m_);
  const auto wear_column = [&](double share, Cell& mean, Cell& added) {
    mean.path_m += share * path_m;
    mean.work_J_m2 += share * work_J_m2;
    added.path_m += share * path_m;
    added.work_J_m2 += share * work_J_m2;
  };
  wear_column(1 - share_, left_, new_left_);
  wear_column(share_, right_, new_right_);
}

void WearMap::clear() noexcept {
  std::fill(cells_.begin(), cells_.end(), Cell{});
  column_ = kNowhere;
  new_left_ = new_right_ = {};
}

}  // namespace strigil::sim
