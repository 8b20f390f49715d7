#include "sim/fault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace strigil::sim {
namespace {

using daq::Range;
using daq::StrictTable;

constexpr std::size_t kMostFaults = 32;

/// How a file writes one kind of fault. Keys that are null do not belong to it.
struct Spelling {
  std::string_view name;
  FaultKind kind;
  bool lasts = false;  ///< takes `for_s`
  const char* count_key = nullptr;
  Range count_range{1, 1e6};
  std::int64_t count = 1;  ///< when not said
  const char* size_key = nullptr;
  double unit = 1;  ///< of the file's value, in SI
  Range size_range{0, 0};
};
constexpr double kMillimetre = 1e-3;
constexpr double kMillisecond = 1e-3;

constexpr Spelling sized(std::string_view name, FaultKind kind, const char* key, double unit, Range range,
                         bool lasts = false) {
  return {.name = name, .kind = kind, .lasts = lasts, .size_key = key, .unit = unit, .size_range = range};
}

constexpr std::array kSpellings{
    Spelling{.name = "freeze_force", .kind = FaultKind::kFreezeForce, .lasts = true},
    Spelling{.name = "freeze_vibration", .kind = FaultKind::kFreezeVibration, .lasts = true},
    Spelling{.name = "silence_force", .kind = FaultKind::kSilenceForce, .lasts = true},
    Spelling{.name = "silence_vibration", .kind = FaultKind::kSilenceVibration, .lasts = true},
    Spelling{.name = "silence_stage", .kind = FaultKind::kSilenceStage, .lasts = true},
    Spelling{.name = "stall_stage", .kind = FaultKind::kStallStage, .lasts = true},
    Spelling{.name = "stage_alarm", .kind = FaultKind::kStageAlarm, .count_key = "alarm", .count_range = {1, 10}},
    Spelling{.name = "drop_force", .kind = FaultKind::kDropForce, .count_key = "count"},
    Spelling{.name = "drop_vibration", .kind = FaultKind::kDropVibration, .count_key = "count"},
    Spelling{.name = "damage_force", .kind = FaultKind::kDamageForce, .count_key = "count"},
    Spelling{.name = "damage_vibration", .kind = FaultKind::kDamageVibration, .count_key = "count"},
    sized("spike_force", FaultKind::kSpikeForce, "force_N", 1, {-1000, 1000}, true),
    sized("spike_vibration", FaultKind::kSpikeVibration, "acceleration_m_s2", 1, {-1e5, 1e5}, true),
    sized("bias_force", FaultKind::kBiasForce, "force_N", 1, {-1000, 1000}),
    Spelling{.name = "saturate_force", .kind = FaultKind::kSaturateForce, .lasts = true},
    Spelling{.name = "saturate_vibration", .kind = FaultKind::kSaturateVibration, .lasts = true},
    Spelling{.name = "flag_force", .kind = FaultKind::kFlagForce, .lasts = true, .count_key = "status"},
    Spelling{.name = "flag_vibration", .kind = FaultKind::kFlagVibration, .lasts = true},
    sized("rail_force", FaultKind::kRailForce, "force_N", 1, {-1000, 1000}, true),
    sized("jump_force_clock", FaultKind::kJumpForceClock, "clock_ms", kMillisecond, {-1e6, 1e6}),
    sized("jump_vibration_clock", FaultKind::kJumpVibrationClock, "clock_ms", kMillisecond, {-1e6, 1e6}),
    Spelling{.name = "reboot_force", .kind = FaultKind::kRebootForce},
    Spelling{.name = "reboot_vibration", .kind = FaultKind::kRebootVibration},
    Spelling{.name = "reboot_stage", .kind = FaultKind::kRebootStage},
    sized("lose_steps_x", FaultKind::kLoseStepsX, "lost_mm", kMillimetre, {0, 1000}),
    sized("lose_steps_z", FaultKind::kLoseStepsZ, "lost_mm", kMillimetre, {0, 1000}),
    Spelling{.name = "unplug_force", .kind = FaultKind::kUnplugForce, .lasts = true},
    Spelling{.name = "unplug_vibration", .kind = FaultKind::kUnplugVibration, .lasts = true},
    Spelling{.name = "unplug_stage", .kind = FaultKind::kUnplugStage, .lasts = true},
    Spelling{.name = "garbage_force", .kind = FaultKind::kGarbageForce, .count_key = "bytes", .count_range = {1, 1472}},
    Spelling{.name = "garbage_vibration",
             .kind = FaultKind::kGarbageVibration,
             .count_key = "bytes",
             .count_range = {1, 1472}},
    Spelling{.name = "garbage_stage", .kind = FaultKind::kGarbageStage, .count_key = "bytes", .count_range = {1, 1472}},
    Spelling{.name = "stall_host", .kind = FaultKind::kStallHost, .lasts = true},
    Spelling{.name = "kill_host", .kind = FaultKind::kKillHost},
    Spelling{.name = "fill_disk", .kind = FaultKind::kFillDisk},
    Spelling{.name = "freeze_subscriber", .kind = FaultKind::kFreezeSubscriber},
    Spelling{.name = "kill_subscriber", .kind = FaultKind::kKillSubscriber},
};

struct OriginName {
  std::string_view name;
  FaultOrigin origin;
};
constexpr std::array kOrigins{
    OriginName{"host", FaultOrigin::kHost},       OriginName{"approach", FaultOrigin::kApproach},
    OriginName{"contact", FaultOrigin::kContact}, OriginName{"stroke", FaultOrigin::kStroke},
    OriginName{"retract", FaultOrigin::kRetract},
};

template <typename Names>
std::string list(const Names& names) {
  std::string all;
  for (const auto& n : names) all += fmt::format("{}\"{}\"", all.empty() ? "" : ", ", n.name);
  return all;
}

/// What a file says of a fault is read as far as it belongs to that kind; anything else is refused in words.
void read_sizes(StrictTable& table, const Spelling& spelling, SimFault& fault) {
  fault.count = static_cast<std::uint32_t>(spelling.count);
  for (const char* key : {"count", "alarm", "bytes", "status"}) {
    if (spelling.count_key != nullptr && std::string_view(spelling.count_key) == key) {
      fault.count = static_cast<std::uint32_t>(table.integer(key, spelling.count_range, spelling.count));
    } else if (table.has(key)) {
      table.refuse(key, fmt::format("'{}' does not belong to '{}'; 'count' belongs to faults that drop or damage", key,
                                    spelling.name));
    }
  }
  if (spelling.size_key != nullptr) fault.size = table.number(spelling.size_key, spelling.size_range) * spelling.unit;
  if (spelling.lasts) fault.lasts = daq::from_seconds(table.number("for_s", {0, 3600}, 0.0));
}

}  // namespace

