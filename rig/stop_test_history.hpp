// The stop tests of a bench, one after the other: judged against limits and against each other, and what they block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "daq/time.hpp"
#include "rig/stop_test.hpp"

namespace strigil::rig {

/// One stop test: a line of JSON in the bench's history.
struct StopTestRecord {
  daq::WallTime at;
  std::string bench;
  std::string setup;  ///< stop_test_setup() then
  std::string software;
  bool simulated = false;  ///< in virtual time
  std::vector<StopTestFigures> stops;
  std::vector<std::string> failures;  ///< empty: it passed
};

/// What stops are measured with, in words: tests with another setup are not compared. Pure.
std::string stop_test_setup(const BenchConfig& bench);

/// The worst of each figure over the stops of one kind.
StopTestFigures worst_of(StopTestKind kind, const std::vector<StopTestFigures>& stops);

/// Why these stops are not good enough: beyond a limit of [stop_test], or worse than the first tests of this setup that
/// passed (their median) by more than worse_by and what one report or sample is worth. Empty: they are. Pure.
std::vector<std::string> judge_stops(const std::vector<StopTestFigures>& stops, const BenchConfig& bench,
                                     const std::vector<StopTestRecord>& history);

/// Why a run with force may not begin: no stop test, one too old, one that failed, one of another setup. Empty: it may.
/// Pure.
std::string stop_test_gate(const BenchConfig& bench, const std::vector<StopTestRecord>& history, daq::WallTime now);

/// A line without its end.
std::string to_json(const StopTestRecord& record);
/// Errors: not such a line.
daq::Result<StopTestRecord> parse_stop_test(std::string_view line);
/// All records of a file, oldest first; none where there is no file. Errors: a line that cannot be read, with its
/// number; who wrote half a line and died has left one.
daq::Result<std::vector<StopTestRecord>> read_stop_tests(const std::string& path);
/// Adds one, and sees it on the disk. Errors: the file.
daq::Result<void> append_stop_test(const std::string& path, const StopTestRecord& record);

}  // namespace strigil::rig
