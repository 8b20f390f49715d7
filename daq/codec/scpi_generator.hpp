// The host's side of a function generator that speaks SCPI, as text over a byte stream. Sans-IO: bytes and `now` in,
// bytes out. docs/calibrate.md, The generator, says which commands and what of them is taken for granted.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "daq/time.hpp"

namespace strigil::daq {

enum class GeneratorWave : std::uint8_t {
  kOff,
  kSine,
  kSweep,  ///< a sine from frequency_Hz to to_Hz in up_s, and back in back_s; again and again
};

/// What a generator is to give out. Volts are peak, into an open output.
struct GeneratorSignal {
  GeneratorWave wave = GeneratorWave::kOff;
  double frequency_Hz = 0;
  double to_Hz = 0;
  double up_s = 0;
  double back_s = 0;
  bool by_octaves = false;  ///< by equal parts in equal times; else by equal steps
  double peak_V = 0;

  bool operator==(const GeneratorSignal&) const = default;
};

struct ScpiGeneratorConfig {
  std::string make, model, serial;  ///< what *IDN? must say, upper or lower case; empty: whatever it says
  int channel = 0;                  ///< 0: commands name none
  double max_V = 0;                 ///< peak; set() refuses more
  Duration answer_timeout = std::chrono::seconds(3);
  Duration look_every = std::chrono::seconds(1);  ///< at the output's state, while it is on and nothing else is said
};

/// One question is outstanding. Each setting is followed by SYST:ERR? and, where it can be, read back: frequency,
/// volts, state of the output. The first thing that is not as it should be (no answer in time, an error in its queue,
/// another identity, a value read back that is not what was set, a line nobody asked for, bytes that are no text) is a
/// failure(): from then on nothing is said but "output off", until it says that it is off or ten tries are over. An
/// instrument of another identity is told nothing at all.
///
/// One thread; off the tick (it allocates). What it keeps of a hostile device is bounded: one line of 256 bytes.
class ScpiGenerator {
 public:
  /// Takes all of the bytes or none.
  using Send = std::function<bool(std::span<const std::byte>)>;

  explicit ScpiGenerator(ScpiGeneratorConfig config);

  void on_bytes(std::span<const std::byte> bytes, HostTime now);
  /// Its line has ended.
  void on_closed(HostTime now);
  /// Often: what is next to be said, and time-outs.
  void on_time(HostTime now, const Send& send);

  /// What it is to give out from now on; what was set last counts. False, and nothing is changed: more than max_V, a
  /// number that is none, or it has failed or is closing.
  [[nodiscard]] bool set(const GeneratorSignal& signal);
  /// Output off, for good: said at once, without waiting for what is outstanding.
  void close();

  /// It is who it should be, its output is off and it is set up.
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  /// What was set last stands, and it has said so.
  [[nodiscard]] bool settled() const noexcept {
    return ready_ && !closing_ && !asked_ && queue_.empty() && planned_ == wish_;
  }
  /// When it said so. Precondition: settled().
  [[nodiscard]] HostTime settled_at() const noexcept { return settled_at_; }
  /// Why it cannot be used any more, as the end of a sentence ("did not answer ..."); empty: it can.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
  /// As it says itself; empty before it has.
  [[nodiscard]] const std::string& identity() const noexcept { return identity_; }
  /// close() was called, or it has failed: it can be set to nothing more.
  [[nodiscard]] bool closing() const noexcept { return closing_; }
  /// After close() or a failure: nothing more will be said.
  [[nodiscard]] bool over() const noexcept;
  /// After close() or a failure: it has said that its output is off, or is another instrument, which was told nothing.
  [[nodiscard]] bool known_off() const noexcept { return off_ || stranger_; }

 private:
  enum class Answer : std::uint8_t { kNoError, kIdentity, kNumber, kOn, kOff };
  struct Exchange {
    std::string setting;  // may be empty
    std::string question;
    Answer answer = Answer::kNoError;
    double number = 0;  // kNumber: what it should say
  };

  void take_line(const std::string& line, HostTime now);
  void take_error(const std::string& line, HostTime now);
  void take_identity(const std::string& line, HostTime now);
  void done(HostTime now);
  void fail(std::string why);
  void tell(const std::string& setting);
  void ask(const std::string& question, Answer answer, double number = 0);
  void set_up();
  void plan();
  void plan_volts(double peak_V);
  void plan_off();
  void send_next(HostTime now, const Send& send);
  void send_off(HostTime now, const Send& send);
  [[nodiscard]] std::string output(std::string_view rest) const;
  [[nodiscard]] std::string source(std::string_view rest) const;

  ScpiGeneratorConfig config_;
  std::deque<Exchange> queue_;
  bool asked_ = false;  // the front one's question is outstanding
  HostTime asked_at_;
  HostTime waits_since_;  // for the line to take bytes; 0: it does not
  std::string line_;
  std::string identity_;
  std::string failure_;
  std::string first_error_;  // of its queue, which is read until it is empty
  int errors_ = 0;
  bool greeted_ = false;
  bool listening_ = false;  // what was left in its line from an earlier host is gone
  HostTime greeted_at_;
  bool ready_ = false;
  bool stranger_ = false;
  GeneratorSignal wish_, planned_;
  HostTime settled_at_;
  HostTime looked_at_;
  bool closing_ = false;
  bool unreachable_ = false;
  bool off_ = false;
  int tries_ = 0;
  HostTime tried_at_;
};

}  // namespace strigil::daq