SimFault read_fault(StrictTable& table) {
  SimFault fault;
  const auto kind = table.text("kind");
  const auto spelling =
      std::find_if(kSpellings.begin(), kSpellings.end(), [&](const auto& s) { return s.name == kind; });
  if (spelling != kSpellings.end()) {
    fault.kind = spelling->kind;
    read_sizes(table, *spelling, fault);
  } else if (table.has("kind")) {
    table.refuse("kind", fmt::format("fault '{}' is not known; there is {}", kind, list(kSpellings)));
  }
  return fault;
}

void read_faults(StrictTable& twin, std::vector<SimFault>& faults) {
  auto entries = twin.tables("faults");
  if (entries.size() > kMostFaults) {
    twin.refuse("faults", fmt::format("at most {} faults; there are {}", kMostFaults, entries.size()));
  }
  for (auto& entry : entries) {
    auto fault = read_fault(entry);
    fault.at = daq::from_seconds(entry.number("at_s", {0, 3600}));
    const auto after = entry.text("after", "host");
    const auto origin = std::find_if(kOrigins.begin(), kOrigins.end(), [&](const auto& o) { return o.name == after; });
    if (origin != kOrigins.end()) {
      fault.after = origin->origin;
    } else {
      entry.refuse("after", fmt::format("'after' must be one of {}", list(kOrigins)));
    }
    entry.finish();
    faults.push_back(fault);
  }
}

std::string to_toml(const SimFault& fault) {
  const auto& s =
      *std::find_if(kSpellings.begin(), kSpellings.end(), [&](const auto& k) { return k.kind == fault.kind; });
  auto text = fmt::format("[[twin.faults]]\nkind = \"{}\"\nafter = \"{}\"\nat_s = {}\n", s.name, name_of(fault.after),
                          daq::seconds(fault.at));
  if (s.count_key != nullptr) text += fmt::format("{} = {}\n", s.count_key, fault.count);
  if (s.size_key != nullptr) text += fmt::format("{} = {}\n", s.size_key, fault.size / s.unit);
  if (s.lasts) text += fmt::format("for_s = {}\n", daq::seconds(fault.lasts));
  return text;
}

std::string_view name_of(FaultKind kind) noexcept {
  for (const auto& s : kSpellings) {
    if (s.kind == kind) return s.name;
  }
  return "unknown";
}

std::string_view name_of(FaultOrigin origin) noexcept {
  for (const auto& o : kOrigins) {
    if (o.origin == origin) return o.name;
  }
  return "unknown";
}

}  // namespace strigil::sim
