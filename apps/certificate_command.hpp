// Certificates of kept records, the keys they are signed with, and verifying anything that this program has written.
#pragma once

#include <string>
#include <vector>

namespace strigil::apps {

struct CertificateArguments {
  std::string name;  ///< of the record
  std::string store;
  std::string head;  ///< TOML file: laboratory, customer, who authorises
  std::string out;   ///< folder; the files are called after the record's id
  std::string key;   ///< secret key to sign with; empty: unsigned
  bool pdf = false;  ///< by a program of the system's
};
/// Writes ID.html, ID.json and ID.xml (DCC), with ID.*.sig where there is a key. Nothing is overwritten. kUsage when
/// the certificate would not say what ISO/IEC 17025 wants of one, each thing that is missing in words.
int certificate_command(const CertificateArguments& arguments);

/// Makes an Ed25519 pair: FILE (secret) and FILE.pub.
int signing_key_command(const std::string& file);

/// Signs any file: FILE.sig beside it.
int sign_command(const std::string& file, const std::string& key);

/// A run file, a record, a store, or any file with a .sig beside it. kFail with the problems in words when it does not
/// hold. `key`: public key file that a signature must be by; empty: any.
int verify_any_command(const std::string& path, const std::string& key);
/// Prints who signed `bytes` by the file PATH.sig, or adds what is wrong to `problems`. `key`: file of the public key
/// that it must be by; empty: any.
void check_signature(const std::string& path, const std::string& bytes, const std::string& key,
                     std::vector<std::string>& problems);

}  // namespace strigil::apps
