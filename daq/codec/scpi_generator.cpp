#include "daq/codec/scpi_generator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

namespace strigil::daq {
namespace {

constexpr std::size_t kLongestLine = 256;
/// What is told to people of a line.
constexpr std::size_t kTold = 80;
/// Errors read from its queue at the most: SCPI-99 keeps at least two, instruments some twenty [A].
constexpr int kMostErrors = 32;
/// An answer to an earlier host has come by then.
constexpr Duration kFlush = std::chrono::milliseconds(150);
constexpr int kTries = 10;
constexpr Duration kBetweenTries = std::chrono::milliseconds(200);
/// Values read back have six digits or more [A].
constexpr double kSame = 1e-4;

bool same_text(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return upper(x) == upper(y); });
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '"')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '"')) s.remove_suffix(1);
  return s;
}

std::optional<double> number_of(std::string_view s) {
  s = trimmed(s);
  if (s.starts_with('+')) s.remove_prefix(1);
  double v = 0;
  const auto [end, failure] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (failure != std::errc{} || end != s.data() + s.size() || !std::isfinite(v)) return std::nullopt;
  return v;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto comma = line.find(',');
    out.push_back(trimmed(line.substr(0, comma)));
    if (comma == std::string_view::npos) return out;
    line.remove_prefix(comma + 1);
  }
}

bool says_on(std::string_view s) { return s == "1" || same_text(s, "ON"); }
bool says_off(std::string_view s) { return s == "0" || same_text(s, "OFF"); }

bool usable(const GeneratorSignal& s, double max_V) {
  if (s.wave == GeneratorWave::kOff) return true;
  const auto positive = [](double v) { return std::isfinite(v) && v > 0; };
  if (!positive(s.peak_V) || s.peak_V > max_V || !positive(s.frequency_Hz)) return false;
  return s.wave == GeneratorWave::kSine || (positive(s.to_Hz) && positive(s.up_s) && positive(s.back_s));
}

/// Nothing but the volts differs.
bool same_but_volts(GeneratorSignal a, const GeneratorSignal& b) {
  a.peak_V = b.peak_V;
  return a == b;
}

}  // namespace

ScpiGenerator::ScpiGenerator(ScpiGeneratorConfig config) : config_(std::move(config)) {}

bool ScpiGenerator::over() const noexcept {
  if (!closing_) return false;
  return off_ || stranger_ || unreachable_ || tries_ > kTries;
}

std::string ScpiGenerator::output(std::string_view rest) const {
  return config_.channel == 0 ? fmt::format("OUTP{}", rest) : fmt::format("OUTP{}{}", config_.channel, rest);
}

std::string ScpiGenerator::source(std::string_view rest) const {
  return config_.channel == 0 ? std::string(rest) : fmt::format("SOUR{}:{}", config_.channel, rest);
}

bool ScpiGenerator::set(const GeneratorSignal& signal) {
  if (closing_ || !usable(signal, config_.max_V)) return false;
  wish_ = {};
  if (signal.wave == GeneratorWave::kSweep) wish_ = signal;
  if (signal.wave == GeneratorWave::kSine)
    wish_ = {.wave = signal.wave, .frequency_Hz = signal.frequency_Hz, .peak_V = signal.peak_V};
  return true;
}

void ScpiGenerator::close() {
  if (closing_) return;
  closing_ = true;
  queue_.clear();
  asked_ = false;
  line_.clear();
}

void ScpiGenerator::fail(std::string why) {
  if (failure_.empty()) failure_ = std::move(why);
  close();
}

void ScpiGenerator::on_closed(HostTime) {
  unreachable_ = true;
  fail("has closed its line, or its plug was pulled");
}

void ScpiGenerator::on_bytes(std::span<const std::byte> bytes, HostTime now) {
  for (const auto b : bytes) {
    const char c = static_cast<char>(b);
    if (c == '\r') continue;
    if (c == '\n') {
      const auto line = std::exchange(line_, {});
      if (!line.empty() && (listening_ || closing_)) take_line(line, now);
      continue;
    }
    const bool text = c >= ' ' && c <= '~';
    if (text && line_.size() < kLongestLine) {
      line_ += c;
      continue;
    }
    line_.clear();
    if (listening_ && !closing_) {
      fail(text ? fmt::format("sends a line that does not end within {} bytes", kLongestLine)
                : std::string("sends bytes that are no text: does it speak SCPI, at this baud rate?"));
    }
  }
}

