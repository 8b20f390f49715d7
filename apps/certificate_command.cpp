#include "apps/certificate_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "apps/calibration_gate.hpp"
#include "apps/places.hpp"
#include "apps/print_pdf.hpp"
#include "apps/run_command.hpp"
#include "calibration/certificate/certificate.hpp"
#include "calibration/certificate/dcc_check.hpp"
#include "calibration/certificate/signature.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestSigned = 256U << 20U;

}  // namespace

int certificate_command(const CertificateArguments& a) {
  const auto found = find_record(a.name, a.store);
  if (!found) return refuse(found.error().message);
  const auto& kept = found->kept;
  if (!found->standing.revoked.empty()) {
    return refuse(
        fmt::format("'{}' was revoked ({}): no certificate is issued of it", kept.record.id, found->standing.revoked));
  }
  const auto text = daq::read_text_file(a.head);
  if (!text) return refuse(text.error().message);
  const auto head = calibration::parse_certificate_head(*text, a.head);
  if (!head) return refuse(head.error().message);
  const calibration::Certificate certificate{kept.record, kept.hash, *head};
  if (const auto missing = calibration::omissions_of(certificate); !missing.empty()) {
    for (const auto& m : missing) fmt::print(stderr, "missing: {} (ISO/IEC 17025:2017, {})\n", m.text, m.clause);
    return refuse(
        fmt::format("no certificate is issued of '{}': {} things are missing", kept.record.id, missing.size()));
  }
  if (!a.key.empty()) {  // before anything is made
    if (const auto secret = calibration::read_secret_key(a.key); !secret) return refuse(secret.error().message);
  }
  const auto dcc = calibration::to_dcc(certificate);
  const auto findings = calibration::check_dcc(dcc);
  if (!findings) return refuse(findings.error().message);
  for (const auto& f : *findings)
    fmt::print(stderr, "{}: {} {}: {}\n", f.error ? "error" : "warning", f.rule, f.where, f.text);
  if (std::any_of(findings->begin(), findings->end(), [](const auto& f) { return f.error; })) {
    return refuse("the DCC would break the rules above; mend the record or the head");
  }
  std::error_code failure;
  fs::create_directories(a.out, failure);
  const auto stem = (fs::path(a.out) / kept.record.id).string();
  const std::pair<const char*, std::string> files[] = {{".html", calibration::to_html(certificate)},
                                                       {".json", calibration::to_certificate_json(certificate)},
                                                       {".xml", dcc}};
  for (const auto& [ending, content] : files) {
    const auto path = stem + ending;
    if (auto made = write_new(path, kAnyoneReads, content); !made) return refuse(made.error().message);
    fmt::print("{}\n", path);
    if (a.key.empty()) continue;
    if (const int code = sign_command(path, a.key); code != kPass) return code;
  }
  if (!a.pdf) return kPass;
  if (auto made = print_pdf(stem + ".html", stem + ".pdf"); !made) return refuse(made.error().message);
  fmt::print("{}.pdf\n", stem);
  return a.key.empty() ? kPass : sign_command(stem + ".pdf", a.key);
}

int sign_command(const std::string& file, const std::string& key) {
  const auto secret = calibration::read_secret_key(key);
  if (!secret) return refuse(secret.error().message);
  const auto bytes = daq::read_text_file(file, kLongestSigned);
  if (!bytes) return refuse(bytes.error().message);
  const auto signature = calibration::sign(*bytes, *secret);
  if (!signature) return refuse(signature.error().message);
  if (auto made = write_new(file + ".sig", kAnyoneReads, *signature); !made) return refuse(made.error().message);
  fmt::print("{}.sig\n", file);
  return kPass;
}

int signing_key_command(const std::string& file) {
  const auto keys = calibration::make_signing_keys();
  if (!keys) return refuse(keys.error().message);
  if (auto r = write_new(file, kOwnerOnly, keys->secret + '\n'); !r) return refuse(r.error().message);
  if (auto r = write_new(file + ".pub", kAnyoneReads, keys->public_key + '\n'); !r) return refuse(r.error().message);
  fmt::print("signing key (tell nobody): {}\npublic key, for whoever verifies: {}.pub\n{}\n", file, file,
             keys->public_key);
  return kPass;
}

}  // namespace strigil::apps
