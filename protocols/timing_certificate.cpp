#include "protocols/timing_certificate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"

namespace strigil::protocols {
namespace {

constexpr double kMilli = 1e3;
constexpr double kMicro = 1e6;
/// Taps that leave more than this open prove nothing.
constexpr double kMostUncertain_s = 1e-3;
/// Beyond statistics: plant steps and mounts between the stage and the sensors [A].
constexpr double kTapSystematic_s = 100e-6;

nlohmann::ordered_json number(double v) {
  return std::isfinite(v) ? nlohmann::ordered_json(v) : nlohmann::ordered_json(nullptr);
}
nlohmann::ordered_json json_of(const TapOffset& o) {
  return {{"ways", o.ways}, {"offset_s", number(o.offset_s)}, {"uncertainty_s", number(o.uncertainty_s)}};
}

std::string offset_text(const TapOffset& o) {
  return std::isfinite(o.offset_s) ? fmt::format("{:+.3f} ± {:.3f}", o.offset_s * kMilli, o.uncertainty_s * kMilli)
                                   : std::string("-");
}

void check(StreamTiming& s, const TapOffset& o, const char* when, const std::string& reference, double bounds_s) {
  if (!std::isfinite(o.offset_s)) {
    s.problems.push_back(fmt::format("stream '{}' showed {} ways of the taps {} the strokes, too few to tell its time",
                                     s.stream, o.ways, when));
    return;
  }
  if (o.uncertainty_s > kMostUncertain_s) {
    s.problems.push_back(fmt::format("the taps {} the strokes tell the time of stream '{}' only to {:.2f} ms", when,
                                     s.stream, o.uncertainty_s * kMilli));
  }
  const double allowed_s = bounds_s + o.uncertainty_s + kTapSystematic_s;
  s.allowed_s = std::max(s.allowed_s, allowed_s);
  if (std::abs(o.offset_s) > allowed_s) {
    s.problems.push_back(
        fmt::format("by the taps {} the strokes stream '{}' lies {:.3f} ms (± {:.3f}) {} '{}', where its bound allows "
                    "{:.3f} ms: correct latency_ms of one of the two in the bench file by that much",
                    when, s.stream, std::abs(o.offset_s) * kMilli, o.uncertainty_s * kMilli,
                    o.offset_s > 0 ? "behind" : "ahead of", reference, allowed_s * kMilli));
  }
}

}  // namespace

TimingCertificate certify(const TimingTrace& trace, std::uint64_t lost_blocks) {
  TimingCertificate c;
  const auto traces = trace.finish();
  const auto& streams = trace.streams();
  std::size_t reference = streams.size();
  for (std::size_t i = streams.size(); i-- > 0;) {
    if (streams[i].sense == TapSense::kForce) reference = i;
    c.tapped = c.tapped || !traces[i].taps[0].empty() || !traces[i].taps[1].empty();
  }
  if (reference < streams.size()) c.reference = streams[reference].description.name;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const auto& t = traces[i];
    StreamTiming s;
    s.stream = streams[i].description.name;
    s.samples = t.samples;
    s.unlocked_samples = t.unlocked_samples;
    s.breaks = t.breaks;
    s.bound_p50_s = t.bounds.quantile_s(0.5);
    s.bound_p95_s = t.bounds.quantile_s(0.95);
    s.bound_max_s = t.bounds.max_s();
    s.drift_ppm = t.drift_ppm;
    s.delay_s = t.delay_s;
    s.tapped = c.tapped && reference < streams.size() && streams[i].sense != TapSense::kNone && i != reference;
    if (lost_blocks > 0) {
      s.problems.push_back(
          fmt::format("{} blocks did not reach the timing certificate: check the load of this computer", lost_blocks));
    }
    if (s.tapped) {
      const double bounds_s = s.bound_p95_s + traces[reference].bounds.quantile_s(0.95);
      s.before = offset_between(t.taps[0], traces[reference].taps[0]);
      s.after = offset_between(t.taps[1], traces[reference].taps[1]);
      check(s, s.before, "before", c.reference, bounds_s);
      // A run that ended early has said why; that it came to no second taps is no news.
      if (!t.taps[1].empty()) check(s, s.after, "after", c.reference, bounds_s);
    }
    c.streams.push_back(std::move(s));
  }
  return c;
}

std::string to_text(const TimingCertificate& c) {
  std::string out = fmt::format("{:<16} {:>10} {:>10} {:>9} {:>9} {:>8}  {:>17}  {:>17}\n", "timing", "bound p95",
                                "max us", "delay ms", "drift ppm", "unlocked", "taps before, ms", "after, ms");
  for (const auto& s : c.streams) {
    const auto known = [](double v, const char* format) {
      return std::isfinite(v) ? fmt::format(fmt::runtime(format), v) : std::string("-");
    };
    out += fmt::format("{:<16} {:>10.1f} {:>10.1f} {:>9.3f} {:>9} {:>8}  {:>17}  {:>17}\n", s.stream,
                       s.bound_p95_s * kMicro, s.bound_max_s * kMicro, s.delay_s * kMilli,
                       known(s.drift_ppm, "{:+.2f}"), s.unlocked_samples,
                       s.tapped ? offset_text(s.before) : (s.stream == c.reference && c.tapped ? "reference" : "-"),
                       s.tapped ? offset_text(s.after) : "-");
  }
  if (!c.tapped) out += "no taps: fixed latencies are not proved ([taps] in the bench file)\n";
  return out;
}

std::string to_json(const TimingCertificate& c) {
  nlohmann::ordered_json streams = nlohmann::ordered_json::array();
  for (const auto& s : c.streams) {
    nlohmann::ordered_json j{{"stream", s.stream},
                             {"samples", s.samples},
                             {"unlocked_samples", s.unlocked_samples},
                             {"breaks", s.breaks},
                             {"bound_p50_s", number(s.bound_p50_s)},
                             {"bound_p95_s", number(s.bound_p95_s)},
                             {"bound_max_s", number(s.bound_max_s)},
                             {"drift_ppm", number(s.drift_ppm)},
                             {"delay_s", number(s.delay_s)}};
    if (s.tapped) {
      j["taps_before"] = json_of(s.before);
      j["taps_after"] = json_of(s.after);
      j["allowed_s"] = number(s.allowed_s);
    }
    j["problems"] = s.problems;
    streams.push_back(std::move(j));
  }
  return daq::json_text(nlohmann::ordered_json{{"reference", c.reference}, {"tapped", c.tapped}, {"streams", streams}},
                        1);
}

}  // namespace strigil::protocols
