#include "protocols/calibrate/force_procedure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "protocols/calibrate/force_axes.hpp"
#include "protocols/calibrate/kinds.hpp"

namespace strigil::protocols {
namespace {

constexpr double kMillimetre = 1e-3;
constexpr double kPercent = 1e-2;
constexpr double kDegree = std::numbers::pi / 180;
/// When a creep test is read, s after the change of load; ISO 376 asks for 30 and 300 (metrology.md 1.1 [M]).
constexpr double kCreepTimes_s[] = {5, 10, 20, 30, 60, 120, 200, 300, 600, 1200, 1800};

constexpr const char* kAxisNames[] = {"x", "y", "z"};

}  // namespace

/// Puts the steps of a plan together.
class ForceSteps {
 public:
  ForceSteps(ForceProcedure& procedure, const ForceAxes& axes) : p_(procedure), axes_(axes) {}

  void make() {
    add({.kind = ProcedureStepKind::kLift, .name = "lift to the clear height"});
    wait(p_.plan_.warm_up_s, "warming up");
    places();
    confirm("Nothing may touch the instrument. Bring up what carries the loads, without any load");
    series();
    creep();
    laterals();
    temperature("after all series");
    warm();
    confirm("Take everything off the instrument");
  }

 private:
  std::size_t add(ProcedureStep step) {
    p_.steps_.push_back(std::move(step));
    return p_.steps_.size() - 1;
  }
  void confirm(const std::string& words) {
    add({.kind = ProcedureStepKind::kHands, .name = "by hand", .hands = {.words = words}});
  }
  void wait(double s, const std::string& name) {
    if (s > 0) add({.kind = ProcedureStepKind::kWait, .name = name, .duration_s = s});
  }
  std::size_t measure(const std::string& name) {
    return add({.kind = ProcedureStepKind::kMeasure, .name = name, .duration_s = p_.plan_.read_s});
  }

  void load(const std::array<double, 3>& force_N, const std::string& words, const std::string& name) {
    add({.kind = ProcedureStepKind::kHands,
         .name = name,
         .hands = {.task = HandsTask::kLoad, .words = words, .load_N = force_N}});
  }
  std::array<double, 3> normal(double force_N) const {
    std::array<double, 3> out{};
    out[axes_.normal] = axes_.sign * force_N;
    return out;
  }
  std::size_t read_load(const ForceProcedure::Load& l, const std::string& name) {
    load(normal(l.force_N), fmt::format("Put on {}", l.words), name);
    wait(p_.plan_.settle_s, name);
    return measure(name);
  }
  std::size_t read_zero(const std::string& name) {
    load({}, "Take all loads off", name);
    wait(p_.plan_.settle_s, name);
    return measure(name);
  }

  void places() {
    for (std::size_t i = 0; i < p_.plan_.places_m.size(); ++i) {
      const auto name = fmt::format("zero at place {}", i + 1);
      add({.kind = ProcedureStepKind::kMove,
           .name = name,
           .target_m = p_.plan_.places_m[i],
           .speed_m_s = p_.plan_.place_speed_m_s});
      wait(1, name);  // what the move shook dies out [A]
      p_.places_.push_back(measure(name));
    }
    if (!p_.places_.empty()) add({.kind = ProcedureStepKind::kLift, .name = "lift to the clear height"});
  }

  void preload(int times) {
    const auto& most = p_.loads_.back();
    for (int i = 0; i < times; ++i) {
      const auto name = fmt::format("preload {}", i + 1);
      load(normal(most.force_N), fmt::format("Preload: put on {}", most.words), name);
      wait(p_.plan_.preload_s, name);
      load({}, "Take all loads off", name);
      wait(p_.plan_.settle_s, name);
    }
  }

