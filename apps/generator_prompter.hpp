// A prompter that sets the exciter by the bench's generator, and leaves all else to another.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daq/fanout.hpp"
#include "protocols/calibrate/exciter_level.hpp"
#include "protocols/calibrate/procedure.hpp"
#include "rig/exciter_generator.hpp"
#include "rig/pacer.hpp"
#include "rig/rig.hpp"

namespace strigil::apps {

/// kShake, and kSweep where the bench says what a newton takes, are done by the generator: levelled by what the
/// reference shows (ExciterLevel), or set by sensitivity. Whatever else is asked for comes to who is asked after the
/// output has been switched off: nobody mounts a sensor on an exciter that shakes. One thread, between two ticks.
class GeneratorPrompter final : public protocols::Prompter {
 public:
  /// All outlive this. `asked` may be set later, before the first ask().
  GeneratorPrompter(const rig::GeneratorConfig& config, daq::Link& link, daq::ChunkRing& chunks,
                    const protocols::ReferenceStandard& reference);

  /// True where the generator does it.
  [[nodiscard]] static bool does(const protocols::HandsRequest& request, const rig::GeneratorConfig& config);
  /// Waits until it has said who it is and is set up, output off. `rig` is up, and not begun. Errors: failure().
  daq::Result<void> bring_up(rig::Rig& rig, rig::Pacer& pacer);
  /// Who does all else.
  void leave_to(protocols::Prompter& asked) { asked_ = &asked; }

  void ask(const protocols::HandsRequest& request, daq::HostTime now) override;
  std::optional<protocols::HandsAnswer> poll(daq::HostTime now) override;
  void progress(const protocols::ProcedureProgress& progress) override { asked_->progress(progress); }
  /// In every tick, also while nothing is asked for.
  void turn(daq::HostTime now);

  /// Output off, for good; turn() says so until it is believed.
  void close() { generator_.session().close(); }
  /// Turns it until it has said that its output is off, or does not answer. After the run.
  void wait_until_off(rig::Pacer& pacer);
  /// What went wrong, a sentence without its end; empty: nothing. The procedure is to end then.
  [[nodiscard]] std::string failure() const;
  /// Where nobody knows whether its output is off: what is to be done. Else empty. After wait_until_off().
  [[nodiscard]] std::string warning() const;
  /// For the record: who it is.
  [[nodiscard]] const std::string& identity() const { return generator_.session().identity(); }

 private:
  enum class Stage : std::uint8_t {
    kIdle,
    kOff,      // before another is asked
    kAsked,    // another is
    kSetting,  // it has been told, and has not said yet that it is so
    kReading,
    kDone,
    kRefused,
  };
  /// What was read of the reference since `from`.
  struct Window {
    daq::HostTime from;
    std::size_t wanted = 0;
    std::vector<double> values_V;
  };

  void begin_level(const protocols::HandsRequest& request);
  void set(double peak_V);
  void listen();
  void take(const daq::Block& block);
  void judge();
  void refuse(std::string why);
  [[nodiscard]] daq::GeneratorSignal signal(double peak_V) const;

  const rig::GeneratorConfig& config_;
  const protocols::ReferenceStandard& reference_;
  std::string uri_;
  rig::ExciterGenerator generator_;
  protocols::Prompter* asked_ = nullptr;
  protocols::ExciterSensitivity learned_;
  std::shared_ptr<daq::SinkRings> rings_;
  daq::StreamDescription stream_;
  daq::StreamId stream_id_ = 0;
  Stage stage_ = Stage::kIdle;
  protocols::HandsRequest request_;
  std::optional<protocols::ExciterLevel> level_;
  double reference_V_m_s2_ = 0;
  double about_Hz_ = 0;
  std::size_t channel_ = 0;
  Window window_;
  std::string refusal_;
};

}  // namespace strigil::apps
