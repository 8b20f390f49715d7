#include "daq/record/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"

namespace strigil::daq {
namespace {

bool same(const Block& a, const Block& b) {
  return a.first_sample == b.first_sample && a.samples == b.samples && a.channels == b.channels && a.flags == b.flags &&
         a.gap == b.gap && a.ticks == b.ticks && a.t0 == b.t0 && a.bound == b.bound && a.received == b.received &&
         std::bit_cast<std::uint64_t>(a.period_ns) == std::bit_cast<std::uint64_t>(b.period_ns) &&
         std::equal(a.counts.begin(), a.counts.begin() + static_cast<std::ptrdiff_t>(a.value_count()),
                    b.counts.begin());
}

bool same(const Event& a, const Event& b) {
  const auto bits = [](const Event& e) { return std::bit_cast<std::array<std::uint64_t, 4>>(e.arguments); };
  return a.at == b.at && a.code == b.code && a.severity == b.severity && a.source == b.source && bits(a) == bits(b) &&
         a.detail == b.detail;
}

/// Walks one stream and says what is wrong with it. After a block that cannot be read nothing can be said of the rest.
StreamCheck check_stream(RunReader& reader, std::size_t s, std::vector<std::string>& problems) {
  StreamCheck check;
  check.name = reader.header().streams[s].name;
  check.blocks = reader.block_count(s);
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < check.blocks; ++i) {
    auto block = reader.block(s, i);
    const auto first_row = reader.first_row(s, i);
    if (!block || !first_row) {
      problems.push_back((block ? first_row.error() : block.error()).message);
      check.blocks = i;
      return check;
    }
    if (*first_row != check.samples) {
      problems.push_back(fmt::format("stream '{}', block {}: it begins at row {} where row {} is next", check.name, i,
                                     *first_row, check.samples));
    }
    if (i == 0) {
      check.first_t0 = block->t0;
    } else {
      check.gap_samples += block->gap;
      const bool restarted = (block->flags & kDeviceReset) != 0;
      if (!restarted && block->first_sample != expected + block->gap) {
        problems.push_back(fmt::format("stream '{}', block {}: sample {} follows {}, and the block admits a gap of {}",
                                       check.name, i, block->first_sample, expected, block->gap));
      }
    }
    expected = block->first_sample + block->samples;
    check.samples += block->samples;
    check.last_received = block->received;
  }
  if (check.samples != reader.row_count(s)) {
    problems.push_back(fmt::format("stream '{}' has {} rows of counts and blocks for {}", check.name,
                                   reader.row_count(s), check.samples));
  }
  return check;
}

/// What cannot be read is told in `left_out`; the error is the writer's.
Result<void> copy_streams(RunReader& in, RunWriter& out, std::vector<std::string>& left_out, std::uint64_t& events) {
  for (std::size_t s = 0; s < in.header().streams.size(); ++s) {
    for (std::uint64_t i = 0; i < in.block_count(s); ++i) {
      const auto block = in.block(s, i);
      if (!block) {
        left_out.push_back(fmt::format("stream '{}', blocks {} to {}: {}", in.header().streams[s].name, i,
                                       in.block_count(s) - 1, block.error().message));
        break;
      }
      if (auto appended = out.append(*block); !appended) return appended;
    }
  }
  for (std::uint64_t i = 0; i < in.event_count(); ++i) {
    const auto event = in.event(i);
    if (!event) {
      left_out.push_back(fmt::format("events {} to {}: {}", i, in.event_count() - 1, event.error().message));
      break;
    }
    if (auto appended = out.append(*event); !appended) return appended;
    ++events;
  }
  return {};
}

/// Stored samples against what the last hop counted, and that hop against the one before it.
void check_ledger(const std::vector<LedgerRow>& ledger, VerifyReport& report) {
  for (const auto& check : report.streams) {
    const auto row_of = [&](std::string_view hop) {
      return std::find_if(ledger.begin(), ledger.end(),
                          [&](const auto& row) { return row.hop == hop && row.stream == check.name; });
    };
    const auto recorder = row_of("recorder");
    const auto recovered = row_of("recovered");
    const auto last = recovered != ledger.end() ? recovered : recorder;
    if (last == ledger.end()) {
      report.problems.push_back(
          fmt::format("the ledger does not say how many samples of '{}' were recorded", check.name));
    } else if (last->count != check.samples) {
      report.problems.push_back(fmt::format("the ledger says that {} samples of '{}' were recorded; there are {}",
                                            last->count, check.name, check.samples));
    }
  }
  for (auto& problem : unbalanced(ledger))
    report.problems.push_back("the ledger does not balance: " + std::move(problem));
}

struct Written {
  std::vector<std::uint64_t> samples;  // by stream
  std::uint64_t events = 0;
};

/// Makes `report.out` of what is whole in `in`, with an end and a ledger that say so. No file is left on an error.
Result<Written> write_copy(RunReader& in, const std::string& path, RecoverReport& report) {
  auto made = RunWriter::create(report.out, in.header());
  if (!made) return made.error();
  auto& writer = **made;
  const auto refuse = [&](const Error& error) {
    made->reset();
    std::error_code ignored;  // the error that matters is the first
    std::filesystem::remove(report.out, ignored);
    return error;
  };
  Written written;
  if (auto copied = copy_streams(in, writer, report.left_out, written.events); !copied) return refuse(copied.error());
  written.samples = writer.samples();
  std::vector<LedgerRow> ledger;
  if (auto original = in.ledger()) ledger = *original;
  for (std::size_t s = 0; s < written.samples.size(); ++s) {
    const auto& name = in.header().streams[s].name;
    const auto rows = in.row_count(s);
    const auto without_block = rows - std::min(rows, written.samples[s]);
    if (without_block > 0) {
      report.left_out.push_back(
          fmt::format("stream '{}': {} of {} rows of counts have no readable block", name, without_block, rows));
    }
    report.rows_without_block += without_block;
    ledger.push_back({"recovered", name, written.samples[s], without_block});
  }
  nlohmann::ordered_json end{{"closed_cleanly", false},
                             {"recovered", true},
                             {"recovered_from", std::filesystem::path(path).filename().string()},
                             {"left_out", report.left_out}};
  const auto text = in.end();
  auto original =
      text && *text ? parse_ordered_json(**text) : nlohmann::ordered_json(nlohmann::json::value_t::discarded);
  if (!original.is_discarded()) {
    end["original_end"] = std::move(original);
  } else {
    end["missing"] = {"the verdict", "what came after the last flush: at most one second"};
  }
  const auto end_text = daq::json_text(end, 1);
  if (auto finished = writer.finish(end_text, ledger); !finished) return refuse(finished.error());
  return written;
}

}  // namespace

