// Capsule manifest: what is in an evidence capsule, each entry's hash chained to all before it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"

namespace strigil::apps {

struct CapsuleEntry {
  std::string path;  ///< below the capsule, with '/'
  std::uint64_t bytes = 0;
  std::string sha256;
  std::string chain;  ///< SHA-256 over the entry before's chain, and this path, size and hash, a line each
};
struct CapsuleManifest {
  std::string kind;      ///< "run" or "campaign"
  std::string made;      ///< ISO 8601
  std::string software;  ///< that made the capsule
  std::vector<CapsuleEntry> entries;

  /// Puts it at the end of the chain, which begins with kind, made and software.
  void add(std::string path, std::uint64_t bytes, std::string sha256);
};

/// The file's bytes: the one way to write this manifest.
std::string to_text(const CapsuleManifest& manifest);
/// Errors, naming the entry: not such a file; not as to_text() writes it, to the byte; a chain that does not hold; a
/// path that leads out of the capsule, or is there twice.
daq::Result<CapsuleManifest> parse_manifest(std::string_view text);

}  // namespace strigil::apps
