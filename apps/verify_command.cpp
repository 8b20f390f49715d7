// strigil verify: whatever this program has written, told apart by what it is.
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "apps/calibrations_command.hpp"
#include "apps/capsule_command.hpp"
#include "apps/certificate_command.hpp"
#include "apps/file_commands.hpp"
#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "calibration/certificate/dcc_check.hpp"
#include "calibration/certificate/signature.hpp"
#include "calibration/record/record.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestSigned = 256U << 20U;

int print_verdict(const std::vector<std::string>& problems) {
  for (const auto& p : problems) fmt::print("PROBLEM: {}\n", p);
  fmt::print("{}\n", problems.empty() ? "the file holds together" : "the file does not hold together");
  return problems.empty() ? kPass : kFail;
}

bool begins_like_hdf5(const std::string& path) {
  constexpr std::array<char, 8> kHdf5{'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  std::array<char, 8> first{};
  std::ifstream in(path, std::ios::binary);
  in.read(first.data(), first.size());
  return in && first == kHdf5;
}

}  // namespace

void check_signature(const std::string& path, const std::string& bytes, const std::string& key,
                     std::vector<std::string>& problems) {
  const auto signature = daq::read_text_file(path + ".sig", 4096);
  if (!signature) return problems.push_back(fmt::format("the signature {}.sig: {}", path, signature.error().message));
  std::string trusted;
  if (!key.empty()) {
    const auto read = daq::read_text_file(key, 4096);
    if (!read) return problems.push_back(fmt::format("the public key: {}", read.error().message));
    trusted = *read;
  }
  const auto signer = calibration::verify_signature(bytes, *signature, trusted);
  if (!signer) return problems.push_back(signer.error().message);
  fmt::print("signed by {}{}\n", *signer,
             key.empty() ? " (whose key that is, only --key can tell)" : ", as it should be");
}

int verify_any_command(const std::string& path, const std::string& key) {
  std::error_code ignored;
  if (is_capsule(path)) return verify_capsule_command(path, key);
  if (fs::is_directory(path, ignored)) return calibrations_check(path);
  const bool is_signed = fs::exists(path + ".sig", ignored);
  if (begins_like_hdf5(path) && !is_signed && key.empty()) return verify_command(path);
  const auto bytes = daq::read_text_file(path, kLongestSigned);
  if (!bytes) return refuse(bytes.error().message);
  std::vector<std::string> problems;
  const bool is_record = bytes->find("\"format\": \"strigil-calibration\"") < 64;
  if (is_record) {
    const auto record = calibration::parse_record(*bytes);
    if (!record) problems.push_back(record.error().message);
    if (record) fmt::print("calibration record '{}', sha256 {}\n", record->record.id, record->hash);
  }
  if (is_signed || !key.empty()) check_signature(path, *bytes, key, problems);
  if (begins_like_hdf5(path)) {
    const int code = verify_command(path);
    if (code != kPass) return code;
  } else if (!is_record && !is_signed && key.empty()) {
    if (bytes->find("digitalCalibrationCertificate") != std::string::npos) {
      return refuse(
          fmt::format("'{}' is a certificate without a signature ({}.sig): nothing can be said of it", path, path));
    }
    return verify_command(path);
  }
  return print_verdict(problems);
}

}  // namespace strigil::apps
