#include "calibration/record/calendar.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>

namespace strigil::calibration {
namespace {

constexpr std::int64_t kSecond_ns = 1'000'000'000;

/// Reads digits from the front of a text, and takes them away.
class Digits {
 public:
  explicit Digits(std::string_view text) : text_(text) {}
  std::optional<int> number(std::size_t length) {
    if (text_.size() < length) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < length; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return std::nullopt;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(length);
    return value;
  }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] bool empty() const { return text_.empty(); }

 private:
  std::string_view text_;
};

/// Seconds of the day and the part of a second in ns, less what the zone is ahead of UTC.
std::optional<std::int64_t> read_clock(Digits& d) {
  const auto hour = d.number(2);
  const bool to_minute = d.take(':');
  const auto minute = d.number(2);
  const bool to_second = d.take(':');
  const auto second = d.number(2);
  if (!hour || !minute || !second || !to_minute || !to_second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  std::int64_t ns = ((*hour * 60LL + *minute) * 60LL + *second) * kSecond_ns;
  if (d.take('.')) {
    std::int64_t scale = kSecond_ns / 10;
    int places = 0;
    for (auto digit = d.number(1); digit; digit = d.number(1), scale /= 10, ++places) ns += *digit * scale;
    if (places == 0 || places > 9) return std::nullopt;
  }
  if (d.take('Z')) return ns;
  const bool ahead = d.take('+');
  if (!ahead && !d.take('-')) return std::nullopt;
  const auto zone_hour = d.number(2);
  const bool colon = d.take(':');
  const auto zone_minute = d.number(2);
  if (!zone_hour || !zone_minute || !colon || *zone_hour > 14 || *zone_minute > 59) return std::nullopt;
  const std::int64_t zone_ns = (*zone_hour * 60LL + *zone_minute) * 60LL * kSecond_ns;
  return ahead ? ns - zone_ns : ns + zone_ns;
}

}  // namespace

daq::Result<daq::WallTime> parse_instant(std::string_view text) {
  const daq::Error wrong{fmt::format("'{}' is no date such as 2026-11-23 or 2026-11-23T12:00:00Z", text.substr(0, 40))};
  Digits d(text);
  const auto year = d.number(4);
  const bool to_month = d.take('-');
  const auto month = d.number(2);
  const bool to_day = d.take('-');
  const auto day = d.number(2);
  if (!year || !month || !day || !to_month || !to_day || *year < 1900 || *year > 2200) return wrong;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return wrong;
  std::int64_t ns = std::chrono::sys_days(date).time_since_epoch().count() * 86400LL * kSecond_ns;
  if (d.take('T')) {
    const auto clock = read_clock(d);
    if (!clock) return wrong;
    ns += *clock;
  }
  if (!d.empty()) return wrong;
  return daq::WallTime{ns};
}

std::string date_of(daq::WallTime wall) { return daq::iso8601(wall).substr(0, 10); }

}  // namespace strigil::calibration
