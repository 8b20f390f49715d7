#include "rig/exciter_generator.hpp"

namespace strigil::rig {
namespace {

daq::ScpiGeneratorConfig session_config(const GeneratorConfig& c) {
  daq::ScpiGeneratorConfig out;
  out.make = c.make;
  out.model = c.model;
  out.serial = c.serial;
  out.channel = c.channel;
  out.max_V = c.max_V;
  out.answer_timeout = daq::from_seconds(c.answer_timeout_s);
  return out;
}

}  // namespace

ExciterGenerator::ExciterGenerator(const GeneratorConfig& config, daq::Link& link, daq::ChunkRing& chunks)
    : link_(link), chunks_(chunks), session_(session_config(config)) {}

ExciterGenerator::~ExciterGenerator() {
  if (session_.known_off()) return;
  session_.close();
  session_.on_time(now_, [this](auto bytes) { return link_.write(bytes); });
}

void ExciterGenerator::turn(daq::HostTime now) {
  now_ = now;
  while (const auto* chunk = chunks_.front()) {
    if (chunk->kind == daq::ChunkKind::kClosed) {
      session_.on_closed(now);
    } else {
      session_.on_bytes(chunk->data(), now);
    }
    chunks_.release();
  }
  session_.on_time(now, [this](auto bytes) { return link_.write(bytes); });
}

}  // namespace strigil::rig
