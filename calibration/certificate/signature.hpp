// Detached Ed25519 signatures of files (libsodium). What is signed are the file's bytes as they are, so that any other
// Ed25519 can verify them. Off the loop.
#pragma once

#include <string>
#include <string_view>

#include "daq/result.hpp"

namespace strigil::calibration {

/// A new pair, both as Base64 on one line.
struct SigningKeys {
  std::string secret;
  std::string public_key;
};
/// Errors: this computer gives no random numbers.
daq::Result<SigningKeys> make_signing_keys();

/// The file FILE.sig: what it is, the public key and the signature, a line each.
/// Errors: the secret key is none, or others can read its file.
daq::Result<std::string> sign(std::string_view bytes, std::string_view secret);
/// Reads a secret key made by `strigil signing-key`. Errors: it is not there, none, or others can read it.
daq::Result<std::string> read_secret_key(const std::string& path);

/// Who signed, when the signature is of these bytes. `trusted`: the public key that it must be by, or empty: any.
/// Errors: the signature is not written as sign() writes one, is of other bytes, or by another key.
daq::Result<std::string> verify_signature(std::string_view bytes, std::string_view signature, std::string_view trusted);

}  // namespace strigil::calibration
