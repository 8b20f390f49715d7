// RandomField: a smooth random surface of mean 0 and unit variance, drawn from a seed.
//
// A sum of plane waves whose wave numbers are normal with standard deviation 1/l: its correlation is exp(-r^2 / 2 l^2).
#pragma once

#include <cstdint>
#include <vector>

namespace strigil::sim {

/// Off the loop.
class RandomField {
 public:
  /// Precondition: correlation_m > 0.
  RandomField(double correlation_m, std::uint64_t seed);
  /// Values at x = from + i pitch, i < out.size(), along one line of y. Cheaper than one by one.
  void along_x(double from_m, double pitch_m, double y_m, std::vector<double>& out) const;

 private:
  struct Wave {
    double along_x = 0;  // rad/m
    double along_y = 0;
    double phase = 0;
  };
  std::vector<Wave> waves_;
};

}  // namespace strigil::sim
