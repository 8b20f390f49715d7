// strigil capsule: a run or a campaign with all that its verdict rests on, sealed; and the check of one.
#pragma once

#include <string>

#include "daq/result.hpp"

namespace strigil::apps {

struct CapsuleArguments {
  std::string what;  ///< run file, or a campaign's folder
  std::string out;   ///< folder to make; must not exist
  std::string key;   ///< Ed25519 secret key (strigil signing-key); empty: not signed
};
/// Writes a folder: the files themselves, each run's texts beside it (configuration, calibration, timing, ledger,
/// verdict, code version), and manifest.json. Exit code (places.hpp).
int capsule_command(const CapsuleArguments& arguments);

/// Is this folder a capsule?
bool is_capsule(const std::string& folder);
/// Every byte against the manifest, the signature, and every verdict recomputed from the data. `key`: the public key
/// that it must be signed by; empty: whoever signed. Exit code: kFail names what is wrong.
int verify_capsule_command(const std::string& folder, const std::string& key);
/// Recomputes one run's verdict and prints what came of it; `in_full`: also what was the same, and what is trusted.
/// False: it does not stand.
bool print_recomputed(const std::string& run_file, const std::string& name, bool in_full);

}  // namespace strigil::apps
