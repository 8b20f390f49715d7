#include "protocols/detectors/spatial_cells.hpp"

#include <algorithm>
#include <cassert>

namespace strigil::protocols {

void SpatialCells::begin(int direction) {
  assert(cell_mm_ > 0 && (direction == 1 || direction == -1));
  direction_ = direction;
  open_ = has_last_ = false;
}

void SpatialCells::add(double x_mm, double at_s, double value, const CellSink& sink, double speed_mm_s) {
  constexpr double kFarthest_mm = 1e7;  // an index must fit
  if (!std::isfinite(value) || !std::isfinite(at_s) || !(std::abs(x_mm) < kFarthest_mm)) return;
  const auto along = direction_ * x_mm / cell_mm_;
  const auto index = static_cast<std::int64_t>(std::floor(along));
  if (open_ && index > index_) close(at_s, sink);
  if (!open_) {
    open_ = true;
    index_ = index;
    sum_ = time_ = speed_ = count_ = 0;
  }
  sum_ += value;
  time_ += at_s;
  speed_ += speed_mm_s;
  count_ += 1;
  newest_s_ = at_s;
}

void SpatialCells::finish(const CellSink& sink) {
  if (open_) close(newest_s_, sink);
  open_ = false;
}

void SpatialCells::close(double closed_s, const CellSink& sink) {
  const auto centre = [&](std::int64_t index) { return direction_ * (static_cast<double>(index) + 0.5) * cell_mm_; };
  Cell cell{index_, centre(index_), time_ / count_, closed_s, sum_ / count_, speed_ / count_, false};
  if (has_last_) {
    const auto missing = cell.index - last_.index - 1;
    if (missing > most_bridged_) {
      cell.after_gap = true;
    } else {
      for (std::int64_t k = 1; k <= missing; ++k) {
        const double part = static_cast<double>(k) / static_cast<double>(missing + 1);
        sink({last_.index + k, centre(last_.index + k), last_.at_s + part * (cell.at_s - last_.at_s), closed_s,
              last_.value + part * (cell.value - last_.value),
              last_.speed_mm_s + part * (cell.speed_mm_s - last_.speed_mm_s), false});
      }
    }
  }
  sink(cell);
  last_ = cell;
  has_last_ = true;
  open_ = false;
}

}  // namespace strigil::protocols
