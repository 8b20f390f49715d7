#include "daq/fanout.hpp"

namespace strigil::daq {

std::shared_ptr<SinkRings> Fanout::add_sink(std::string name, std::size_t blocks, std::size_t events) {
  return sinks_.emplace_back(std::make_shared<SinkRings>(std::move(name), blocks, events));
}

void Fanout::add_sink(std::shared_ptr<SinkRings> rings) { sinks_.push_back(std::move(rings)); }

void Fanout::push(const Block& block) noexcept {
  pushed_ = true;
  for (const auto& sink : sinks_) {
    if (!sink->blocks.push(block) && block.stream < SinkRings::kMostStreams) {
      sink->refused_samples[block.stream] += block.samples;
    }
  }
}

void Fanout::push(const Event& event) noexcept {
  pushed_ = true;
  for (const auto& sink : sinks_) (void)sink->events.push(event);
}

void Fanout::wake() noexcept {
  if (!pushed_) return;
  pushed_ = false;
  for (const auto& sink : sinks_) sink->wake.ring();
}

}  // namespace strigil::daq