Result<VerifyReport> verify(const std::string& path) {
  auto reader = RunReader::open(path);
  if (!reader) return reader.error();
  auto& r = **reader;
  VerifyReport report;
  for (std::size_t s = 0; s < r.header().streams.size(); ++s) {
    report.streams.push_back(check_stream(r, s, report.problems));
  }
  report.events = r.event_count();
  const auto end = r.end();
  if (!end) return end.error();
  report.finished = end->has_value();
  if (!report.finished) {
    report.problems.emplace_back(
        "the writer never came to its end: it was killed or is still at work; see `strigil recover`");
  } else if (const auto j = daq::parse_json(**end); !j.is_object()) {
    report.problems.emplace_back("the end is not a JSON object");
  } else if (j.contains("recovered")) {
    report.problems.emplace_back("the file was recovered: its run never came to an end; /end says what was left out");
  }
  const auto ledger = r.ledger();
  if (!ledger) return ledger.error();
  if (report.finished) check_ledger(*ledger, report);
  auto hash = r.dataset_hash();
  if (!hash) return hash.error();
  report.dataset_hash = *hash;
  return report;
}

Result<RecoverReport> recover(const std::string& path, const std::string& out) {
  auto reader = RunReader::open(path);
  if (!reader) return reader.error();
  auto& in = **reader;
  RecoverReport report;
  report.out = out;
  auto written = write_copy(in, path, report);
  if (!written) return written.error();
  // The proof: read the copy back and compare it with the original.
  auto reopened = RunReader::open(out);
  if (!reopened) return reopened.error();
  auto& copy = **reopened;
  const auto distrust = [&](const std::string& why) {
    return Error{fmt::format("'{}' was written, but {}; do not trust it", out, why)};
  };
  std::vector<std::string> problems;
  for (std::size_t s = 0; s < in.header().streams.size(); ++s) {
    const auto check = check_stream(copy, s, problems);
    if (check.samples != written->samples[s] || copy.row_count(s) != check.samples) {
      return distrust(fmt::format("stream '{}' reads back with another length", check.name));
    }
    for (std::uint64_t i = 0; i < check.blocks; ++i) {
      const auto a = in.block(s, i);
      const auto b = copy.block(s, i);
      if (!a || !b || !same(*a, *b)) {
        return distrust(fmt::format("block {} of stream '{}' reads back differently", i, check.name));
      }
    }
    report.streams.push_back(check);
  }
  if (copy.event_count() != written->events) return distrust("events are missing from it");
  for (std::uint64_t i = 0; i < written->events; ++i) {
    const auto a = in.event(i);
    const auto b = copy.event(i);
    if (!a || !b || !same(*a, *b)) return distrust(fmt::format("event {} reads back differently", i));
  }
  auto hash = copy.dataset_hash();
  if (!hash) return hash.error();
  report.dataset_hash = *hash;
  return report;
}

}  // namespace strigil::daq