  /// Of the bench; nothing where nobody is to read it.
  void temperature(const std::string& when) {
    if (p_.plan_.read_temperature) p_.temperatures_.push_back(read_temperature(when));
  }
  std::size_t read_temperature(const std::string& when) {
    return add({.kind = ProcedureStepKind::kHands,
                .name = "temperature " + when,
                .hands = {.task = HandsTask::kReading,
                          .words = "Read the temperature of the bench " + when,
                          .reference = "temperature",
                          .unit = "degC",
                          .low = -40,
                          .high = 100}});
  }
  void warm() {
    for (const double at_C : p_.plan_.temperature_C) {
      const auto name = fmt::format("at {:g} degrees C", at_C);
      add({.kind = ProcedureStepKind::kHands,
           .name = name,
           .hands = {.task = HandsTask::kWarm,
                     .words = fmt::format("Bring the bench to {:g} degrees C, and wait until all of it has that", at_C),
                     .temperature_C = at_C}});
      preload(1);
      WarmSteps w;
      w.temperature = read_temperature(name);
      w.zero = read_zero(name + " zero");
      for (const auto& l : p_.loads_) w.loads.push_back(read_load(l, fmt::format("{} {:g} N", name, l.nominal_N)));
      p_.warm_.push_back(std::move(w));
    }
  }

  void one_series(const std::string& up, const std::string& down, double azimuth_rad) {
    ForceSeriesSteps s;
    s.azimuth_rad = azimuth_rad;
    s.zero_before = read_zero(fmt::format("{} zero before", up));
    for (const auto& l : p_.loads_) s.rising.push_back(read_load(l, fmt::format("{} {:g} N", up, l.nominal_N)));
    if (!down.empty()) {
      for (std::size_t i = p_.loads_.size() - 1; i-- > 0;) {
        s.falling.push_back(read_load(p_.loads_[i], fmt::format("{} {:g} N", down, p_.loads_[i].nominal_N)));
      }
      std::reverse(s.falling.begin(), s.falling.end());
    }
    s.zero_after = read_zero(fmt::format("{} zero after", up));
    p_.series_.push_back(s);
  }

  void turn(double azimuth_rad) {
    const auto words =
        fmt::format("Turn what carries the loads to {:g} degrees about the sensor's axis, and put it up anew",
                    std::round(azimuth_rad / kDegree));
    add({.kind = ProcedureStepKind::kHands,
         .name = "turn",
         .hands = {.task = HandsTask::kTurn, .words = words, .azimuth_rad = azimuth_rad}});
  }

  void series() {
    const auto& at = p_.plan_.positions_rad;
    temperature("before the series");
    turn(at[0]);
    preload(p_.plan_.preloads);
    one_series("X1", "", at[0]);
    one_series("X2", "", at[0]);
    temperature("after X2");
    turn(at[1]);
    preload(1);
    one_series("X3", "X4'", at[1]);
    turn(at[2]);
    preload(1);
    one_series("X5", "X6'", at[2]);
  }

  /// Readings at the times of a creep test, the last of them at its end.
  std::vector<std::size_t> watch(const std::string& what) {
    std::vector<std::size_t> out;
    double now_s = 0;
    for (const double t : kCreepTimes_s) {
      const double begin_s = t - p_.plan_.read_s / 2;
      if (begin_s < now_s || t > p_.plan_.creep_s) continue;
      wait(begin_s - now_s, what);
      out.push_back(measure(fmt::format("{} {:g} s", what, t)));
      now_s = begin_s + p_.plan_.read_s;
    }
    return out;
  }

  void creep() {
    if (p_.plan_.creep_s <= 0) return;
    p_.creep_zero_ = read_zero("creep: zero before");
    const auto& most = p_.loads_.back();
    load(normal(most.force_N), fmt::format("Creep: put on {}", most.words), "creep");
    p_.creep_ = watch("creep");
    load({}, "Take all loads off", "recovery");
    p_.recovery_ = watch("recovery");
  }

