#include "daq/stream.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"

namespace strigil::daq {

bool valid_stream_name(const std::string& name) {
  constexpr std::size_t kLongest = 32;
  return !name.empty() && name.size() <= kLongest && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string to_json(const StreamDescription& stream) {
  nlohmann::ordered_json channels = nlohmann::ordered_json::array();
  for (const auto& c : stream.channels) {
    channels.push_back({{"name", c.name}, {"unit", c.unit}, {"scale", c.scale}, {"offset", c.offset}});
  }
  return daq::json_text(nlohmann::ordered_json{{"id", stream.id},
                                               {"name", stream.name},
                                               {"device", stream.device},
                                               {"quantity", stream.quantity},
                                               {"rate_Hz", stream.rate_Hz},
                                               {"tick_rate_Hz", stream.tick_rate_Hz},
                                               {"counts_min", stream.counts_min},
                                               {"counts_max", stream.counts_max},
                                               {"channels", channels}});
}

}  // namespace strigil::daq
