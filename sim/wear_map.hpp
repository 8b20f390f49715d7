// WearMap: what strokes leave behind on a phantom, place by place: how far each was stroked and how much work it took.
//
// Cells of 5 mm. What the edge is upon is taken as the average of the cells along it, linear between columns along x,
// so that no border of a cell is felt as a step on the way along a stroke.
#pragma once

#include <cstddef>
#include <vector>

namespace strigil::sim {

/// Of the places under the edge.
struct Wear {
  double path_m = 0;           ///< stroked over each of them
  double work_J_m2 = 0;        ///< done on each of them
  double work_J_m2_per_m = 0;  ///< its gradient along x
};

/// One thread; nothing has happened yet. No allocation after construction.
class WearMap {
 public:
  static constexpr double kCell_m = 5e-3;

  /// Precondition: x_min < x_max, y_min < y_max.
  WearMap(double x_min_m, double x_max_m, double y_min_m, double y_max_m, double edge_length_m);

  /// Where the edge stands now; beyond the map the border's.
  const Wear& look(double x_m, double y_m) noexcept;
  /// The edge has slid by `path_m` and done `work_J` where it was looked at last.
  void add(double path_m, double work_J) noexcept;
  void clear() noexcept;

 private:
  struct Cell {
    double path_m = 0;
    double work_J_m2 = 0;
  };
  [[nodiscard]] Cell average(std::size_t column) const noexcept;
  void load(std::size_t column, double y_m) noexcept;
  void write_back() noexcept;
  static constexpr auto kNowhere = static_cast<std::size_t>(-1);

  double x_m_;
  double y_m_;
  double edge_m_;
  std::size_t columns_;
  std::size_t rows_;
  std::vector<Cell> cells_;        // column by column
  std::size_t column_ = kNowhere;  // of the two looked at, the left one
  std::size_t first_row_ = 0;
  std::size_t last_row_ = 0;
  double loaded_y_m_ = 0;
  double share_ = 0;           // of the right column
  Cell left_, right_;          // averages along the edge
  Cell new_left_, new_right_;  // not yet written to the cells
  Wear wear_;
};

}  // namespace strigil::sim