  void lateral(std::size_t axis, double sign, double normal_N, bool validates) {
    LateralSteps s;
    s.axis = static_cast<rig::Axis>(axis);
    s.sign = sign;
    s.validates = validates;
    const auto title = fmt::format("side {}{}", sign > 0 ? "+" : "-", kAxisNames[axis]);
    s.zero_before = read_zero(title + " zero before");
    auto way = p_.lateral_;
    if (validates) way = {way.back()};
    const std::size_t up = way.size();
    for (std::size_t i = up - 1; i-- > 0;) way.push_back(way[i]);
    for (const auto& l : way) {
      const double force_N = l.force_N;
      auto both = normal(normal_N);
      both[axis] = sign * force_N;
      const auto words =
          fmt::format("Pull with {} along {}{} at the edge{}", l.words, sign > 0 ? "+" : "-", kAxisNames[axis],
                      normal_N > 0 ? fmt::format(", with {:g} N along the normal", normal_N) : "");
      const auto name = fmt::format("{} {:g} N", title, l.nominal_N);
      load(both, words, name);
      wait(p_.plan_.settle_s, name);
      s.loads.push_back(measure(name));
      s.force_N.push_back(sign * force_N);
      s.normal_N.push_back(normal_N);
    }
    s.zero_after = read_zero(title + " zero after");
    p_.laterals_.push_back(s);
  }

  void laterals() {
    if (p_.lateral_.empty()) return;
    for (const std::size_t axis : axes_.lateral) {
      for (const double sign : {1.0, -1.0}) {
        turn(0);  // a side load is put up anew for each direction
        lateral(axis, sign, 0, false);
      }
    }
    // Combined, as in a stroke, and not in the fit: metrology.md 1.7.
    const double half_N = p_.loads_[p_.loads_.size() / 2].force_N;
    for (const double sign : {1.0, -1.0}) {
      turn(0);
      lateral(axes_.lateral[0], sign, half_N, true);
    }
  }

