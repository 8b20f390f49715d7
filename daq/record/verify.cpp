#include "daq/record/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace strigil::daq {
namespace {

bool same(const Block& a, const Block& b) {
  return a.first_sample == b.first_sample && a.samples == b.samples && a.channels == b.channels && a.flags == b.flags &&
         a.gap == b.gap && a.ticks == b.ticks && a.t0 == b.t0 && a.received == b.received &&
         a.period_ns == b.period_ns &&
         std::equal(a.counts.begin(), a.counts.begin() + static_cast<std::ptrdiff_t>(a.value_count()),
                    b.counts.begin());
}

/// Walks one stream and says what is wrong with it.
Result<StreamCheck> check_stream(RunReader& reader, std::size_t s, std::vector<std::string>& problems) {
  StreamCheck check;
  check.name = reader.header().streams[s].name;
  check.blocks = reader.block_count(s);
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < check.blocks; ++i) {
    auto block = reader.block(s, i);
    if (!block) return block.error();
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

Result<void> copy_streams(RunReader& in, RunWriter& out) {
  for (std::size_t s = 0; s < in.header().streams.size(); ++s) {
    for (std::uint64_t i = 0; i < in.block_count(s); ++i) {
      const auto block = in.block(s, i);
      if (!block) break;  // the tail of a killed file: what comes after the last whole block cannot be saved
      if (auto appended = out.append(*block); !appended) return appended;
    }
  }
  for (std::uint64_t i = 0; i < in.event_count(); ++i) {
    const auto event = in.event(i);
    if (!event) break;
    if (auto appended = out.append(*event); !appended) return appended;
  }
  return {};
}

}  // namespace

Result<VerifyReport> verify(const std::string& path) {
  auto reader = RunReader::open(path);
  if (!reader) return reader.error();
  auto& r = **reader;
  VerifyReport report;
  for (std::size_t s = 0; s < r.header().streams.size(); ++s) {
    auto check = check_stream(r, s, report.problems);
    if (!check) return check.error();
    report.streams.push_back(*check);
  }
  report.events = r.event_count();
  const auto end = r.end();
  if (!end) return end.error();
  report.finished = end->has_value();
  if (!report.finished) {
    report.problems.emplace_back(
        "the writer never came to its end: it was killed or is still at work; see `strigil recover`");
  } else if (!nlohmann::json::accept(**end)) {
    report.problems.emplace_back("the end is not JSON");
  }
  const auto ledger = r.ledger();
  if (!ledger) return ledger.error();
  for (const auto& row : *ledger) {
    if (row.hop != "recorder") continue;
    const auto check =
        std::find_if(report.streams.begin(), report.streams.end(), [&](const auto& s) { return s.name == row.stream; });
    if (check == report.streams.end() || check->samples != row.count) {
      report.problems.push_back(fmt::format("the ledger says that {} samples of '{}' were recorded; there are {}",
                                            row.count, row.stream, check == report.streams.end() ? 0 : check->samples));
    }
  }
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
  auto header = in.header();
  std::vector<std::uint64_t> saved;
  {
    auto writer = RunWriter::create(out, header);
    if (!writer) return writer.error();
    if (auto copied = copy_streams(in, **writer); !copied) return copied.error();
    saved = (*writer)->samples();
    std::vector<LedgerRow> ledger;
    for (std::size_t s = 0; s < saved.size(); ++s) ledger.push_back({"recorder", header.streams[s].name, saved[s], 0});
    nlohmann::ordered_json end{{"closed_cleanly", false}, {"recovered_from", path}};
    if (const auto text = in.end(); text && *text && nlohmann::json::accept(**text)) {
      end["original_end"] = nlohmann::ordered_json::parse(**text);
    }
    if (auto finished = (*writer)->finish(end.dump(1), ledger); !finished) return finished.error();
  }
  // The proof: read the copy back and compare it with the original, block by block.
  auto copy = RunReader::open(out);
  if (!copy) return copy.error();
  std::vector<std::string> problems;
  for (std::size_t s = 0; s < saved.size(); ++s) {
    auto check = check_stream(**copy, s, problems);
    if (!check) return check.error();
    for (std::uint64_t i = 0; i < check->blocks; ++i) {
      const auto a = in.block(s, i);
      const auto b = (*copy)->block(s, i);
      if (!a || !b || !same(*a, *b)) {
        return Error{
            fmt::format("'{}' was written, but block {} of stream '{}' reads back differently; do not trust it", out, i,
                        check->name)};
      }
    }
    if (check->samples != saved[s]) problems.push_back(fmt::format("stream '{}' reads back short", check->name));
    report.rows_without_block += in.row_count(s) - std::min(in.row_count(s), check->samples);
    report.streams.push_back(*check);
  }
  if (!problems.empty()) return Error{fmt::format("'{}' was written, but {}", out, problems.front())};
  auto hash = (*copy)->dataset_hash();
  if (!hash) return hash.error();
  report.dataset_hash = *hash;
  return report;
}

}  // namespace strigil::daq
