#include "protocols/campaign/during.hpp"

#include "protocols/court/run_strokes.hpp"

namespace strigil::protocols {
namespace {

double host_s(daq::HostTime t) { return static_cast<double>(t.ns) * 1e-9; }

/// Answers nothing, and keeps what it was fed with.
class Collector : public Detector {
 public:
  [[nodiscard]] std::string name() const override { return "collector"; }
  void begin(const StrokeStart& /*start*/, std::vector<Detection>& /*out*/) override { strokes_.emplace_back(); }
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> /*vibration*/,
            std::vector<Detection>& /*out*/) override {
    strokes_.back().insert(strokes_.back().end(), contact.begin(), contact.end());
  }
  void end(std::vector<Detection>& /*out*/) override {}
  [[nodiscard]] const std::vector<std::vector<ContactSample>>& strokes() const { return strokes_; }

 private:
  std::vector<std::vector<ContactSample>> strokes_;
};

}  // namespace

daq::Result<std::vector<MeasureResult>> evaluate_during(const std::vector<DuringRule>& rules,
                                                        const std::string& run_file) {
  std::vector<MeasureResult> out;
  if (rules.empty()) return out;
  Collector collector;
  const auto heard = hear_run(run_file, {&collector});
  if (!heard) return heard.error();
  std::vector<DuringWatch> watches(rules.begin(), rules.end());
  for (const auto& stroke : heard->strokes) {
    const auto& h = stroke.hearing;
    for (const auto& samples : collector.strokes()) {
      // Strokes that were broken off were collected too, and are none of those that count.
      const auto within = [&](double at_s) { return at_s >= host_s(h.began) && at_s <= host_s(h.ended); };
      if (samples.empty() || !within(samples.front().at_s)) continue;
      for (auto& watch : watches)
        watch.feed({.phase = h.planned.phase, .wished_force_N = h.planned.force_N, .samples = samples});
    }
  }
  for (const auto& watch : watches) out.push_back(watch.result());
  return out;
}

}  // namespace strigil::protocols