  ForceProcedure& p_;
  const ForceAxes axes_;
};

ForceProcedure::Load ForceProcedure::load_of(double nominal_N, const ReferenceStandard& reference) {
  Load l{nominal_N, nominal_N, nominal_N * reference.expanded_relative / 2, fmt::format("{:g} N", nominal_N)};
  l.u_N = std::hypot(l.u_N, reference.expanded / 2);
  if (reference.masses.empty()) return l;
  const auto made = load_of_masses(nominal_N, reference);
  l.force_N = made.force_N;
  l.u_N = std::hypot(l.u_N, made.u_N);
  l.words = fmt::format("{:g} N: {}", nominal_N, made.words);
  return l;
}

ForceProcedure::ForceProcedure(ForcePlan plan, const ProcedureSetup& setup) : plan_(std::move(plan)) {
  for (const double force_N : plan_.forces_N) loads_.push_back(load_of(force_N, setup.reference));
  for (const double force_N : plan_.lateral_N) lateral_.push_back(load_of(force_N, setup.reference));
  ForceSteps(*this, *force_axes(setup.bench)).make();
}

namespace {

/// Rising, and not more than one can put on by hand.
std::vector<double> read_forces(daq::StrictTable& t, std::string_view key, std::size_t least,
                                std::optional<std::vector<double>> otherwise = std::nullopt) {
  constexpr std::size_t kMost = 40;
  auto forces = t.numbers(key, {0.01, 1000}, std::move(otherwise));
  if (forces.empty()) return forces;
  const bool rises = std::adjacent_find(forces.begin(), forces.end(), std::greater_equal<>()) == forces.end();
  if (!rises || forces.size() < least || forces.size() > kMost) {
    t.refuse(key, fmt::format("'{}' takes {} to {} forces that rise", key, least, kMost));
  }
  return forces;
}

/// False, and told: the weights at hand make no such load.
bool refuse_loads(daq::StrictTable& t, std::string_view key, const std::vector<double>& forces_N,
                  const ReferenceStandard& reference) {
  constexpr double kNear = 0.05;
  bool good = true;
  for (const double force_N : forces_N) {
    if (reference.masses.empty()) break;
    const auto made = load_of_masses(force_N, reference);
    if (std::abs(made.force_N - force_N) <= kNear * force_N) continue;
    t.refuse(key, fmt::format("the reference's weights make no load within 5 % of {:g} N; the nearest is {:.3g} N",
                              force_N, made.force_N));
    good = false;
  }
  return good;
}

std::vector<rig::Position> read_places(daq::StrictTable& t, const rig::BenchConfig& bench) {
  std::vector<rig::Position> out;
  auto places = t.tables("place");
  constexpr std::size_t kMost = 50;
  if (places.size() > kMost) t.refuse("place", fmt::format("at most {} places", kMost));
  for (auto& place : places) {
    rig::Position at{};
    constexpr const char* kKeys[] = {"x_mm", "y_mm", "z_mm"};
    for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
      const auto& stage = bench.stage;
      at[axis] = place.number(kKeys[axis], {-2000, 2000}) * kMillimetre;
      if (at[axis] < stage.travel_min_m[axis] || at[axis] > stage.travel_max_m[axis]) {
        place.refuse(kKeys[axis], fmt::format("'{}' lies outside the stage's travel on this bench", kKeys[axis]));
      }
    }
    place.finish();
    out.push_back(at);
  }
  return out;
}

void read_positions(daq::StrictTable& t, ForcePlan& p) {
  const auto degrees = t.numbers("positions_deg", {0, 360}, std::vector<double>{0, 120, 240});
  constexpr std::size_t kThree = 3;
  if (degrees.size() != kThree) t.refuse("positions_deg", "'positions_deg' takes three: X1 and X2, X3, X5");
  for (const double d : degrees) p.positions_rad.push_back(d * kDegree);
}

/// The box in which runs tare and stroke. Precondition: the places were read.
void read_use(daq::StrictTable& t, const rig::BenchConfig& bench, ForcePlan& p) {
  constexpr const char* kKeys[] = {"use_x_mm", "use_y_mm", "use_z_mm"};
  for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
    std::vector<double> all;
    for (const auto& place : p.places_m) all.push_back(place[axis]);
    if (axis == rig::kZ) all.push_back(bench.stage.clear_z_m);
    if (all.empty()) all.push_back(0);
    const auto [low, high] = std::minmax_element(all.begin(), all.end());
    const auto use =
        t.numbers(kKeys[axis], {-2000, 2000}, std::vector<double>{*low / kMillimetre, *high / kMillimetre});
    if (use.size() != 2 || use[0] > use[1]) {
      t.refuse(kKeys[axis], fmt::format("'{}' takes [lowest, highest]", kKeys[axis]));
      continue;
    }
    p.use_m[axis] = {use[0] * kMillimetre, use[1] * kMillimetre};
    const bool same = std::ranges::all_of(p.places_m, [&](const auto& at) { return at[axis] == p.places_m[0][axis]; });
    const bool as_read = use[0] * kMillimetre >= *low && use[1] * kMillimetre <= *high;
    if (same && !as_read && !p.places_m.empty()) {
      t.refuse(kKeys[axis], fmt::format("'{}' is wider than where the [[force.place]] lie, and no two of them differ "
                                        "along {}: nothing would be known of the zero there",
                                        kKeys[axis], "xyz"[axis]));
    }
  }
}

