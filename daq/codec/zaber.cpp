#include "daq/codec/zaber.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace strigil::daq {
namespace {

struct FlagWords {
  ZaberFlag flag;
  const char* words;
};

/// The gravest first. Those that begin with F stop the axis.
constexpr std::array kFlags{
    FlagWords{zaber_flag('F', 'F'), "critical system error: switch it off and on, else call its maker"},
    FlagWords{zaber_flag('F', 'N'), "peripheral not supported: check what is plugged in"},
    FlagWords{zaber_flag('F', 'Z'), "peripheral inactive: activate it after having changed it"},
    FlagWords{zaber_flag('F', 'H'), "hardware emergency stop: release it"},
    FlagWords{zaber_flag('F', 'V'), "supply voltage out of range, driver off: check the supply"},
    FlagWords{zaber_flag('F', 'O'), "driver off, by command or at power-up"},
    FlagWords{zaber_flag('F', 'C'), "current inrush, driver off: check motor and cable"},
    FlagWords{zaber_flag('F', 'M'), "motor too hot: check load and current"},
    FlagWords{zaber_flag('F', 'D'), "driver off: too hot or supply out of range"},
    FlagWords{zaber_flag('F', 'Q'), "encoder error: check cable, home the axis"},
    FlagWords{zaber_flag('F', 'I'), "index error: encoder and index mark disagree"},
    FlagWords{zaber_flag('F', 'A'), "analog encoder out of step: home the axis"},
    FlagWords{zaber_flag('F', 'R'), "overdrive limit exceeded: check the load"},
    FlagWords{zaber_flag('F', 'S'), "stalled and stopped: check what stands in its way, home the axis"},
    FlagWords{zaber_flag('F', 'B'), "stream left its bounds"},
    FlagWords{zaber_flag('F', 'P'), "path deviated too far"},
    FlagWords{zaber_flag('F', 'E'), "limit error: cannot find or leave its limit sensor"},
    FlagWords{zaber_flag('F', 'T'), "twisted too far: check lockstep axes"},
    FlagWords{zaber_flag('W', 'L'), "unexpected limit sensor: its position may be wrong"},
    FlagWords{zaber_flag('W', 'V'), "supply voltage out of range"},
    FlagWords{zaber_flag('W', 'T'), "controller is getting too hot"},
    FlagWords{zaber_flag('W', 'S'), "stalled and recovered"},
    FlagWords{zaber_flag('W', 'M'), "moved while it stood"},
    FlagWords{zaber_flag('W', 'P'), "calibration of an unknown type"},
    FlagWords{zaber_flag('W', 'R'), "no reference position: home the axis"},
    FlagWords{zaber_flag('W', 'H'), "not homed since power-up"},
    FlagWords{zaber_flag('N', 'C'), "moved by hand"},
    FlagWords{zaber_flag('N', 'I'), "movement interrupted"},
    FlagWords{zaber_flag('N', 'D'), "stream discontinuity"},
    FlagWords{zaber_flag('N', 'R'), "value rounded"},
    FlagWords{zaber_flag('N', 'T'), "value truncated"},
    FlagWords{zaber_flag('N', 'U'), "setting not in effect yet"},
    FlagWords{zaber_flag('N', 'J'), "joystick calibrating"},
    FlagWords{zaber_flag('N', 'B'), "in firmware update mode"},
};
constexpr std::size_t kFaultFlags = 18;
static_assert(kFlags[kFaultFlags - 1].flag >> 8U == 'F' && kFlags[kFaultFlags].flag >> 8U == 'W');

struct Refusal {
  std::string_view reason;
  const char* words;
};
constexpr std::array kRefusals{
    Refusal{"AGAIN", "not now: ask again"},
    Refusal{"BADAXIS", "no such axis: check axis numbers"},
    Refusal{"BADCOMMAND", "unknown command: check its firmware"},
    Refusal{"BADDATA", "value out of range: check scale, speed"},
    Refusal{"BADMESSAGEID", "bad message id"},
    Refusal{"DEVICEONLY", "command is for devices, not axes"},
    Refusal{"DRIVERDISABLED", "driver is off: check its warnings"},
    Refusal{"FULL", "its memory or queue is full"},
    Refusal{"INACTIVE", "axis inactive: activate its peripheral"},
    Refusal{"LOCKSTEP", "axis moves in lockstep with another"},
    Refusal{"NOACCESS", "needs a higher access level"},
    Refusal{"NOTSUPPORTED", "not supported by this device"},
    Refusal{"PARKED", "axis is parked: unpark it"},
    Refusal{"STATUSBUSY", "not while it moves"},
};

constexpr bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::optional<unsigned> hex_digit(char c) noexcept {
  if (digit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

/// Takes the next word off the front.
std::string_view take_word(std::string_view& text) noexcept {
  const auto begin = std::min(text.find_first_not_of(' '), text.size());
  const auto end = std::min(text.find(' ', begin), text.size());
  const auto word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

/// A word of digits only, up to `most`.
std::optional<std::uint8_t> small_number(std::string_view word, unsigned most) noexcept {
  if (word.empty() || word.size() > 2 || !std::all_of(word.begin(), word.end(), digit)) return std::nullopt;
  unsigned value = 0;
  for (const char c : word) value = value * 10 + static_cast<unsigned>(c - '0');
  if (value > most) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

/// Checks what stands after the colon and cuts it off. Nothing: it is wrong, or the text is not plain.
std::optional<bool> strip_checksum(std::string_view& line) noexcept {
  if (!std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; })) return std::nullopt;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  if (line.size() != colon + 3) return std::nullopt;
  const auto high = hex_digit(line[colon + 1]);
  const auto low = hex_digit(line[colon + 2]);
  if (!high || !low || (*high << 4U | *low) != zaber_checksum(line.substr(1, colon - 1))) return std::nullopt;
  line = line.substr(0, colon);
  return true;
}

/// Puts checksum and end after what has been written.
void finish(ZaberLine& line, std::size_t size, bool checked, std::string_view end) noexcept {
  if (checked) {
    const auto sum = zaber_checksum({line.chars.data() + 1, size - 1});
    size =
        static_cast<std::size_t>(fmt::format_to_n(line.chars.data() + size, 3, ":{:02X}", sum).out - line.chars.data());
  }
  std::copy(end.begin(), end.end(), line.chars.begin() + static_cast<std::ptrdiff_t>(size));
  line.size = static_cast<std::uint8_t>(size + end.size());
}

constexpr std::size_t kMostText = kZaberLine - 3;  // room for the checksum

}  // namespace

std::uint8_t zaber_checksum(std::string_view text) noexcept {
  unsigned sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  return static_cast<std::uint8_t>((~sum + 1U) & 0xFFU);
}

ZaberLine encode_zaber(const ZaberCommand& c) noexcept {
  ZaberLine line;
  auto* at = line.chars.data();
  const auto put = [&](auto format, const auto&... values) {
    const auto room = kMostText - static_cast<std::size_t>(at - line.chars.data());
    at = fmt::format_to_n(at, room, format, values...).out;
  };
  put(FMT_STRING("/{} {}"), c.device, c.axis);
  if (c.id < kZaberIds) put(FMT_STRING(" {:02}"), c.id);
  if (!c.words.empty()) put(FMT_STRING(" {}"), c.words);
  finish(line, static_cast<std::size_t>(at - line.chars.data()), true, "\n");
  return line;
}

ZaberLine encode_zaber(const ZaberMessage& m) noexcept {
  ZaberLine line;
  auto* at = line.chars.data();
  const auto put = [&](auto format, const auto&... values) {
    const auto room = kMostText - static_cast<std::size_t>(at - line.chars.data());
    at = fmt::format_to_n(at, room, format, values...).out;
  };
  constexpr std::array kStarts{'@', '#', '!'};
  put(FMT_STRING("{}{:02} {}"), kStarts[static_cast<std::size_t>(m.kind)], m.device, m.axis);
  if (m.id < kZaberIds && m.kind != ZaberKind::kAlert) put(FMT_STRING(" {:02}"), m.id);
  if (m.kind == ZaberKind::kReply) put(FMT_STRING(" {}"), m.ok ? "OK" : "RJ");
  if (m.kind != ZaberKind::kInfo) {
    put(FMT_STRING(" {} {}{}"), m.busy ? "BUSY" : "IDLE", static_cast<char>(m.flag >> 8U),
        static_cast<char>(m.flag & 0xFFU));
  }
  if (!m.data.empty()) put(FMT_STRING(" {}"), m.data);
  finish(line, static_cast<std::size_t>(at - line.chars.data()), m.checked, "\r\n");
  return line;
}

std::optional<ZaberCommand> decode_zaber_command(std::string_view line) noexcept {
  if (line.empty() || line.front() != '/') return std::nullopt;
  const auto checked = strip_checksum(line);
  if (!checked) return std::nullopt;
  ZaberCommand c;
  c.checked = *checked;
  line.remove_prefix(1);
  // Device, axis and id may be left out from the right.
  const std::array<std::uint8_t*, 3> numbers{&c.device, &c.axis, &c.id};
  for (auto* number : numbers) {
    auto rest = line;
    const auto value = small_number(take_word(rest), kZaberIds - 1);
    if (!value) break;
    *number = *value;
    line = rest;
  }
  const auto begin = std::min(line.find_first_not_of(' '), line.size());
  c.words = line.substr(begin);
  return c;
}

std::optional<ZaberMessage> decode_zaber_message(std::string_view line) noexcept {
  ZaberMessage m;
  if (line.empty()) return std::nullopt;
  switch (line.front()) {
    case '@':
      m.kind = ZaberKind::kReply;
      break;
    case '#':
      m.kind = ZaberKind::kInfo;
      break;
    case '!':
      m.kind = ZaberKind::kAlert;
      break;
    default:
      return std::nullopt;
  }
  const auto checked = strip_checksum(line);
  if (!checked) return std::nullopt;
  m.checked = *checked;
  line.remove_prefix(1);
  const auto device = small_number(take_word(line), kZaberIds - 1);
  const auto axis = small_number(take_word(line), 9);
  if (!device || !axis) return std::nullopt;
  m.device = *device;
  m.axis = *axis;
  auto rest = line;
  // An alert has no id; what looks like one in an info message is its id only when it has two digits.
  if (m.kind != ZaberKind::kAlert) {
    const auto word = take_word(rest);
    if (const auto id = small_number(word, kZaberIds - 1); id && word.size() == 2) {
      m.id = *id;
      line = rest;
    }
  }
  if (m.kind == ZaberKind::kReply) {
    const auto word = take_word(line);
    if (word != "OK" && word != "RJ") return std::nullopt;
    m.ok = word == "OK";
  }
  if (m.kind != ZaberKind::kInfo) {
    const auto status = take_word(line);
    const auto flag = take_word(line);
    if ((status != "BUSY" && status != "IDLE") || flag.size() != 2) return std::nullopt;
    m.busy = status == "BUSY";
    m.flag = zaber_flag(flag[0], flag[1]);
  }
  m.data = line.substr(std::min(line.find_first_not_of(' '), line.size()));
  return m;
}

std::string_view zaber_word(std::string_view text, std::size_t number) noexcept {
  for (std::size_t i = 0; i < number; ++i) (void)take_word(text);
  return take_word(text);
}

std::optional<std::int64_t> zaber_number(std::string_view word) noexcept {
  const auto point = std::min(word.find('.'), word.size());
  const auto decimals = word.substr(std::min(point + 1, word.size()));
  if (point != word.size() && (decimals.empty() || !std::all_of(decimals.begin(), decimals.end(), digit)))
    return std::nullopt;
  std::int64_t value = 0;
  const auto whole = word.substr(0, point);
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (error != std::errc{} || end != whole.data() + whole.size()) return std::nullopt;
  return value;
}

std::optional<std::string_view> ZaberReader::push(std::byte byte) noexcept {
  const auto c = static_cast<char>(byte);
  if (c == '\r' || c == '\n') {
    if (stray_) ++rejected_;
    stray_ = false;
    if (size_ == 0) return std::nullopt;
    const std::string_view line(line_.data(), size_);
    size_ = 0;
    return line;
  }
  if (starts_.find(c) != std::string_view::npos) {
    if (size_ > 0 || stray_) ++rejected_;
    stray_ = false;
    line_[0] = c;
    size_ = 1;
  } else if (size_ == 0 || size_ == line_.size()) {
    size_ = 0;
    stray_ = true;
  } else {
    line_[size_++] = c;
  }
  return std::nullopt;
}

std::uint32_t zaber_fault_bit(ZaberFlag flag) noexcept {
  for (std::size_t i = 0; i < kFaultFlags; ++i) {
    if (kFlags[i].flag == flag) return 1U << i;
  }
  // One that this table does not know is a fault all the same.
  return flag >> 8U == 'F' ? 1U << kFaultFlags : 0;
}

std::uint32_t zaber_driver_faults() noexcept {
  return zaber_fault_bit(zaber_flag('F', 'H')) | zaber_fault_bit(zaber_flag('F', 'V')) |
         zaber_fault_bit(zaber_flag('F', 'O')) | zaber_fault_bit(zaber_flag('F', 'C')) |
         zaber_fault_bit(zaber_flag('F', 'M')) | zaber_fault_bit(zaber_flag('F', 'D'));
}

const char* zaber_fault_words(std::uint32_t faults) noexcept {
  for (std::size_t i = 0; i < kFaultFlags; ++i) {
    if ((faults & 1U << i) != 0) return kFlags[i].words;
  }
  return faults == 0 ? "no fault" : "unknown fault";
}

const char* zaber_flag_words(ZaberFlag flag) noexcept {
  if (flag == kZaberNoFlag) return "no warning";
  for (const auto& f : kFlags) {
    if (f.flag == flag) return f.words;
  }
  return "unknown";
}

const char* zaber_refusal_words(std::string_view reason) noexcept {
  for (const auto& r : kRefusals) {
    if (r.reason == reason) return r.words;
  }
  return "refused, for a reason unknown here";
}

}  // namespace strigil::daq
