// Stage: what the rig needs of a stage of any make: its session, the drive on it, and why it may not move.
#pragma once

#include <memory>
#include <string>

#include "daq/result.hpp"
#include "daq/session.hpp"
#include "daq/stream.hpp"
#include "rig/bench.hpp"
#include "rig/drive.hpp"

namespace strigil::rig {

/// Owns the session and its drive. Loop thread; the texts off the loop.
class Stage {
 public:
  virtual ~Stage() = default;
  [[nodiscard]] virtual daq::Session& session() noexcept = 0;
  [[nodiscard]] virtual Drive& drive() noexcept = 0;
  /// The position stream.
  [[nodiscard]] virtual const daq::StreamDescription& description() const noexcept = 0;
  /// What a stage that answers must be freed of before it may move (or be homed), and how; empty when it may.
  [[nodiscard]] virtual std::string trouble(RigPurpose purpose) const = 0;
  /// Brings a stage that says nothing but its alarm to where it answers again and may be homed. Nothing moves.
  virtual void wake_for_homing(daq::SessionOutput& out) noexcept = 0;
  /// What its link must speak, for who must find out why it is silent.
  [[nodiscard]] virtual std::string speaks() const = 0;
};

/// A stage by its codec. `config.codec` is one of those that the bench file may name.
std::unique_ptr<Stage> make_stage(const StageConfig& config, daq::LinkId link, daq::StreamId position_stream);

}  // namespace strigil::rig
