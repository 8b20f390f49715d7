#include "ui/model.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "ui/event_words.hpp"

namespace strigil::ui {
namespace {

constexpr double kNano = 1e-9;
constexpr double kRateWindow_s = 1.0;
/// A clock that goes back by more than this is another computer's, or a replay.
constexpr double kBack_s = 1.0;
constexpr std::size_t kMostStreams = 64;
constexpr std::size_t kMostBins = 100'000;

double seconds_of(daq::HostTime t) { return static_cast<double>(t.ns) * kNano; }

StreamView* stream_of(ModelState& s, const daq::StreamDescription& d) {
  if (d.channels.empty() || d.channels.size() > daq::kMaxChannels) return nullptr;
  const auto at = s.streams.find(d.name);
  if (at != s.streams.end()) {
    if (at->second.description.channels.size() == d.channels.size()) {
      at->second.description = d;
      return &at->second;
    }
    s.streams.erase(at);
  }
  if (s.streams.size() >= kMostStreams) return nullptr;
  return &s.streams.emplace(d.name, StreamView(d)).first->second;
}

void append(StreamView& v, const daq::Block& b) {
  if (b.channels != v.description.channels.size()) return;
  const double t0 = seconds_of(b.t0);
  if (v.history.samples() > 0 && t0 < v.history.last_s() - kBack_s) v.history = History(b.channels);
  if ((b.flags & daq::kGapBefore) != 0 || b.gap != 0) v.history.gap();
  const double period = std::isfinite(b.period_ns) && b.period_ns > 0 ? b.period_ns * kNano : 0;
  for (std::size_t i = 0; i < b.samples; ++i) {
    v.history.append(t0 + period * static_cast<double>(i), std::span(&b.values[i * b.channels], b.channels));
  }
  v.samples += b.samples;
  v.missing += b.gap;
  if ((b.flags & daq::kClockUnlocked) != 0) v.unlocked += b.samples;
  if ((b.flags & daq::kSaturated) != 0) ++v.saturated;
  v.bound_s = daq::seconds(b.bound);
  if (v.rate_samples == 0 || t0 < v.rate_since_s) v.rate_since_s = t0, v.rate_samples = 0;
  if (t0 - v.rate_since_s > kRateWindow_s) {
    v.rate_Hz = static_cast<double>(v.rate_samples) / (t0 - v.rate_since_s);
    v.rate_since_s = t0;
    v.rate_samples = 0;
  }
  v.rate_samples += b.samples;
}

void add_event(ModelState& s, const daq::Event& e) {
  auto* last = s.events.empty() ? nullptr : &s.events.back();
  if (last != nullptr && e.code == daq::EventCode::kOverrun && last->code == e.code) {
    // A busy computer tells of hundreds: what else happened must not be lost among them.
    ++last->times;
    last->at_s = seconds_of(e.at);
    last->words = fmt::format("{} late ticks, the last: {}", last->times, words_of(e));
    return;
  }
  s.events.push_back({seconds_of(e.at), e.severity, words_of(e), e.code});
  if (s.events.size() > Model::kEvents) s.events.pop_front();
}

void enter_run(ModelState& s, std::uint32_t tag) {
  if (s.run_tag == tag) return;
  s.run_tag = tag;
  s.end_json.clear();
  s.ledger_json.clear();
  s.passes.clear();
  s.subscribers.clear();
  for (auto& [name, stream] : s.streams) {
    stream.history.gap();
    stream.next = 0;
    stream.samples = stream.missing = stream.unseen = stream.unlocked = stream.saturated = 0;
  }
}

struct Taker {
  ModelState& s;
  void operator()(const daq::BlockMessage& m) const {
    const auto at = s.streams.find(m.stream);
    if (at == s.streams.end()) return;  // not described yet: the next description comes within a second
    auto& v = at->second;
    if (v.next != 0 && m.head.sequence > v.next) {
      v.unseen += m.head.sequence - v.next;
      v.history.gap();
    }
    v.next = m.head.sequence + 1;
    append(v, m.block);
  }
  void operator()(const daq::StreamMessage& m) const { (void)stream_of(s, m.description); }
  void operator()(const daq::EventMessage& m) const { add_event(s, m.event); }
  void operator()(const daq::HeartbeatMessage& m) const {
    s.subscribers.clear();
    for (const auto& b : m.subscribers) s.subscribers.push_back({b.name, b.alive, b.behind_s, b.received, b.lost});
  }
  void operator()(const daq::EndMessage& m) const { s.end_json = m.result; }
  void operator()(const daq::DocumentMessage& m) const {
    if (m.kind == daq::MessageKind::kLedger) {
      s.ledger_json = m.json;
      return;
    }
    auto parsed = parse_pass(m.json);
    if (!parsed.ok) {
      ++s.malformed;
      return;
    }
    s.passes.push_back(std::move(parsed.pass));
    if (s.passes.size() > Model::kPasses) s.passes.pop_front();
  }
};

}  // namespace

void Model::take(const daq::Message& message) {
  const std::scoped_lock lock(mutex);
  enter_run(state, daq::head_of(message).run_tag);
  std::visit(Taker{state}, message);
}

void Model::take_malformed() {
  const std::scoped_lock lock(mutex);
  ++state.malformed;
}

void Model::take_block(const daq::StreamDescription& description, const daq::Block& block) {
  const std::scoped_lock lock(mutex);
  if (auto* v = stream_of(state, description)) append(*v, block);
}

void Model::take_event(const daq::Event& event) {
  const std::scoped_lock lock(mutex);
  add_event(state, event);
}

void Model::forget() {
  const std::scoped_lock lock(mutex);
  state.streams.clear();
  state.events.clear();
  state.passes.clear();
  state.ledger_json.clear();
  state.end_json.clear();
}

ParsedPass parse_pass(std::string_view json) {
  ParsedPass out;
  const auto j = daq::parse_json(json);
  if (!j.is_object()) return out;
  const auto text = [&](const char* key) {
    const auto at = j.find(key);
    return at != j.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const auto number = [&](const char* key) {
    const auto at = j.find(key);
    return at != j.end() && at->is_number() ? at->get<double>() : std::numeric_limits<double>::quiet_NaN();
  };
  auto& p = out.pass;
  p.stream = text("stream");
  p.channel = text("channel");
  p.unit = text("unit");
  p.direction = text("direction");
  const double pass = number("pass");
  p.number = pass >= 0 && pass < 1e9 ? static_cast<int>(pass) : 0;
  p.first_mm = number("first_centre_m") * 1e3;
  p.bin_mm = number("bin_m") * 1e3;
  const auto bins = j.find("bins");
  if (bins == j.end() || !bins->is_object()) return out;
  const auto mean = bins->find("mean");
  if (mean == bins->end() || !mean->is_array() || mean->size() > kMostBins) return out;
  for (const auto& m : *mean) {
    p.mean.push_back(m.is_number() ? m.get<float>() : std::numeric_limits<float>::quiet_NaN());
  }
  out.ok = std::isfinite(p.first_mm) && p.bin_mm > 0 && !p.mean.empty() && !p.stream.empty();
  return out;
}

}  // namespace strigil::ui
