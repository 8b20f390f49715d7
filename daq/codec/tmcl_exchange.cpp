#include "daq/codec/tmcl_exchange.hpp"

namespace strigil::daq {

bool TmclExchange::put(const TmclRequest& request, HostTime now, SessionOutput& out) noexcept {
  const auto bytes = encode_tmcl(request);
  if (!out.send(bytes)) return false;
  command_ = request.command;
  waiting_ = true;
  filled_ = 0;
  sent_ = last_byte_ = now;
  return true;
}

bool TmclExchange::send(TmclRequest request, HostTime now, SessionOutput& out) noexcept {
  request.address = config_.module_address;
  return put(request, now, out);
}

void TmclExchange::lose_step(HostTime at) noexcept {
  if (waiting_) ++lost_;
  state_ = State::kQuiet;
  waiting_ = false;
  filled_ = 0;
  last_byte_ = at;
}

void TmclExchange::reject(HostTime at) noexcept {
  ++rejected_;
  lose_step(at);
}

bool TmclExchange::fits(const TmclReply& reply) const noexcept {
  if (reply.reply_address != config_.reply_address || reply.address != config_.module_address) return false;
  // A module that found our request damaged may hold the rest of it still: it is given time to forget that.
  return reply.command == command_ && reply.status != TmclStatus::kWrongChecksum;
}

std::optional<TmclReply> TmclExchange::take(std::span<const std::byte> bytes, HostTime received) noexcept {
  if (bytes.empty()) return std::nullopt;
  last_byte_ = received;
  if (state_ == State::kQuiet) return std::nullopt;  // not yet empty
  if (!waiting_ || filled_ + bytes.size() > kTmclBytes) {
    reject(received);
    return std::nullopt;
  }
  for (const auto b : bytes) reply_[filled_++] = b;
  if (filled_ < kTmclBytes) return std::nullopt;
  const auto reply = decode_tmcl_reply(reply_);
  if (!reply || !fits(*reply)) {
    reject(received);
    return std::nullopt;
  }
  waiting_ = false;
  filled_ = 0;
  if (state_ == State::kAsked && reply->status != TmclStatus::kOk) {
    reject(received);
    return std::nullopt;
  }
  state_ = State::kInStep;
  return reply;
}

void TmclExchange::on_time(HostTime now, SessionOutput& out) noexcept {
  // The quiet does not begin anew: nothing has come all this while.
  if (waiting_ && now - sent_ >= config_.answer_timeout) lose_step(last_byte_);
  if (state_ != State::kQuiet || now - last_byte_ < config_.quiet) return;
  const TmclRequest request{config_.module_address, TmclCommand::kGetGlobal, config_.step_variable, kTmclUserBank, 0};
  if (put(request, now, out)) state_ = State::kAsked;
}

}  // namespace strigil::daq
