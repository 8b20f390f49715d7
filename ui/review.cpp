#include "ui/review.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <chrono>
#include <cstdio>

#include "daq/json_text.hpp"
#include "daq/record/run_reader.hpp"
#include "rig/phantom_file.hpp"

namespace strigil::ui {
namespace {

constexpr auto kLeaveFree = std::chrono::milliseconds(1);
constexpr auto kLookAgain = std::chrono::milliseconds(500);

}  // namespace

RunOnScreen::RunOnScreen(std::string path) : path_(std::move(path)), thread_([this] { read(); }) {}

RunOnScreen::~RunOnScreen() {
  leaving_ = true;
  thread_.join();
}

std::string RunOnScreen::trouble() const {
  const std::scoped_lock lock(mutex_);
  return trouble_;
}

std::string RunOnScreen::verdict() const {
  const std::scoped_lock lock(mutex_);
  return end_.verdict;
}

DoseMap RunOnScreen::dose() const {
  const std::scoped_lock lock(mutex_);
  return end_.dose;
}

std::shared_ptr<const rig::Phantom> RunOnScreen::phantom() const {
  const std::scoped_lock lock(mutex_);
  return ended_ ? phantom_ : nullptr;
}

void RunOnScreen::look_at_header(const daq::RunHeader& header) {
  const auto passport = header.config.find("phantom.toml");
  if (passport == header.config.end()) return;
  auto phantom = rig::parse_phantom(passport->second, "phantom.toml of " + path_);
  const std::scoped_lock lock(mutex_);
  if (phantom) phantom_ = std::make_shared<const rig::Phantom>(std::move(*phantom));
}

void RunOnScreen::read() {
  (void)::pthread_setname_np(::pthread_self(), "ui review");
  std::vector<std::uint64_t> next;
  std::uint64_t next_event = 0;
  while (!leaving_) {
    // Opened anew each time: a file that grows tells its new size to who opens it.
    auto reader = daq::RunReader::open(path_);
    if (!reader) {
      const std::scoped_lock lock(mutex_);
      trouble_ = reader.error().message;
      done_ = true;
      return;
    }
    auto& r = **reader;
    if (next.empty()) look_at_header(r.header());
    const auto& streams = r.header().streams;
    next.resize(streams.size(), 0);
    std::uint64_t all = 0;
    std::uint64_t read = 0;
    for (std::size_t s = 0; s < streams.size(); ++s) all += r.block_count(s), read += next[s];
    // The streams side by side, so that all of them are there from the beginning on.
    for (bool any = true; any && !leaving_;) {
      any = false;
      for (std::size_t s = 0; s < streams.size() && !leaving_; ++s) {
        constexpr std::uint64_t kAtOnce = 16;
        for (std::uint64_t i = 0; i < kAtOnce && next[s] < r.block_count(s); ++i, ++next[s], ++read) {
          const auto block = r.block(s, next[s]);
          if (!block) {
            const std::scoped_lock lock(mutex_);
            trouble_ = block.error().message;
            done_ = true;
            return;
          }
          model_.take_block(streams[s], *block);
          any = true;
        }
      }
      // Whoever draws waits for the same lock, and a stop for whoever draws: it is left free between two helpings.
      std::this_thread::sleep_for(kLeaveFree);
      progress_ = all == 0 ? 1 : static_cast<float>(read) / static_cast<float>(all);
    }
    for (; next_event < r.event_count() && !leaving_; ++next_event) {
      if (const auto event = r.event(next_event)) model_.take_event(*event);
    }
    if (const auto end = r.end(); end && *end) {
      auto told = parse_run_end(**end);
      {
        const std::scoped_lock model_lock(model_.mutex);
        model_.state.detections = std::move(told.detections);
      }
      const std::scoped_lock lock(mutex_);
      end_ = std::move(told);
      ended_ = true;
      done_ = true;
      return;
    }
    for (auto waited = std::chrono::milliseconds(0); waited < kLookAgain && !leaving_;
         waited += std::chrono::milliseconds(20)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

daq::Result<void> write_csv(const StreamView& stream, double from_s, double to_s, const std::string& path) {
  constexpr std::size_t kMost = 10'000'000;
  std::vector<std::vector<float>> channels(stream.history.channels());
  std::vector<double> times;
  for (std::size_t c = 0; c < channels.size(); ++c) stream.history.samples(c, from_s, kMost, times, channels[c]);
  std::FILE* file = std::fopen(path.c_str(), "wbx");
  if (file == nullptr) return daq::Error{fmt::format("'{}' cannot be made, or is there already", path)};
  fmt::print(file, "time_s");
  for (const auto& c : stream.description.channels) fmt::print(file, ",{} [{}]", c.name, c.unit);
  fmt::print(file, "\n");
  for (std::size_t i = 0; i < times.size() && times[i] < to_s; ++i) {
    fmt::print(file, "{:.9f}", times[i]);
    for (const auto& values : channels) fmt::print(file, ",{:.9g}", values[i]);
    fmt::print(file, "\n");
  }
  const bool failed = std::ferror(file) != 0;
  if (std::fclose(file) != 0 || failed) return daq::Error{fmt::format("'{}' cannot be written", path)};
  return {};
}

}  // namespace strigil::ui
