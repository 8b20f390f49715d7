// docs/safety.md says of every fault what it is and what proves it: held here to the code and to the tests there are.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "protocols/runner.hpp"
#include "rig/interlock.hpp"
#include "rig/supervisor.hpp"

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream in(line.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) {
    const auto from = cell.find_first_not_of(' ');
    cells.push_back(from == std::string::npos ? "" : cell.substr(from, cell.find_last_not_of(' ') - from + 1));
  }
  return cells;
}

/// Rows of the table whose head begins with "| `first` |": one list of cells each.
std::vector<std::vector<std::string>> table(const std::string& page, const std::string& first) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream in(page);
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("| " + first + " |", 0) == 0) {
      inside = true;
      rows.push_back(cells_of(line));
      std::getline(in, line);  // the rule below the head
    } else if (inside && line.rfind('|', 0) == 0) {
      rows.push_back(cells_of(line));
    } else if (inside) {
      break;
    }
  }
  return rows;
}

std::vector<std::string> quoted(const std::string& cell) {
  std::vector<std::string> names;
  const std::regex name("`([^`]+)`");
  for (std::sregex_iterator i(cell.begin(), cell.end(), name), end; i != end; ++i) names.push_back((*i)[1]);
  return names;
}

/// "Suite.Name" of every test, and the suite alone.
std::set<std::string> tests_there_are() {
  std::set<std::string> names;
  const std::regex test(R"(TEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(STRIGIL_SOURCE_DIR) / "tests")) {
    if (entry.path().extension() != ".cpp") continue;
    const auto text = text_of(entry.path());
    for (std::sregex_iterator i(text.begin(), text.end(), test), end; i != end; ++i) {
      names.insert((*i)[1].str() + "." + (*i)[2].str());
      names.insert((*i)[1].str() + ".*");
    }
  }
  const auto cmake = text_of(fs::path(STRIGIL_SOURCE_DIR) / "tests/CMakeLists.txt");
  const std::regex cases(R"(foreach\(case ([^)]+)\))");
  std::smatch match;
  if (std::regex_search(cmake, match, cases)) {
    std::istringstream in(match[1].str());
    for (std::string name; in >> name;) names.insert("wire_" + name);
  }
  const std::regex wire(R"(NAME (wire_[a-z_]+) )");
  for (std::sregex_iterator i(cmake.begin(), cmake.end(), wire), end; i != end; ++i) names.insert((*i)[1]);
  return names;
}

std::set<std::string> drills_there_are() {
  std::set<std::string> names;
  const auto text = text_of(fs::path(STRIGIL_SOURCE_DIR) / "apps/drills/catalogue.toml");
  const std::regex drill(R"re((?:^|\n)name = "(\w+)")re");
  for (std::sregex_iterator i(text.begin(), text.end(), drill), end; i != end; ++i) names.insert((*i)[1]);
  return names;
}

void expect_proved(const std::vector<std::string>& row) {
  static const auto tests = tests_there_are();
  static const auto drills = drills_there_are();
  const auto proofs = quoted(row.back());
  EXPECT_FALSE(proofs.empty()) << row.front() << ": nothing proves it";
  for (const auto& proof : proofs) {
    EXPECT_TRUE(tests.contains(proof) || drills.contains(proof))
        << row.front() << ": '" << proof << "' is neither a test nor a drill";
  }
}

const std::string& page() {
  static const auto text = text_of(fs::path(STRIGIL_SOURCE_DIR) / "docs/safety.md");
  return text;
}

TEST(SafetyPage, HasARowForEveryFaultAndEachRowsTestsExist) {
  const auto rows = table(page(), "fault");
  ASSERT_GT(rows.size(), 1U);
  EXPECT_EQ(rows[0], (std::vector<std::string>{"fault", "cause", "found within", "response", "reset", "test"}));
  std::map<std::string, int> told;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), rows[0].size()) << rows[i].front();
    for (const auto& cell : rows[i]) EXPECT_FALSE(cell.empty()) << rows[i].front() << " has an empty cell";
    for (const auto& name : quoted(rows[i].front())) ++told[name];
    expect_proved(rows[i]);
  }
  std::size_t faults = 0;
  for (int bit = 0; bit < 32; ++bit) {
    const auto name = strigil::rig::fault_names(1U << bit);
    if (name.empty()) continue;
    ++faults;
    EXPECT_EQ(told[name], 1) << "fault '" << name << "' needs one row";
    EXPECT_FALSE(strigil::rig::fault_advice(1U << bit).empty()) << name;
  }
  EXPECT_GE(faults, 20U);
  EXPECT_EQ(told.size(), faults) << "a row is of a fault that there is not";
}

TEST(SafetyPage, PermissivesAndStopsAreProvedToo) {
  for (const std::string first : {"permissive", "stop"}) {
    const auto rows = table(page(), first);
    ASSERT_GT(rows.size(), 3U) << first;
    for (std::size_t i = 1; i < rows.size(); ++i) {
      ASSERT_EQ(rows[i].size(), rows[0].size()) << rows[i].front();
      expect_proved(rows[i]);
    }
  }
}

// docs/run_file.md gives the numbers that files and messages hold.
TEST(RunFilePage, NamesEveryStateAndEveryOutcomeWithItsNumber) {
  using namespace strigil;
  const auto text = text_of(fs::path(STRIGIL_SOURCE_DIR) / "docs/run_file.md");
  const auto line_of = [&](const std::string& event) {
    const auto at = text.find("| " + event + " |");
    EXPECT_NE(at, std::string::npos) << event;
    return at == std::string::npos ? std::string() : text.substr(at, text.find('\n', at) - at);
  };
  const auto states = line_of("supervisor_state");
  for (int i = 0; i < rig::kSupervisorStates; ++i) {
    auto name = std::string(rig::name_of(static_cast<rig::SupervisorState>(i)));
    std::replace(name.begin(), name.end(), '_', ' ');
    EXPECT_NE(states.find(std::to_string(i) + " " + name), std::string::npos) << i << " " << name << "\n" << states;
  }
  const auto outcomes = line_of("step_ended");
  for (int i = 0; i <= static_cast<int>(protocols::StepOutcome::kSuspendedTooLong); ++i) {
    const auto name = std::string(protocols::name_of(static_cast<protocols::StepOutcome>(i)));
    EXPECT_NE(outcomes.find(std::to_string(i) + " " + name), std::string::npos) << i << " " << name << "\n" << outcomes;
  }
  const auto kinds = line_of("step_began");
  for (int i = 0; i <= static_cast<int>(protocols::StepKind::kSurvey); ++i) {
    const auto name = std::string(protocols::name_of(static_cast<protocols::StepKind>(i)));
    EXPECT_NE(kinds.find(std::to_string(i) + " " + name), std::string::npos) << i << " " << name << "\n" << kinds;
  }
}

}  // namespace