void read_budget(daq::StrictTable t, const rig::BenchConfig& bench, ForcePlan& p) {
  read_use(t, bench, p);
  p.sensitivity_per_K = t.number("sensitivity_percent_K", {-1, 1}, 0.0) * kPercent;
  const auto use = t.numbers("use_temperature_C", {-40, 100}, std::vector<double>{p.use_low_C, p.use_high_C});
  if (use.size() == 2 && use[0] <= use[1]) {
    p.use_low_C = use[0];
    p.use_high_C = use[1];
  } else {
    t.refuse("use_temperature_C", "'use_temperature_C' takes [lowest, highest]");
  }
  p.lateral_ratio = t.number("lateral_percent", {0, 200}, p.lateral_ratio / kPercent) * kPercent;
  p.crosstalk_unmeasured =
      t.number("crosstalk_unmeasured_percent", {0, 50}, p.crosstalk_unmeasured / kPercent) * kPercent;
  p.direction_rad = t.number("direction_deg", {0, 10}, p.direction_rad / kDegree) * kDegree;
  t.finish();
}

}  // namespace

std::unique_ptr<Procedure> read_force_procedure(daq::StrictTable t, const ProcedureSetup& setup) {
  ForcePlan p;
  constexpr std::size_t kFewest = 3;
  p.verifies = t.boolean("verifies", p.verifies);
  p.forces_N = read_forces(t, "forces_N", kFewest);
  p.warm_up_s = t.number("warm_up_s", {0, 14400}, p.warm_up_s);
  p.preloads = static_cast<int>(t.integer("preloads", {0, 10}, p.preloads));
  p.preload_s = t.number("preload_s", {0, 600}, p.preload_s);
  p.settle_s = t.number("settle_s", {0, 600}, p.settle_s);
  p.read_s = t.number("read_s", {0.1, 60}, p.read_s);
  read_positions(t, p);
  p.creep_s = t.number("creep_s", {0, 1800}, p.verifies ? 0 : p.creep_s);
  p.lateral_N = read_forces(t, "lateral_N", 1, std::vector<double>{});
  p.places_m = read_places(t, setup.bench);
  p.read_temperature = t.boolean("read_temperature", p.read_temperature);
  p.temperature_C = t.numbers("temperatures_C", {-40, 100}, std::vector<double>{});
  constexpr std::size_t kFewestWarm = 3;
  if (!p.temperature_C.empty() && p.temperature_C.size() < kFewestWarm) {
    t.refuse("temperatures_C", "'temperatures_C' takes three temperatures and more: two show no scatter");
  }
  p.place_speed_m_s = t.number("place_speed_mm_s", {0.1, 200}, p.place_speed_m_s / kMillimetre) * kMillimetre;
  p.degree = static_cast<int>(t.integer("degree", {1, 3}, p.degree));
  p.curve_degree = static_cast<int>(t.integer("curve_degree", {1, 3}, p.curve_degree));
  p.standard = t.text("standard", "ISO 376");
  if (p.standard != "ISO 376" && p.standard != "ASTM E74") {
    t.refuse("standard", "'standard' is \"ISO 376\" or \"ASTM E74\"");
  }
  if (p.verifies && (p.creep_s > 0 || !p.lateral_N.empty() || !p.places_m.empty() || !p.temperature_C.empty())) {
    t.refuse("verifies",
             "a verification has series alone: no 'creep_s', 'lateral_N', 'temperatures_C', [[force.place]]");
  }
  read_budget(t.table("budget"), setup.bench, p);
  const auto axes = force_axes(setup.bench);
  if (!axes) t.refuse("forces_N", axes.error().message);
  bool good = axes.ok() && p.positions_rad.size() == 3 && p.forces_N.size() >= kFewest;
  good = refuse_loads(t, "forces_N", p.forces_N, setup.reference) && good;
  good = refuse_loads(t, "lateral_N", p.lateral_N, setup.reference) && good;
  if (static_cast<std::size_t>(p.degree) >= p.forces_N.size() ||
      static_cast<std::size_t>(p.curve_degree) >= p.forces_N.size()) {
    t.refuse("degree", "a curve of so high a degree needs more forces");
    good = false;
  }
  t.finish();
  if (!good) return nullptr;
  return std::make_unique<ForceProcedure>(std::move(p), setup);
}

}  // namespace strigil::protocols