void ScpiGenerator::take_line(const std::string& line, HostTime now) {
  const auto told = std::string_view(line).substr(0, kTold);
  if (closing_) {  // whatever else is still on its way
    if (tries_ > 0 && says_off(trimmed(line))) off_ = true;
    return;
  }
  if (!asked_) return fail(fmt::format("says '{}', and nobody asked", told));
  const auto& e = queue_.front();
  switch (e.answer) {
    case Answer::kNoError:
      return take_error(line, now);
    case Answer::kIdentity:
      return take_identity(line, now);
    case Answer::kNumber: {
      const auto v = number_of(line);
      if (!v) return fail(fmt::format("answers '{}' to '{}': that is no number", told, e.question));
      if (!(std::abs(*v - e.number) <= kSame * std::abs(e.number)))
        return fail(fmt::format("was told {:g} and says {:g} to '{}'", e.number, *v, e.question));
      return done(now);
    }
    case Answer::kOn:
    case Answer::kOff: {
      const auto s = trimmed(line);
      const bool on = e.answer == Answer::kOn;
      if (on ? says_on(s) : says_off(s)) return done(now);
      if (!says_on(s) && !says_off(s))
        return fail(fmt::format("answers '{}' to '{}': neither on nor off", told, e.question));
      return fail(on ? "says that its output is off: was it switched off by hand, or by its own overload protection?"
                     : "says that its output is on after it was switched off");
    }
  }
}

void ScpiGenerator::take_error(const std::string& line, HostTime now) {
  const auto comma = line.find(',');
  const auto code = number_of(std::string_view(line).substr(0, comma));
  const auto told = std::string_view(line).substr(0, kTold);
  if (!code || comma == std::string::npos) {
    return fail(fmt::format("answers '{}' to '{}': that is no error of SCPI", told, queue_.front().question));
  }
  if (*code == 0 && errors_ == 0) return done(now);
  if (*code == 0 || errors_ >= kMostErrors) {
    return fail(fmt::format("refuses '{}': {}{}", queue_.front().setting, first_error_,
                            errors_ > 1 ? fmt::format(" (and {} more)", errors_ - 1) : ""));
  }
  if (errors_++ == 0) first_error_ = told;
  asked_ = false;  // its queue is asked until it is empty; what was set is not said again
}

void ScpiGenerator::take_identity(const std::string& line, HostTime now) {
  const auto fields = fields_of(line);
  constexpr std::size_t kFields = 4;  // IEEE 488.2, 10.14
  if (fields.size() != kFields) {
    return fail(fmt::format("answers '{}' to '*IDN?': make, model, serial number and version are wanted",
                            std::string_view(line).substr(0, kTold)));
  }
  const std::string* wanted[] = {&config_.make, &config_.model, &config_.serial};
  for (std::size_t i = 0; i < std::size(wanted); ++i) {
    if (wanted[i]->empty() || same_text(*wanted[i], fields[i])) continue;
    constexpr const char* kKeys[] = {"make", "model", "serial"};
    stranger_ = true;
    return fail(fmt::format("is '{}', and the bench file says {} = \"{}\". It was told nothing",
                            std::string_view(line).substr(0, kTold), kKeys[i], *wanted[i]));
  }
  identity_ = line;
  done(now);
  set_up();
}

void ScpiGenerator::done(HostTime now) {
  queue_.pop_front();
  asked_ = false;
  settled_at_ = now;
  looked_at_ = now;
  if (queue_.empty() && !identity_.empty()) ready_ = true;
}

void ScpiGenerator::tell(const std::string& setting) { queue_.push_back({setting, "SYST:ERR?", Answer::kNoError, 0}); }

void ScpiGenerator::ask(const std::string& question, Answer answer, double number) {
  queue_.push_back({"", question, answer, number});
}

void ScpiGenerator::set_up() {
  // Off first, and again after a reset that may have made anything of it.
  tell("*CLS");
  tell(output(" OFF"));
  tell("*RST");
  tell(output(" OFF"));
  tell(output(":LOAD INF"));
  tell(source("FUNC SIN"));
  tell(source("VOLT:UNIT VPP"));
  tell(source("VOLT:OFFS 0"));
  ask(output("?"), Answer::kOff);
}

void ScpiGenerator::plan_off() {
  tell(output(" OFF"));
  ask(output("?"), Answer::kOff);
}

