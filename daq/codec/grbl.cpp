#include "daq/codec/grbl.hpp"

#include <charconv>
#include <cmath>

namespace strigil::daq {
namespace {

struct StateName {
  std::string_view name;
  GrblState state;
};
constexpr std::array kStates{StateName{"Idle", GrblState::kIdle},   StateName{"Run", GrblState::kRun},
                             StateName{"Hold", GrblState::kHold},   StateName{"Jog", GrblState::kJog},
                             StateName{"Alarm", GrblState::kAlarm}, StateName{"Door", GrblState::kDoor},
                             StateName{"Check", GrblState::kCheck}, StateName{"Home", GrblState::kHome},
                             StateName{"Sleep", GrblState::kSleep}};

template <typename Number>
bool parse_number(std::string_view text, Number& out) noexcept {
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, out);
  return result.ec == std::errc{} && result.ptr == end;
}

bool parse_vector(std::string_view text, std::array<double, kGrblAxes>& out) noexcept {
  constexpr double kFarthest_mm = 1e6;
  for (std::size_t a = 0; a < kGrblAxes; ++a) {
    const auto comma = text.find(',');
    if ((comma == std::string_view::npos) != (a + 1 == kGrblAxes)) return false;
    if (!parse_number(text.substr(0, comma), out[a]) || !(std::abs(out[a]) < kFarthest_mm)) return false;
    if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
  }
  return true;
}

std::optional<GrblLine> parse_status(std::string_view body) noexcept {
  GrblStatus status;
  bool placed = false;
  bool first = true;
  for (;;) {
    const auto bar = body.find('|');
    const auto field = body.substr(0, bar);
    if (first) {
      const auto word = field.substr(0, field.find(':'));
      for (const auto& s : kStates) {
        if (s.name == word) status.state = s.state;
      }
      if (status.state == GrblState::kUnknown) return std::nullopt;
      first = false;
    } else if (field.starts_with("MPos:") || field.starts_with("WPos:")) {
      status.machine = field.front() == 'M';
      placed = parse_vector(field.substr(5), status.position_mm);
      if (!placed) return std::nullopt;
    } else if (field.starts_with("WCO:")) {
      std::array<double, kGrblAxes> offset{};
      if (!parse_vector(field.substr(4), offset)) return std::nullopt;
      status.offset_mm = offset;
    }
    if (bar == std::string_view::npos) break;
    body.remove_prefix(bar + 1);
  }
  if (!placed) return std::nullopt;
  return status;
}

}  // namespace

std::optional<GrblLine> parse_grbl_line(std::string_view line) noexcept {
  if (line == "ok") return GrblOk{};
  if (line.starts_with("error:")) {
    GrblError e;
    if (!parse_number(line.substr(6), e.number)) return std::nullopt;
    return e;
  }
  if (line.starts_with("ALARM:")) {
    GrblAlarm a;
    if (!parse_number(line.substr(6), a.number)) return std::nullopt;
    return a;
  }
  if (line.starts_with("Grbl ")) return GrblGreeting{line};
  if (line.size() >= 2 && line.front() == '<' && line.back() == '>')
    return parse_status(line.substr(1, line.size() - 2));
  if (line.starts_with("[MSG:") && line.back() == ']') return GrblMessage{line.substr(5, line.size() - 6)};
  if (line.starts_with('[') && line.back() == ']') return GrblOther{line};
  if (line.starts_with('$')) {
    const auto equals = line.find('=');
    GrblSetting s;
    if (equals == std::string_view::npos || !parse_number(line.substr(1, equals - 1), s.number)) return GrblOther{line};
    const auto value = line.substr(equals + 1);
    if (!parse_number(value.substr(0, value.find(' ')), s.value)) return std::nullopt;
    return s;
  }
  return std::nullopt;
}

std::optional<std::string_view> GrblLineSplitter::next(std::span<const std::byte>& bytes) noexcept {
  while (!bytes.empty()) {
    const char c = static_cast<char>(bytes.front());
    bytes = bytes.subspan(1);
    if (c == '\n' || c == '\r') {
      const bool whole = !overlong_ && size_ > 0;
      if (overlong_) ++dropped_;
      const std::string_view line(line_.data(), size_);
      size_ = 0;
      overlong_ = false;
      if (whole) return line;
    } else if (size_ == kLongest) {
      overlong_ = true;
    } else {
      line_[size_++] = c;
    }
  }
  return std::nullopt;
}

std::size_t encode_grbl_jog(const GrblJog& jog, std::span<char, kGrblLongestLine> out) noexcept {
  char* at = out.data();
  char* const end = out.data() + out.size() - 1;  // room for the line end
  bool fits = true;
  const auto text = [&](std::string_view s) {
    for (const char c : s) {
      if (at == end) {
        fits = false;
        return;
      }
      *at++ = c;
    }
  };
  const auto number = [&](double v, int decimals) {
    const auto r = std::to_chars(at, end, v, std::chars_format::fixed, decimals);
    if (r.ec != std::errc{} || !std::isfinite(v)) fits = false;
    if (r.ec == std::errc{}) at = r.ptr;
  };
  text("$J=G53G21");
  constexpr std::array<std::string_view, kGrblAxes> kLetters{"X", "Y", "Z"};
  for (std::size_t a = 0; a < kGrblAxes; ++a) {
    text(kLetters[a]);
    number(jog.target_mm[a], 3);
  }
  text("F");
  number(jog.feed_mm_min, 1);
  if (!fits) return 0;
  *at++ = '\n';
  return static_cast<std::size_t>(at - out.data());
}

std::string_view grbl_error_words(int number) noexcept {
  switch (number) {
    case 1:
      return "expected a command letter";
    case 2:
      return "bad number format";
    case 3:
      return "invalid $ statement";
    case 5:
      return "homing is not enabled: set $22=1";
    case 8:
      return "not idle: $ commands wait for Idle";
    case 9:
      return "locked out in alarm or jog: home ($H) or unlock ($X) the stage";
    case 10:
      return "soft limits need homing: set $22=1";
    case 11:
      return "line too long";
    case 15:
      return "jog target exceeds the stage's travel: check $130-$132 and the bench's travel";
    case 16:
      return "jog command is invalid";
    case 20:
      return "unsupported G-code";
    case 22:
      return "feed rate missing";
    default:
      return "see Grbl's error code list";
  }
}

std::string_view grbl_alarm_words(int number) noexcept {
  switch (number) {
    case 1:
      return "hard limit hit: free the stage, then home it";
    case 2:
      return "target outside machine travel: position kept, unlock with $X";
    case 3:
      return "reset while moving: position lost, home the stage";
    case 4:
      return "probe already in contact";
    case 5:
      return "probe did not make contact";
    case 6:
      return "homing was reset";
    case 7:
      return "door opened while homing";
    case 8:
      return "homing could not clear the limit switch";
    case 9:
      return "homing did not find the limit switch";
    default:
      return "see Grbl's alarm code list";
  }
}

std::string_view name_of(GrblState state) noexcept {
  for (const auto& s : kStates) {
    if (s.state == state) return s.name;
  }
  return "Unknown";
}

}  // namespace strigil::daq
