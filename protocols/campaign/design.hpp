// Design: the factors of a campaign expanded to its trials, before anything moves. Pure, any thread.
//
// Factors with levels are crossed, or nested in another (levels of their own under each of its levels). Factors with a
// range, and those that are `drawn`, are drawn together by Latin hypercube (McKay, Beckman & Conover 1979): of n draws
// each n-th part of every range holds one. The draws are the same in every cell of the crossing, so cells are compared
// like with like.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "daq/result.hpp"

namespace strigil::protocols {

/// Of a factor in a trial: a number, in the unit of the factor's name, or a word.
using Level = std::variant<double, std::string>;
/// Shortest text that reads as the same level.
std::string text_of(const Level& level);

struct Factor {
  std::string name;           ///< "phantom", "normal_force_N", ... (suite_file.hpp knows them)
  std::vector<Level> levels;  ///< each its own; empty where it is nested or has a range
  std::string nested_in;      ///< name of a factor before this one; empty: crossed
  std::map<std::string, std::vector<Level>> levels_within;  ///< by the text of the outer level; each outer one is there
  double low = 0;                                           ///< of a range, low < high
  double high = 0;
  bool ranged = false;
  bool drawn = false;  ///< levels are dealt by Latin hypercube, as evenly as the number of draws allows
};

enum class TrialOrder : std::uint8_t { kAsWritten, kRandom };

struct Design {
  std::vector<Factor> factors;
  std::size_t draws = 0;  ///< of the Latin hypercube; 0: nothing is drawn
  TrialOrder order = TrialOrder::kAsWritten;
  std::vector<std::string> blocks;  ///< factors whose levels change as seldom as may be
  std::uint64_t seed = 1;           ///< of draws, of order, and of each trial's own seed
};

/// One cell of the design. Immutable.
struct Trial {
  std::string id;             ///< of what is set and nothing else: the same in every order and beside other levels
  std::vector<Level> levels;  ///< by factor
  std::size_t block = 0;      ///< from 0, in the order they come
  std::uint64_t seed = 0;     ///< of a simulated bench; of the design's seed and the id
};

inline constexpr std::size_t kMostTrials = 100'000;

/// In the order they are to be run. Errors, in words: no factors, a factor twice, a level twice, a nested factor's
/// outer one missing or coming after it, a range that is none, draws without something drawn or the reverse, draws that
/// hold one trial twice, more than kMostTrials.
daq::Result<std::vector<Trial>> expand(const Design& design);
/// The level of the factor of that name, or null.
const Level* level_of(const Design& design, const Trial& trial, const std::string& factor);
/// "phantom healthy, normal_force_N 2", for people.
std::string words_of(const Design& design, const Trial& trial);

}  // namespace strigil::protocols