void ScpiGenerator::plan_volts(double peak_V) {
  const double across_V = 2 * peak_V;
  tell(source(fmt::format("VOLT {:.9g}", across_V)));
  ask(source("VOLT?"), Answer::kNumber, across_V);
}

void ScpiGenerator::plan() {
  const auto was = planned_;
  const auto& w = wish_;
  planned_ = w;
  if (w.wave == GeneratorWave::kOff) return plan_off();
  if (same_but_volts(was, w)) {
    plan_volts(w.peak_V);
    return ask(output("?"), Answer::kOn);
  }
  if (w.wave == GeneratorWave::kSine) {
    const auto frequency = [&] {
      tell(source(fmt::format("FREQ {:.9g}", w.frequency_Hz)));
      ask(source("FREQ?"), Answer::kNumber, w.frequency_Hz);
    };
    if (was.wave == GeneratorWave::kSine) {  // it goes on, and is never louder than either
      if (w.peak_V < was.peak_V) plan_volts(w.peak_V);
      frequency();
      if (w.peak_V > was.peak_V) plan_volts(w.peak_V);
      return ask(output("?"), Answer::kOn);
    }
    if (was.wave == GeneratorWave::kSweep) plan_off();
    tell(source("SWE:STAT OFF"));
    frequency();
  } else {
    if (was.wave != GeneratorWave::kOff) plan_off();
    tell(source("SWE:STAT OFF"));
    tell(source(fmt::format("FREQ:STAR {:.9g}", w.frequency_Hz)));
    tell(source(fmt::format("FREQ:STOP {:.9g}", w.to_Hz)));
    tell(source(w.by_octaves ? "SWE:SPAC LOG" : "SWE:SPAC LIN"));
    tell(source(fmt::format("SWE:TIME {:.9g}", w.up_s)));
    tell(source(fmt::format("SWE:RTIM {:.9g}", w.back_s)));
    tell(source("SWE:STAT ON"));
  }
  plan_volts(w.peak_V);
  tell(output(" ON"));
  ask(output("?"), Answer::kOn);
}

void ScpiGenerator::on_time(HostTime now, const Send& send) {
  if (closing_) return send_off(now, send);
  if (!greeted_) {
    // Ends what an earlier host may have left half said.
    constexpr std::string_view kEnd = "\n";
    if (send(std::as_bytes(std::span(kEnd)))) {
      greeted_ = true;
      greeted_at_ = now;
      ask("*IDN?", Answer::kIdentity);
    }
    return;
  }
  if (!listening_) {
    if (now - greeted_at_ < kFlush) return;
    listening_ = true;
    line_.clear();
  }
  if (asked_ && now - asked_at_ > config_.answer_timeout) {
    const auto& e = queue_.front();
    fail(fmt::format("did not answer '{}'{} within {:g} s: is it on, and is its line plugged in?", e.question,
                     e.setting.empty() ? "" : fmt::format(" after '{}'", e.setting), seconds(config_.answer_timeout)));
    return;
  }
  if (queue_.empty() && ready_ && !(planned_ == wish_)) plan();
  if (queue_.empty() && ready_ && planned_.wave != GeneratorWave::kOff && now - looked_at_ >= config_.look_every)
    ask(output("?"), Answer::kOn);
  if (!asked_ && !queue_.empty()) send_next(now, send);
}

void ScpiGenerator::send_next(HostTime now, const Send& send) {
  const auto& e = queue_.front();
  std::string text;
  if (!e.setting.empty() && errors_ == 0) text = e.setting + "\n";
  text += e.question + "\n";
  if (send(std::as_bytes(std::span(text)))) {
    asked_ = true;
    asked_at_ = now;
    waits_since_ = {};
    return;
  }
  if (waits_since_.ns == 0) waits_since_ = now;
  if (now - waits_since_ > config_.answer_timeout) fail("takes no bytes: is its line plugged in?");
}

void ScpiGenerator::send_off(HostTime now, const Send& send) {
  if (over() || (tries_ > 0 && now - tried_at_ < kBetweenTries)) return;
  if (tries_ < kTries) {
    const auto text = "\n" + output(" OFF") + "\n" + output("?") + "\n";
    (void)send(std::as_bytes(std::span(text)));  // one that was not taken is a try all the same
  }
  ++tries_;
  tried_at_ = now;
}

}  // namespace strigil::daq
