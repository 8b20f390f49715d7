// Figures: what a benchmark has found, and the JSON that scripts/bench makes its table of.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daq/json_text.hpp"

namespace strigil::bench {

/// One line of the table. The bar is on `judged`: the median of the rounds' ratios, or our own figure where there is
/// nothing to compare with.
struct Figure {
  std::string name;
  std::string unit;  ///< of ours and reference
  double ours = 0;
  std::optional<double> reference = std::nullopt;
  double judged = 0;
  std::optional<double> at_least = std::nullopt;
  std::optional<double> at_most = std::nullopt;
  std::string note = {};
};

/// What every benchmark program is told on its command line.
struct Options {
  bool quick = false;   ///< fewer and shorter rounds
  bool smoke = false;   ///< only shows that it still runs: its figures mean nothing
  std::string out;      ///< JSON file to write
  std::string program;  ///< path of `strigil`, for those who run it

  /// How much of something to do.
  template <typename T>
  [[nodiscard]] T choose(T in_full, T in_haste, T for_smoke) const {
    return smoke ? for_smoke : quick ? in_haste : in_full;
  }
};

[[noreturn]] inline void give_up(const std::string& why) {
  std::fprintf(stderr, "benchmark not measured: %s\n", why.c_str());
  std::exit(3);
}

inline Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--quick") {
      options.quick = true;
    } else if (argument == "--smoke") {
      options.smoke = true;
    } else if (argument == "--out" && i + 1 < argc) {
      options.out = argv[++i];
    } else if (argument == "--strigil" && i + 1 < argc) {
      options.program = argv[++i];
    } else {
      give_up("unknown option " + std::string(argument) +
              "; there are --quick, --smoke, --out FILE and --strigil PROGRAM");
    }
  }
  return options;
}

/// Nearest rank. Precondition: not empty, 0 <= p <= 1.
inline double percentile(std::vector<double> values, double p) {
  assert(!values.empty());
  const auto rank = static_cast<std::size_t>(p * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rank), values.end());
  return values[rank];
}
inline double median(std::vector<double> values) { return percentile(std::move(values), 0.5); }

/// The rounds of one comparison: ours and the reference measured right after one another, so that what else this
/// computer does weighs on both.
struct Rounds {
  std::vector<double> ours, reference, ratios;
  void add(double our_figure, double reference_figure) {
    ours.push_back(our_figure);
    reference.push_back(reference_figure);
    ratios.push_back(our_figure / reference_figure);
  }
};

/// The medians of `rounds` as a figure, its bar still to be set.
inline Figure figure_of(std::string name, std::string unit, const Rounds& rounds) {
  Figure f;
  f.name = std::move(name);
  f.unit = std::move(unit);
  f.ours = median(rounds.ours);
  f.reference = median(rounds.reference);
  f.judged = median(rounds.ratios);
  char text[80];
  std::snprintf(text, sizeof text, "ratios of %zu rounds: %.3g to %.3g", rounds.ratios.size(),
                percentile(rounds.ratios, 0), percentile(rounds.ratios, 1));
  f.note = text;
  return f;
}

/// Writes the figures to `options.out` (or standard output); the exit code of the program.
inline int report(const Options& options, const std::vector<Figure>& figures) {
  auto all = nlohmann::ordered_json::array();
  for (const auto& f : figures) {
    nlohmann::ordered_json one{{"name", f.name}, {"unit", f.unit}, {"ours", f.ours}, {"judged", f.judged}};
    if (f.reference) one["reference"] = *f.reference;
    if (f.at_least) one["at_least"] = *f.at_least;
    if (f.at_most) one["at_most"] = *f.at_most;
    if (!f.note.empty()) one["note"] = f.note;
    all.push_back(one);
  }
  const auto text = daq::json_text(all, 1);
  if (options.out.empty()) {
    std::printf("%s\n", text.c_str());
    return 0;
  }
  std::ofstream file(options.out);
  file << text << '\n';
  return file ? 0 : 3;
}

}  // namespace strigil::bench
