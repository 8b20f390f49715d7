#include "protocols/campaign/design.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "calibration/record/digest.hpp"
#include "protocols/court/draws.hpp"

namespace strigil::protocols {
namespace {

constexpr std::size_t kIdDigits = 12;

bool is_drawn(const Factor& f) { return f.ranged || f.drawn; }

daq::Result<void> check_levels(const Factor& f, const std::vector<Level>& levels) {
  std::set<std::string> seen;
  for (const auto& level : levels) {
    if (const auto* number = std::get_if<double>(&level); number != nullptr && !std::isfinite(*number))
      return daq::Error{fmt::format("factor '{}' has a level that is no number", f.name)};
    if (!seen.insert(text_of(level)).second)
      return daq::Error{fmt::format("factor '{}' has the level {} twice", f.name, text_of(level))};
  }
  if (levels.empty()) return daq::Error{fmt::format("factor '{}' has no levels", f.name)};
  return {};
}

std::size_t index_of(const Design& d, const std::string& factor) {
  const auto at = std::find_if(d.factors.begin(), d.factors.end(), [&](const Factor& f) { return f.name == factor; });
  return static_cast<std::size_t>(at - d.factors.begin());
}

daq::Result<void> check_nested(const Design& d, std::size_t f) {
  const auto& factor = d.factors[f];
  const auto outer = index_of(d, factor.nested_in);
  if (outer >= f)
    return daq::Error{
        fmt::format("factor '{}' is nested in '{}', which is no factor before it", factor.name, factor.nested_in)};
  if (is_drawn(d.factors[outer]) || !d.factors[outer].nested_in.empty())
    return daq::Error{
        fmt::format("factor '{}' is nested in '{}', which is itself drawn or nested", factor.name, factor.nested_in)};
  for (const auto& level : d.factors[outer].levels) {
    const auto within = factor.levels_within.find(text_of(level));
    if (within == factor.levels_within.end())
      return daq::Error{
          fmt::format("factor '{}' has no levels within {} {}", factor.name, factor.nested_in, text_of(level))};
    if (auto ok = check_levels(factor, within->second); !ok) return ok;
  }
  if (factor.levels_within.size() != d.factors[outer].levels.size())
    return daq::Error{
        fmt::format("factor '{}' has levels within something that is no level of '{}'", factor.name, factor.nested_in)};
  return {};
}

daq::Result<void> check(const Design& d) {
  if (d.factors.empty()) return daq::Error{"a design needs a factor"};
  std::set<std::string> names;
  bool any_drawn = false;
  for (std::size_t f = 0; f < d.factors.size(); ++f) {
    const auto& factor = d.factors[f];
    if (!names.insert(factor.name).second)
      return daq::Error{fmt::format("the factor '{}' is there twice", factor.name)};
    any_drawn = any_drawn || is_drawn(factor);
    if (!factor.nested_in.empty()) {
      if (is_drawn(factor)) return daq::Error{fmt::format("factor '{}' is nested and drawn", factor.name)};
      if (auto ok = check_nested(d, f); !ok) return ok;
    } else if (factor.ranged) {
      if (!std::isfinite(factor.low) || !std::isfinite(factor.high) || factor.low >= factor.high)
        return daq::Error{fmt::format("factor '{}': a range goes from a lower number to a higher one", factor.name)};
    } else if (auto ok = check_levels(factor, factor.levels); !ok) {
      return ok;
    }
  }
  for (const auto& block : d.blocks) {
    const auto f = index_of(d, block);
    if (f == d.factors.size()) return daq::Error{fmt::format("blocks: there is no factor '{}'", block)};
    if (d.factors[f].ranged) return daq::Error{fmt::format("blocks: '{}' has a range and no levels", block)};
  }
  if (any_drawn && d.draws == 0)
    return daq::Error{"a factor has a range or is drawn, and the design does not say how many draws"};
  if (!any_drawn && d.draws > 0) return daq::Error{"the design has draws, and no factor that is drawn"};
  return {};
}

/// A permutation of 0 .. n-1 (Fisher & Yates).
std::vector<std::size_t> shuffled(std::size_t n, Draws& draws) {
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[draws.below(i)]);
  return order;
}

/// By draw, the level of each factor that is drawn (others: nothing of use).
std::vector<std::vector<Level>> hypercube(const Design& d) {
  std::vector<std::vector<Level>> out(d.draws, std::vector<Level>(d.factors.size()));
  for (std::size_t f = 0; f < d.factors.size(); ++f) {
    const auto& factor = d.factors[f];
    if (!is_drawn(factor)) continue;
    Draws draws(d.seed, f + 1);
    const auto strata = shuffled(d.draws, draws);
    for (std::size_t i = 0; i < d.draws; ++i) {
      if (factor.ranged) {
        const double part = (static_cast<double>(strata[i]) + draws.uniform()) / static_cast<double>(d.draws);
        out[i][f] = factor.low + (factor.high - factor.low) * part;
      } else {
        out[i][f] = factor.levels[strata[i] * factor.levels.size() / d.draws];
      }
    }
  }
  return out;
}

/// Every combination of the factors that are not drawn, the last one fastest.
daq::Result<std::vector<std::vector<Level>>> crossing(const Design& d) {
  std::vector<std::vector<Level>> cells{std::vector<Level>(d.factors.size())};
  for (std::size_t f = 0; f < d.factors.size(); ++f) {
    const auto& factor = d.factors[f];
    if (is_drawn(factor)) continue;
    std::vector<std::vector<Level>> next;
    for (const auto& cell : cells) {
      const auto& levels = factor.nested_in.empty()
                               ? factor.levels
                               : factor.levels_within.at(text_of(cell[index_of(d, factor.nested_in)]));
      if (next.size() + levels.size() > kMostTrials)
        return daq::Error{fmt::format("the design has more than {} trials", kMostTrials)};
      for (const auto& level : levels) {
        next.push_back(cell);
        next.back()[f] = level;
      }
    }
    cells = std::move(next);
  }
  return cells;
}

std::string id_of(const Design& d, const std::vector<Level>& levels) {
  std::map<std::string, std::string> settings;
  for (std::size_t f = 0; f < levels.size(); ++f) settings[d.factors[f].name] = text_of(levels[f]);
  std::string whole;
  for (const auto& [name, level] : settings)
    whole += fmt::format("{}:{}={}:{}\n", name.size(), name, level.size(), level);
  return "t" + calibration::sha256_hex(whole).substr(0, kIdDigits);
}

/// Of the levels of the factors that make blocks.
std::string block_of(const Design& d, const Trial& t) {
  std::string key;
  for (const auto& name : d.blocks) key += text_of(*level_of(d, t, name)) + '\n';
  return key;
}

void put_in_order(const Design& d, std::vector<Trial>& trials) {
  Draws draws(d.seed, 0);
  if (d.order == TrialOrder::kRandom) {
    const auto order = shuffled(trials.size(), draws);
    std::vector<Trial> mixed;
    mixed.reserve(trials.size());
    for (const auto i : order) mixed.push_back(std::move(trials[i]));
    trials = std::move(mixed);
  }
  // Blocks come in the order in which their first trial does: with a random order, that one is random too.
  std::map<std::string, std::size_t> numbers;
  for (auto& t : trials) t.block = numbers.emplace(block_of(d, t), numbers.size()).first->second;
  std::stable_sort(trials.begin(), trials.end(), [](const Trial& a, const Trial& b) { return a.block < b.block; });
}

}  // namespace

