// Random worlds for the clock fit: a device with a drifting counter, a link that batches, bursts, loses and stalls.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <random>

#include "daq/time.hpp"

namespace strigil::daq {

/// What may differ between worlds. `batch_s`: 0 for a link that delivers at once.
struct ClockWorldConfig {
  double packet_rate_Hz = 100;
  double tick_rate_Hz = 1e6;
  double drift_ppm = 0;   ///< at the start
  double wander_ppm = 0;  ///< sinusoidal, on top
  double wander_period_s = 100;
  double batch_s = 1e-3;    ///< USB-like polling period
  double jitter_s = 30e-6;  ///< mean of the exponential scheduling delay
  double burst_s = 0;       ///< mean extra delay while a burst lasts; bursts take a tenth of the time
  double loss = 0;
  double stall_every_s = 0;  ///< host stalls of 50 ms; 0: none
  double reset_at_s = -1;    ///< the device restarts its counter; < 0: never
  std::uint32_t first_ticks = 0;
};

/// Draws a world such as the issue of the timeline describes.
inline ClockWorldConfig draw_clock_world(std::mt19937_64& random, double batch_s) {
  const auto uniform = [&](double a, double b) { return std::uniform_real_distribution<double>(a, b)(random); };
  ClockWorldConfig c;
  c.packet_rate_Hz = std::exp(uniform(std::log(100.0), std::log(1000.0)));
  c.tick_rate_Hz = uniform(0, 1) < 0.5 ? 1e6 : 32e6;
  c.drift_ppm = uniform(-180, 180);
  c.wander_ppm = uniform(0, 20);
  c.wander_period_s = std::max(uniform(40, 400), 2 * M_PI * c.wander_ppm / 0.5);  // at most 0.5 ppm/s
  c.batch_s = batch_s;
  c.jitter_s = uniform(5e-6, 80e-6);
  c.burst_s = uniform(0, 1) < 0.5 ? 0 : uniform(1e-3, 10e-3);
  c.loss = uniform(0, 0.05);
  c.stall_every_s = uniform(0, 1) < 0.5 ? 0 : uniform(1, 10);
  c.reset_at_s = uniform(0, 1) < 0.2 ? uniform(5, 15) : -1;
  c.first_ticks = static_cast<std::uint32_t>(random());
  return c;
}

/// One packet as the host sees it, and the truth beside it.
struct ClockWorldPacket {
  std::uint32_t ticks = 0;  ///< 32-bit, wraps
  bool reset = false;       ///< the device has restarted since the packet before
  HostTime received;
  double truth_s = 0;  ///< host time of the sample
};

class ClockWorld {
 public:
  ClockWorld(const ClockWorldConfig& config, std::uint64_t seed) : c_(config), random_(seed) {
    poll_s_ = uniform(0, c_.batch_s);
    poll_skew_ = uniform(-300e-6, 300e-6);
    phase_ = uniform(0, 2 * M_PI);
    next_stall_s_ = c_.stall_every_s;
  }
  /// The next packet that arrives; packets are in order.
  ClockWorldPacket next() {
    ClockWorldPacket p;
    do {
      device_s_ += 1 / c_.packet_rate_Hz;
    } while (uniform(0, 1) < c_.loss);
    p.truth_s = host_time(device_s_);
    if (c_.reset_at_s >= 0 && p.truth_s > c_.reset_at_s && !was_reset_) {
      was_reset_ = p.reset = true;
      reset_device_s_ = device_s_;
    }
    const double since = device_s_ - reset_device_s_;
    p.ticks = (was_reset_ ? 0U : c_.first_ticks) +
              static_cast<std::uint32_t>(static_cast<std::uint64_t>(since * c_.tick_rate_Hz));
    double at = p.truth_s;
    if (c_.batch_s > 0) {
      // The poll's phase walks, as adapters' timers do: 2 % of the period each time.
      while (poll_s_ < at) {
        poll_s_ += c_.batch_s * (1 + poll_skew_ + 0.02 * normal_(random_));
        batch_jitter_s_ = exponential(c_.jitter_s);
      }
      at = poll_s_ + batch_jitter_s_;  // a batch is delivered as one
    } else {
      at += exponential(c_.jitter_s);
    }
    if (c_.burst_s > 0) {
      if (at > burst_until_s_ && uniform(0, 1) < 0.1 / (0.3 * c_.packet_rate_Hz))
        burst_until_s_ = at + uniform(0.1, 0.5);
      if (at < burst_until_s_) at += exponential(c_.burst_s);
    }
    if (c_.stall_every_s > 0) {
      while (at > next_stall_s_ + 50e-3) next_stall_s_ += c_.stall_every_s * uniform(0.5, 1.5);
      if (at > next_stall_s_) at = next_stall_s_ + 50e-3;
    }
    last_s_ = std::max(last_s_, at);
    p.received = HostTime{static_cast<std::int64_t>(last_s_ * 1e9)};
    return p;
  }

 private:
  double uniform(double a, double b) { return std::uniform_real_distribution<double>(a, b)(random_); }
  double exponential(double mean) { return std::exponential_distribution<double>(1 / mean)(random_); }
  /// The device's clock runs at 1 / (1 + drift): its seconds are host seconds times that, integrated in closed form.
  double host_time(double device_s) const {
    const double w = 2 * M_PI / c_.wander_period_s;
    return 1 + device_s * (1 + c_.drift_ppm * 1e-6) +
           c_.wander_ppm * 1e-6 / w * (std::cos(phase_) - std::cos(w * device_s + phase_));
  }
  ClockWorldConfig c_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  double device_s_ = 0;
  double reset_device_s_ = 0;
  bool was_reset_ = false;
  double poll_s_ = 0;
  double poll_skew_ = 0;
  double batch_jitter_s_ = 0;
  double phase_ = 0;
  double burst_until_s_ = -1;
  double next_stall_s_ = 0;
  double last_s_ = 0;
};

}  // namespace strigil::daq
