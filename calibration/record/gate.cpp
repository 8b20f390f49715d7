#include "calibration/record/gate.hpp"

#include <fmt/format.h>

#include <cmath>

#include "calibration/record/calendar.hpp"

namespace strigil::calibration {
namespace {

constexpr double kSameNumber = 1e-6;  // relative: a rate is the same however it was typed

class Gate {
 public:
  Gate(const Record& r, const GateQuestion& q) : r_(r), q_(q) {}

  std::vector<std::string> run(const Standing& standing) {
    if (r_.kind != RecordKind::kCalibration) say(fmt::format("it is a {}, not a calibration", name_of(r_.kind)));
    if (!standing.revoked.empty()) say(fmt::format("it was revoked: {}", standing.revoked));
    if (!standing.superseded_by.empty()) say(fmt::format("it was superseded by '{}'", standing.superseded_by));
    if (r_.classification.conformity == "fail") say("the instrument failed this calibration");
    if (r_.adjustment == "as found")
      say("it holds for the instrument before it was adjusted: use the one after (as left)");
    window();
    instrument();
    range();
    temperature();
    return std::move(reasons_);
  }

 private:
  void say(std::string why) { reasons_.push_back(fmt::format("calibration '{}': {}", r_.id, why)); }

  void window() {
    const auto from = r_.valid_from.value_or(r_.issued);
    if (q_.now.ns < from.ns) {
      say(fmt::format("it is valid from {} and today is {}; if that is wrong, set this computer's clock", date_of(from),
                      date_of(q_.now)));
    }
    if (r_.valid_until && q_.now.ns >= r_.valid_until->ns) {
      say(fmt::format("it expired on {}; calibrate again", date_of(*r_.valid_until)));
    }
  }

  void same(const char* what, const std::string& theirs, const std::string& ours) {
    if (theirs.empty() || theirs == ours) return;
    say(fmt::format("it was made with {} '{}' and the bench {}", what, theirs,
                    ours.empty() ? "does not say which it has" : fmt::format("has '{}'", ours)));
  }
  void same(const char* what, double theirs, double ours) {
    if (theirs == 0 || std::abs(theirs - ours) <= kSameNumber * std::abs(theirs)) return;
    say(fmt::format("it was made with {} of {:g} and the bench has {:g}", what, theirs, ours));
  }

  void instrument() {
    if (r_.instrument.serial != q_.serial) {
      say(fmt::format("it is of serial number '{}' and the bench {}", r_.instrument.serial,
                      q_.serial.empty() ? std::string("does not say which it has (key 'serial')")
                                        : fmt::format("has '{}'", q_.serial)));
    }
    same("gain", r_.setting.gain, q_.setting.gain);
    same("filter", r_.setting.filter, q_.setting.filter);
    same("mounting", r_.setting.mounting, q_.setting.mounting);
    same("a rate", r_.setting.rate_Hz, q_.setting.rate_Hz);
    same("a sensitivity in counts", r_.setting.counts_per_unit, q_.setting.counts_per_unit);
  }

  void range() {
    const auto* quantity = find_quantity(r_, q_.channel);
    if (quantity == nullptr) return say(fmt::format("it says nothing of channel '{}'", q_.channel));
    if (quantity->unit != q_.unit) {
      return say(fmt::format("it gives '{}' in {} where {} is wanted", q_.channel, quantity->unit, q_.unit));
    }
    if (!q_.range || (quantity->range.holds(q_.range->low) && quantity->range.holds(q_.range->high))) return;
    say(fmt::format(
        "{:g} to {:g} {} are wanted of '{}' and it is calibrated from {:g} to {:g}; nothing is said outside",
        q_.range->low, q_.range->high, q_.unit, q_.channel, quantity->range.low, quantity->range.high));
  }

  void temperature() {
    const auto& use = r_.conditions.use_temperature_C;
    if (!use) return;
    if (!q_.temperature_C) {
      return say(fmt::format("it holds from {:g} to {:g} degrees C and nobody said how warm the bench is", use->low,
                             use->high));
    }
    if (use->holds(*q_.temperature_C)) return;
    say(fmt::format("it holds from {:g} to {:g} degrees C and the bench is at {:g}", use->low, use->high,
                    *q_.temperature_C));
  }

  const Record& r_;
  const GateQuestion& q_;
  std::vector<std::string> reasons_;
};

}  // namespace

std::vector<std::string> gate(const Record& record, const Standing& standing, const GateQuestion& question) {
  return Gate(record, question).run(standing);
}

}  // namespace strigil::calibration
