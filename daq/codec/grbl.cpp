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

/// Exactly `out.size()` numbers with commas between.
template <typename Number, std::size_t N>
bool parse_list(std::string_view text, std::array<Number, N>& out) noexcept {
  for (std::size_t i = 0; i < N; ++i) {
    const auto comma = text.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == N)) return false;
    if (!parse_number(text.substr(0, comma), out[i])) return false;
    if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
  }
  return true;
}

bool parse_place(std::string_view text, std::array<double, kGrblAxes>& out) noexcept {
  constexpr double kFarthest_mm = 1e6;
  if (!parse_list(text, out)) return false;
  for (const double v : out) {
    if (!(std::abs(v) < kFarthest_mm)) return false;
  }
  return true;
}

bool parse_state(std::string_view field, GrblStatus& status) noexcept {
  const auto colon = field.find(':');
  for (const auto& s : kStates) {
    if (s.name == field.substr(0, colon)) status.state = s.state;
  }
  if (status.state == GrblState::kUnknown) return false;
  return colon == std::string_view::npos || parse_number(field.substr(colon + 1), status.substate);
}

/// One field after the state. True when it is sound, or one that we do not know: later versions add some.
bool parse_field(std::string_view field, GrblStatus& status, bool& placed) noexcept {
  const auto colon = field.find(':');
  if (colon == std::string_view::npos) return false;
  const auto name = field.substr(0, colon);
  const auto value = field.substr(colon + 1);
  if (name == "MPos" || name == "WPos") {
    status.machine = name == "MPos";
    return placed = parse_place(value, status.position_mm);
  }
  if (name == "WCO") return parse_place(value, status.offset_mm.emplace());
  if (name == "Bf") return parse_list(value, status.free.emplace());
  if (name == "Ov") return parse_list(value, status.overrides_percent.emplace());
  if (name == "F" || name == "FS") {
    return parse_number(value.substr(0, value.find(',')), status.feed_mm_min.emplace()) &&
           std::isfinite(*status.feed_mm_min);
  }
  if (name == "Pn") status.pins = value;
  return true;
}

std::optional<GrblLine> parse_status(std::string_view body) noexcept {
  GrblStatus status;
  auto bar = body.find('|');
  if (!parse_state(body.substr(0, bar), status)) return std::nullopt;
  bool placed = false;
  while (bar != std::string_view::npos) {
    body.remove_prefix(bar + 1);
    bar = body.find('|');
    if (!parse_field(body.substr(0, bar), status, placed)) return std::nullopt;
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
  if (line.starts_with("Grbl ") || line.starts_with("GrblHAL ")) return GrblGreeting{line};
  if (line.size() >= 2 && line.front() == '<' && line.back() == '>')
    return parse_status(line.substr(1, line.size() - 2));
  if (line.starts_with("[MSG:") && line.back() == ']') return GrblMessage{line.substr(5, line.size() - 6)};
  if (line.starts_with('[') && line.back() == ']') return GrblOther{line};
  if (line.starts_with('$')) {
    const auto equals = line.find('=');
    GrblSetting s;
    if (equals == std::string_view::npos || !parse_number(line.substr(1, equals - 1), s.number)) return GrblOther{line};
    const auto value = line.substr(equals + 1);
    if (!parse_number(value.substr(0, value.find(' ')), s.value) || !std::isfinite(s.value)) return std::nullopt;
    return s;
  }
  // An adapter that resets the board often puts noise before the greeting, and to miss it is to miss a restart.
  if (const auto at = line.find("Grbl 1."); at != std::string_view::npos && line.ends_with("for help]")) {
    return GrblGreeting{line.substr(at)};
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
  text(jog.relative ? "$J=G91G21" : "$J=G53G21");
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
      return "no command letter: bytes lost on the wire?";
    case 2:
      return "bad number: bytes lost on the wire?";
    case 3:
      return "invalid $ line: is the firmware Grbl 1.1?";
    case 4:
      return "negative value: check the feed";
    case 5:
      return "homing is not enabled: set $22=1";
    case 6:
      return "step pulse below 3 us: check $0";
    case 7:
      return "settings lost, defaults used: check $$";
    case 8:
      return "not idle: wait, or clear the alarm ($H, $X)";
    case 9:
      return "locked: home ($H) or unlock ($X)";
    case 10:
      return "soft limits need homing: set $22=1";
    case 11:
      return "line too long: bytes lost on the wire?";
    case 12:
      return "step rate too high: lower $100-2 or $110-2";
    case 13:
      return "safety door open: close it and resume (~)";
    case 14:
      return "startup line or build info too long";
    case 15:
      return "jog beyond travel: check $130-2, the bench";
    case 16:
      return "invalid jog: other G-code in it, or no '='";
    case 17:
      return "laser mode needs PWM: set $32=0";
    case 20:
      return "unsupported G-code";
    case 21:
      return "two G-codes of one group in a line";
    case 22:
      return "feed rate missing or zero";
    case 23:
      return "G-code needs a whole number";
    case 24:
      return "two G-codes want the axis words";
    case 25:
      return "repeated word in a line";
    case 26:
      return "axis words missing";
    case 33:
      return "invalid motion target";
    default:
      return "see Grbl's error code list";
  }
}

std::string_view grbl_alarm_words(int number) noexcept {
  switch (number) {
    case 1:
      return "hard limit hit: free the stage, home it";
    case 2:
      return "target beyond travel: reset, unlock ($X)";
    case 3:
      return "reset in motion, position lost: home ($H)";
    case 4:
      return "probe already in contact: check the probe";
    case 5:
      return "probe made no contact: check the probe";
    case 6:
      return "reset while homing: home again ($H)";
    case 7:
      return "door opened while homing: close it, home";
    case 8:
      return "homing cannot clear switch: check $27";
    case 9:
      return "homing found no switch: check $130-2, wires";
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
