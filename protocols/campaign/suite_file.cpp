#include "protocols/campaign/suite_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "daq/strict_toml.hpp"
#include "protocols/campaign/detector_figures.hpp"
#include "protocols/campaign/measure.hpp"
#include "protocols/detectors/detector_factory.hpp"

namespace strigil::protocols {
namespace {

constexpr double kAnything = 1e12;

enum class LevelKind : std::uint8_t { kWord, kNumber, kCount };
struct KnownFactor {
  std::string_view name;
  LevelKind kind;
  double low;
  double high;
};
/// Ranges are generous: the protocol's and the bench's own are asked before anything moves.
constexpr std::array<KnownFactor, 12> kFactors{{{"phantom", LevelKind::kWord, 0, 0},
                                                {"condition", LevelKind::kWord, 0, 0},
                                                {"targets", LevelKind::kWord, 0, 0},
                                                {"instrument", LevelKind::kWord, 0, 0},
                                                {"emollient", LevelKind::kWord, 0, 0},
                                                {"protocol", LevelKind::kWord, 0, 0},
                                                {"operator", LevelKind::kWord, 0, 0},
                                                {"direction", LevelKind::kWord, 0, 0},
                                                {"normal_force_N", LevelKind::kNumber, 0, 200},
                                                {"speed_mm_s", LevelKind::kNumber, 0, 1000},
                                                {"angle_deg", LevelKind::kNumber, 0, 180},
                                                {"repeat", LevelKind::kCount, 1, 1e5}}};

bool is_path(const std::string& name) { return name.starts_with("protocol.") || name.starts_with("bench."); }

std::optional<KnownFactor> known(const std::string& name) {
  const auto at = std::find_if(kFactors.begin(), kFactors.end(), [&](const auto& f) { return f.name == name; });
  if (at != kFactors.end()) return *at;
  if (is_path(name)) return KnownFactor{"", LevelKind::kNumber, -kAnything, kAnything};
  return std::nullopt;
}

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  });
}

std::vector<Level> levels_of(daq::StrictTable& t, std::string_view key, const KnownFactor& f) {
  std::vector<Level> out;
  if (f.kind == LevelKind::kWord) {
    for (auto& word : t.texts(key)) out.emplace_back(std::move(word));
  } else if (f.kind == LevelKind::kCount) {
    const auto count = t.integer(key, {f.low, f.high});
    for (std::int64_t i = 1; i <= count; ++i) out.emplace_back(static_cast<double>(i));
  } else {
    for (const double number : t.numbers(key, {f.low, f.high})) out.emplace_back(number);
  }
  return out;
}

Factor read_factor(daq::StrictTable& t) {
  Factor f;
  f.name = t.text("name");
  const auto kind = known(f.name);
  if (!kind) {
    t.refuse("name", fmt::format("'{}' is no factor; there are: {}, and any number of the protocol or the bench as "
                                 "protocol.TABLE.KEY or bench.TABLE.KEY",
                                 f.name, fmt::join(factor_names(), ", ")));
    return f;
  }
  f.drawn = t.boolean("drawn", false);
  if (t.has("range")) {
    f.ranged = true;
    if (kind->kind != LevelKind::kNumber) t.refuse("range", fmt::format("'{}' has levels, not a range", f.name));
    const auto range = t.numbers("range", {kind->low, kind->high});
    if (range.size() != 2 || range[0] >= range[1]) {
      t.refuse("range", "a range is [lowest, highest]");
    } else {
      f.low = range[0];
      f.high = range[1];
    }
  } else if (t.has("nested_in")) {
    f.nested_in = t.text("nested_in");
    auto within = t.table("within", true);
    for (const auto& outer : within.keys()) f.levels_within[outer] = levels_of(within, outer, *kind);
    within.finish();
  } else {
    f.levels = levels_of(t, "levels", *kind);
  }
  if (f.name == "targets") {
    for (const auto& level : f.levels) {
      if (level != Level("as_made") && level != Level("none") && level != Level("air"))
        t.refuse("levels",
                 "targets are \"as_made\", \"none\" (the same phantom in which they differ in nothing), or "
                 "\"air\": strokes above it that touch nothing");
    }
  }
  t.finish();
  return f;
}

Design read_design(daq::StrictTable& root) {
  Design d;
  auto t = root.table("design");
  const auto order = t.text("order", "as_written");
  if (order == "random") {
    d.order = TrialOrder::kRandom;
  } else if (order != "as_written") {
    t.refuse("order", "the order is \"as_written\" or \"random\"");
  }
  d.seed = static_cast<std::uint64_t>(t.integer("seed", {0, 9e15}, 1));
  d.draws = static_cast<std::size_t>(t.integer("draws", {0, static_cast<double>(kMostTrials)}, 0));
  d.blocks = t.texts("blocks", std::vector<std::string>{});
  t.finish();
  for (auto& factor : root.tables("factor")) d.factors.push_back(read_factor(factor));
  if (d.factors.empty()) root.refuse("factor", "a suite needs a [[factor]]");
  return d;
}

