// Peak picker: of a statistic along the stroke, the places where it is higher than all around. One detection for each.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "protocols/court/matching.hpp"

namespace strigil::protocols {

/// A value at a place, known since `known_s`.
struct StatisticAt {
  double position_mm = 0;
  double at_s = 0;
  double known_s = 0;
  double value = 0;
};

/// Holds 2 radius + 1 values at most. Of equal values the first is the peak. Plain value, one thread at a time.
class PeakPicker {
 public:
  /// A peak is >= `threshold` and not less than any of `radius` values on either side.
  PeakPicker(std::size_t radius, double threshold) : radius_(radius), threshold_(threshold) {}
  void reset();
  void push(const StatisticAt& next, std::vector<Detection>& out);
  /// No more values come: what is left is judged by what there is.
  void finish(std::vector<Detection>& out);

 private:
  void judge(std::size_t at, double known_s, std::vector<Detection>& out) const;
  std::size_t radius_;
  double threshold_;
  std::deque<StatisticAt> window_;
  std::size_t judged_ = 0;  // values at the front of the window that have been judged
};

}  // namespace strigil::protocols
