#include "daq/ledger.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"

namespace strigil::daq {
namespace {

/// What a hop is fed by.
struct Feed {
  const char* from;
  const char* to;
};
constexpr std::array kFeeds{
    Feed{hop::kDevice, hop::kWire},          Feed{hop::kWire, hop::kChunkRing},
    Feed{hop::kChunkRing, hop::kCodec},      Feed{hop::kCodec, hop::kIntake},
    Feed{hop::kIntake, hop::kRecorderRing},  Feed{hop::kRecorderRing, hop::kRecorder},
    Feed{hop::kIntake, hop::kPublisherRing}, Feed{hop::kPublisherRing, hop::kPublisher},
};

/// `entered` samples came, `lost` of them stayed. More lost than entered is nonsense that unbalanced() will show.
LedgerRow next(const LedgerRow& before, std::string hop, std::uint64_t lost) {
  return {std::move(hop), before.stream, before.count - lost, lost};
}

}  // namespace

std::vector<LedgerRow> ledger_rows(const StreamLedger& c) {
  std::vector<LedgerRow> rows{{hop::kDevice, c.stream, c.device, 0}};
  rows.push_back(next(rows.back(), hop::kWire, c.lost_on_wire));
  rows.push_back(next(rows.back(), hop::kChunkRing, c.lost_in_chunk_ring));
  rows.push_back(next(rows.back(), hop::kCodec, c.lost_in_codec));
  const LedgerRow intake{hop::kIntake, c.stream, c.intake, 0};
  rows.push_back(intake);
  if (c.recorded_at_all) {
    rows.push_back(next(intake, hop::kRecorderRing, c.lost_in_recorder_ring));
    rows.push_back({hop::kRecorder, c.stream, c.recorded, 0});
  }
  if (c.published_at_all) {
    rows.push_back(next(intake, hop::kPublisherRing, c.lost_in_publisher_ring));
    rows.push_back({hop::kPublisher, c.stream, c.published, 0});
    const auto published = rows.back();
    for (const auto& s : c.subscribers) {
      const auto hop = [&](std::string_view what) { return fmt::format("{}{}", what, s.name); };
      rows.push_back(next(published, hop(hop::kAbsence), s.before));
      rows.push_back(next(rows.back(), hop(hop::kSubscriber), rows.back().count - s.received));
    }
  }
  return rows;
}

std::string ledger_json(const std::string& run, bool final, std::span<const LedgerRow> rows) {
  const auto text = [&](bool whole) {
    nlohmann::ordered_json out{{"run", run}, {"final", final}, {"rows", nlohmann::ordered_json::array()}};
    std::uint64_t left_out = 0;
    for (const auto& r : rows) {
      if (!whole && is_subscriber_hop(r.hop)) {
        ++left_out;
        continue;
      }
      out["rows"].push_back({{"hop", r.hop}, {"stream", r.stream}, {"count", r.count}, {"lost", r.lost}});
    }
    out["left_out"] = left_out;
    out["unexplained"] = unbalanced(rows);
    return daq::json_text(out);
  };
  auto whole = text(true);
  return whole.size() <= kMostLedgerText ? whole : text(false);
}

std::vector<std::string> unbalanced(std::span<const LedgerRow> rows) {
  std::map<std::string, std::map<std::string, const LedgerRow*>> streams;
  for (const auto& row : rows) streams[row.stream][row.hop] = &row;
  std::vector<std::string> problems;
  for (const auto& [stream, hops] : streams) {
    std::vector<std::pair<std::string, std::string>> feeds;
    for (const auto& feed : kFeeds) feeds.emplace_back(feed.from, feed.to);
    for (const auto& [hop, row] : hops) {
      if (!hop.starts_with(hop::kAbsence)) continue;
      feeds.emplace_back(hop::kPublisher, hop);
      feeds.emplace_back(hop, fmt::format("{}{}", hop::kSubscriber, hop.substr(hop::kAbsence.size())));
    }
    for (const auto& feed : feeds) {
      const auto from = hops.find(feed.first);
      const auto to = hops.find(feed.second);
      if (from == hops.end() || to == hops.end()) continue;
      const auto left = from->second->count;
      const auto entered = to->second->count + to->second->lost;
      if (left == entered) continue;
      problems.push_back(fmt::format("{} samples of '{}' left the {}, {} entered the {}: nobody knows why", left,
                                     stream, feed.first, entered, feed.second));
    }
  }
  return problems;
}

}  // namespace strigil::daq
