#include "apps/print_pdf.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

#include "apps/child.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;

/// A program of the system's by name; empty: there is none.
std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::error_code ignored;
    const auto candidate = fs::path(folder) / name;
    if (!folder.empty() && fs::is_regular_file(candidate, ignored)) return candidate.string();
  }
  return "";
}

}  // namespace

daq::Result<void> print_pdf(const std::string& html, const std::string& pdf) {
  const auto absolute = fs::absolute(html).string();
  struct Printer {
    const char* name;
    std::vector<std::string> arguments;
  };
  const Printer printers[] = {{"weasyprint", {absolute, pdf}},
                              {"chromium",
                               {"--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
                                "--print-to-pdf=" + pdf, "file://" + absolute}},
                              {"wkhtmltopdf", {"--quiet", "--print-media-type", absolute, pdf}}};
  for (const auto& p : printers) {
    const auto program = find_program(p.name);
    if (program.empty()) continue;
    const auto log = pdf + ".log";
    auto child = Child::start_program(program, p.arguments, log, log);
    if (!child) return child.error();
    constexpr daq::Duration kLongest = std::chrono::seconds(120);
    const auto code = (*child)->wait(kLongest);
    std::error_code ignored;
    if (code == 0 && fs::exists(pdf, ignored)) {
      fs::remove(log, ignored);
      return {};
    }
    return daq::Error{fmt::format("{} made no PDF of '{}'; what it said is in {}", p.name, html, log)};
  }
  return daq::Error{
      "a PDF needs weasyprint, chromium or wkhtmltopdf on this computer, and none is there; the HTML prints as it "
      "looks"};
}

}  // namespace strigil::apps