std::string text_of(const Level& level) {
  if (const auto* word = std::get_if<std::string>(&level)) return *word;
  return fmt::format("{}", std::get<double>(level));
}

daq::Result<std::vector<Trial>> expand(const Design& d) {
  if (auto ok = check(d); !ok) return ok.error();
  const auto cells = crossing(d);
  if (!cells) return cells.error();
  const std::size_t draws = std::max<std::size_t>(d.draws, 1);
  if (cells->size() > kMostTrials / draws)
    return daq::Error{fmt::format("the design has more than {} trials", kMostTrials)};
  const auto drawn = hypercube(d);
  std::vector<Trial> trials;
  std::set<std::string> ids;
  for (const auto& cell : *cells) {
    for (std::size_t i = 0; i < draws; ++i) {
      Trial t;
      t.levels = cell;
      for (std::size_t f = 0; f < d.factors.size(); ++f) {
        if (is_drawn(d.factors[f])) t.levels[f] = drawn[i][f];
      }
      t.id = id_of(d, t.levels);
      if (!ids.insert(t.id).second)
        return daq::Error{
            fmt::format("the draws hold one trial twice ({}): where all that is drawn has few levels, ask "
                        "for fewer draws and give a factor 'repeat'",
                        words_of(d, t))};
      t.seed = Draws(d.seed, std::stoull(t.id.substr(1), nullptr, 16)).next() >> 1U;  // a TOML integer holds it
      trials.push_back(std::move(t));
    }
  }
  put_in_order(d, trials);
  return trials;
}

const Level* level_of(const Design& d, const Trial& trial, const std::string& factor) {
  const auto f = index_of(d, factor);
  return f < trial.levels.size() ? &trial.levels[f] : nullptr;
}

std::string words_of(const Design& d, const Trial& trial) {
  std::string words;
  for (std::size_t f = 0; f < trial.levels.size(); ++f)
    words += fmt::format("{}{} {}", f == 0 ? "" : ", ", d.factors[f].name, text_of(trial.levels[f]));
  return words;
}

}  // namespace strigil::protocols