/// `at_least` and `at_most`; one of them must be there.
Band read_limits(daq::StrictTable& t) {
  Band band;
  if (t.has("at_least")) band.low = t.number("at_least", {-kAnything, kAnything});
  if (t.has("at_most")) band.high = t.number("at_most", {-kAnything, kAnything});
  if (!t.has("at_least") && !t.has("at_most")) t.refuse("at_least", "it needs at_least or at_most, or both");
  if (band.low > band.high) t.refuse("at_least", "at_least is above at_most");
  t.pass_over("at_least");
  t.pass_over("at_most");
  return band;
}

std::string one_of(daq::StrictTable& t, std::string_view key, const std::vector<std::string>& names,
                   std::optional<std::string> otherwise = std::nullopt) {
  auto name = t.text(key, otherwise);
  if (t.has(key) && std::find(names.begin(), names.end(), name) == names.end())
    t.refuse(key, fmt::format("'{}' is not one of: {}", name, fmt::join(names, ", ")));
  return name;
}

MeasureRule read_measure(daq::StrictTable& t) {
  MeasureRule m;
  m.name = one_of(t, "name", measure_names());
  m.phase = t.text("phase", "");
  m.statistic = one_of(t, "statistic", {"worst", "mean"}, "worst") == "mean" ? Statistic::kMean : Statistic::kWorst;
  m.limits = read_limits(t);
  m.marginal = t.number("marginal", {0, kAnything}, 0);
  if (m.marginal * 2 > m.limits.high - m.limits.low)
    t.refuse("marginal", "the marginal bands at both limits leave nothing between them");
  m.fails = t.boolean("fails", true);
  t.finish();
  return m;
}

Band read_band(daq::StrictTable& t, std::string_view key) {
  const auto ends = t.numbers(key, {-kAnything, kAnything});
  if (ends.size() == 2 && ends[0] <= ends[1]) return {ends[0], ends[1]};
  t.refuse(key, fmt::format("'{}' is [lowest, highest]", key));
  return {};
}

DuringRule read_during(daq::StrictTable& t) {
  DuringRule d;
  d.name = t.text("name");
  d.phase = t.text("phase", "");
  d.signal = one_of(t, "signal", signal_names());
  d.band = read_band(t, "between");
  if (t.has("while")) {
    d.guard = one_of(t, "while", signal_names());
    d.guard_band = read_band(t, "while_between");
  }
  d.for_s = t.number("for_s", {0, 3600}, 0);
  t.finish();
  return d;
}

UntilRule read_until(daq::StrictTable& t, const std::vector<std::string>& measures,
                     const std::optional<GageRule>& gage) {
  UntilRule u;
  u.gage = t.boolean("gage", false);
  if (u.gage) {
    if (!gage) t.refuse("gage", "'gage' asks for the verdict of [gage], which is not there");
    if (gage) u.measure = gage->measure;
    for (const auto* key : {"measure", "half_width"}) {
      if (t.has(key)) t.refuse(key, "with 'gage' it is [gage]'s measure that is decided, without a half_width");
    }
  } else {
    u.measure = one_of(t, "measure", measures);
    u.half_width = t.number("half_width", {1e-12, kAnything});
  }
  u.looks = static_cast<std::uint64_t>(t.integer("looks", {1, 1000}, 5));
  u.confidence = t.number("confidence", {0.5, 0.9999}, 0.95);
  t.finish();
  return u;
}

GageRule read_gage(daq::StrictTable& t, const std::vector<std::string>& measures, const Design& design) {
  std::vector<std::string> factors;
  for (const auto& f : design.factors) factors.push_back(f.name);
  GageRule g;
  g.measure = one_of(t, "measure", measures);
  g.part = one_of(t, "part", factors);
  g.appraiser = one_of(t, "appraiser", factors);
  if (t.has("tolerance")) g.tolerance = t.number("tolerance", {1e-12, kAnything});
  t.finish();
  return g;
}

Surroundings read_surroundings(daq::StrictTable t) {
  Surroundings s;
  s.home = t.text("home", "");
  if (s.home.find_first_not_of("xyz") != std::string::npos) t.refuse("home", "axes are x, y and z, as in \"xyz\"");
  s.protocol = t.text("protocol", "");
  t.finish();
  return s;
}

DatasetText read_dataset(daq::StrictTable t) {
  DatasetText d;
  d.title = t.text("title", "");
  d.description = t.text("description", "");
  d.creators = t.texts("creators", std::vector<std::string>{});
  d.keywords = t.texts("keywords", std::vector<std::string>{});
  d.licence = t.text("licence", d.licence);
  d.train_percent = t.number("train_percent", {0, 100}, d.train_percent);
  d.test_percent = t.number("test_percent", {0, 100}, d.test_percent);
  if (d.train_percent + d.test_percent > 100) t.refuse("test_percent", "train and test are more than the whole");
  t.finish();
  return d;
}

