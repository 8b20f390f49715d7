// TmclExchange: one TMCL request at a time, and its answer. Sans-IO; no allocation.
//
// A TMCL reply says which command it answers and not which motor, so that an answer taken for another one's would put
// one axis where another stands. Therefore: one request is outstanding at any time, and after anything that does not
// fit (a time-out, a damaged reply, a byte too many) nothing is believed until the line has been quiet and a request
// with a command of its own (GGP, of a variable that the owner wants to know then anyway) has been answered. Bytes on
// a serial line keep their order: whatever was answered before it has passed. Should it be an older GGP's answer, then
// one too many is still to come, fits nothing but another GGP, and the step is lost again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "daq/codec/tmcl.hpp"
#include "daq/session.hpp"

namespace strigil::daq {

struct TmclExchangeConfig {
  std::uint8_t module_address = 1;
  std::uint8_t reply_address = 2;
  Duration answer_timeout = std::chrono::milliseconds(20);
  /// Without a byte, before the line is believed to be empty. Longer than the 5 ms after which a module forgets half
  /// a request.
  Duration quiet = std::chrono::milliseconds(6);
  std::uint8_t step_variable = 62;  ///< user variable (bank 2) that is asked for to find the step
};

class TmclExchange {
 public:
  explicit TmclExchange(const TmclExchangeConfig& config) : config_(config) {}

  /// Requests and answers are known to belong together.
  [[nodiscard]] bool in_step() const noexcept { return state_ == State::kInStep; }
  /// A request of the owner's is outstanding. False after send(): answered, or lost.
  [[nodiscard]] bool outstanding() const noexcept { return in_step() && waiting_; }
  [[nodiscard]] bool may_send() const noexcept { return in_step() && !waiting_; }
  /// When the outstanding or last answered request was sent.
  [[nodiscard]] HostTime sent() const noexcept { return sent_; }

  /// Only when may_send(). False: the link took none, nothing is outstanding. The address is put in here.
  bool send(TmclRequest request, HostTime now, SessionOutput& out) noexcept;
  /// Takes these bytes, all of them. The answer to the owner's request, when they end it: done, or refused. Also the
  /// answer by which the step was found, when nothing had been outstanding.
  std::optional<TmclReply> take(std::span<const std::byte> bytes, HostTime received) noexcept;
  /// Time-outs, and finding the step again.
  void on_time(HostTime now, SessionOutput& out) noexcept;
  /// Bytes were lost on our side, or sent past this object: what comes next may belong to anything.
  void lose_step(HostTime at) noexcept;

  /// Replies and stray bytes thrown away; requests without an answer, its own included.
  [[nodiscard]] std::uint64_t rejected() const noexcept { return rejected_; }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  enum class State : std::uint8_t { kQuiet, kAsked, kInStep };
  bool put(const TmclRequest& request, HostTime now, SessionOutput& out) noexcept;
  [[nodiscard]] bool fits(const TmclReply& reply) const noexcept;
  void reject(HostTime at) noexcept;

  TmclExchangeConfig config_;
  State state_ = State::kQuiet;
  bool waiting_ = false;
  TmclCommand command_{};
  HostTime sent_;
  HostTime last_byte_;  // either way
  TmclBytes reply_{};
  std::size_t filled_ = 0;
  std::uint64_t rejected_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace strigil::daq