void read_head(Suite& s, daq::StrictTable& root) {
  auto t = root.table("suite", true);
  s.name = t.text("name");
  if (t.has("name") && !is_name(s.name)) t.refuse("name", "a name is 1 to 64 of a-z A-Z 0-9 _ -");
  s.title = t.text("title", "");
  s.description = t.text("description", "");
  s.version = t.text("version", "");
  s.bench = t.text("bench");
  s.protocol = t.text("protocol", std::string(kProtocolOfPhantom));
  s.virtual_time = one_of(t, "time", {"virtual", "real"}, "real") == "virtual";
  s.keep_phases = t.texts("keep_phases", std::vector<std::string>{});
  s.attempts = static_cast<int>(t.integer("attempts", {1, 100}, s.attempts));
  s.give_up_after = static_cast<int>(t.integer("give_up_after", {0, 1e6}, 0));
  t.finish();
  auto specimen = root.table("specimen");
  s.phantom = specimen.text("phantom", "");
  s.instrument = specimen.text("instrument", "");
  s.emollient = specimen.text("emollient", "");
  specimen.finish();
  auto change = root.table("change");
  s.change_protocol = change.table("protocol").as_toml();
  s.change_bench = change.table("bench").as_toml();
  change.finish();
}

}  // namespace

std::string key_of(const MeasureRule& rule) { return rule.phase.empty() ? rule.name : rule.phase + "/" + rule.name; }

std::vector<std::string> factor_names() {
  std::vector<std::string> names;
  for (const auto& f : kFactors) names.emplace_back(f.name);
  return names;
}

daq::Result<Suite> parse_suite(std::string_view text, const std::string& file) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  Suite s;
  s.file = file;
  s.text = std::string(text);
  read_head(s, root);
  s.design = read_design(root);
  for (auto& t : root.tables("measure")) s.measures.push_back(read_measure(t));
  for (auto& t : root.tables("during")) s.durings.push_back(read_during(t));
  auto judged = root.table("judge");
  s.detectors = judged.texts("detectors", std::vector<std::string>{});
  for (const auto& name : s.detectors) {
    const auto known = shipped_detectors();
    if (std::find(known.begin(), known.end(), name) == known.end())
      judged.refuse("detectors", fmt::format("'{}' is no detector of ours: {}", name, fmt::join(known, ", ")));
  }
  s.valid_percent = judged.number("valid_percent", {0, 100}, 100);
  s.pass_percent = judged.number("pass_percent", {0, 100}, 100);
  judged.finish();
  auto named = s.detectors;
  for (auto& t : root.tables("detector")) {
    CommandedDetector d{t.text("name"), t.text("command")};
    const auto known = shipped_detectors();
    if (d.name.empty() || std::find(known.begin(), known.end(), d.name) != known.end() ||
        std::find(named.begin(), named.end(), d.name) != named.end()) {
      t.refuse("name",
               fmt::format("'{}' is empty, one of ours, or there twice: a report tells detectors by it", d.name));
    }
    if (d.command.find("{endpoint}") == std::string::npos || d.command.find("{answers}") == std::string::npos)
      t.refuse("command", "it must take {endpoint} (where to listen) and {answers} (where to answer)");
    t.finish();
    named.push_back(d.name);
    s.commanded.push_back(std::move(d));
  }
  for (auto& t : root.tables("accept")) {
    AcceptRule a;
    a.detector = one_of(t, "detector", named);
    a.figure = one_of(t, "figure", figure_names());
    a.by_interval = one_of(t, "by", {"value", "interval"}, "value") == "interval";
    a.limits = read_limits(t);
    t.finish();
    s.accepts.push_back(std::move(a));
  }
  std::vector<std::string> measures;
  for (const auto& m : s.measures) measures.push_back(key_of(m));
  if (auto t = root.table("gage"); t.present()) s.gage = read_gage(t, measures, s.design);
  if (auto t = root.table("until"); t.present()) s.until = read_until(t, measures, s.gage);
  s.setup = read_surroundings(root.table("setup"));
  s.teardown = read_surroundings(root.table("teardown"));
  s.dataset = read_dataset(root.table("dataset"));
  const auto has = [&](const char* name) {
    return std::any_of(s.design.factors.begin(), s.design.factors.end(),
                       [&](const Factor& f) { return f.name == name; });
  };
  if (has("phantom") && has("condition")) root.refuse("factor", "a condition is a phantom's: one of both factors");
  root.finish();
  if (document.error()) return *document.error();
  // What lines cannot say: how the factors go together.
  if (const auto trials = expand(s.design); !trials)
    return daq::Error{fmt::format("{}: {}", file, trials.error().message)};
  return s;
}

}  // namespace strigil::protocols
