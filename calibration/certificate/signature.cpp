#include "calibration/certificate/signature.hpp"

#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "daq/strict_toml.hpp"

namespace strigil::calibration {
namespace {

constexpr std::string_view kFirstLine = "strigil-signature 1 ed25519";

std::string base64(const unsigned char* bytes, std::size_t size) {
  std::string out(sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes, size, sodium_base64_VARIANT_ORIGINAL);
  out.resize(std::strlen(out.c_str()));
  return out;
}

/// Exactly N bytes; false: it is not.
template <std::size_t N>
bool bytes_of(std::string_view text, std::array<unsigned char, N>& out) {
  std::size_t size = 0;
  const char* end = nullptr;
  const int failed =
      sodium_base642bin(out.data(), N, text.data(), text.size(), nullptr, &size, &end, sodium_base64_VARIANT_ORIGINAL);
  // What decodes to the same may be written in several ways; only one of them is ours.
  return failed == 0 && size == N && end == text.data() + text.size() && base64(out.data(), N) == text;
}

using Secret = std::array<unsigned char, crypto_sign_SECRETKEYBYTES>;
using Public = std::array<unsigned char, crypto_sign_PUBLICKEYBYTES>;
using Signature = std::array<unsigned char, crypto_sign_BYTES>;

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

const unsigned char* raw(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace

daq::Result<SigningKeys> make_signing_keys() {
  if (sodium_init() < 0) return daq::Error{"this computer gives no random numbers: no key can be made"};
  Public public_key{};
  Secret secret{};
  crypto_sign_keypair(public_key.data(), secret.data());
  return SigningKeys{base64(secret.data(), secret.size()), base64(public_key.data(), public_key.size())};
}

daq::Result<std::string> sign(std::string_view bytes, std::string_view secret_text) {
  Secret secret{};
  if (!bytes_of(first_line(secret_text), secret))
    return daq::Error{"this is no signing key: `strigil signing-key FILE` makes one"};
  Public public_key{};
  crypto_sign_ed25519_sk_to_pk(public_key.data(), secret.data());
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr, raw(bytes), bytes.size(), secret.data());
  return fmt::format("{}\n{}\n{}\n", kFirstLine, base64(public_key.data(), public_key.size()),
                     base64(signature.data(), signature.size()));
}

daq::Result<std::string> read_secret_key(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return daq::Error{fmt::format("signing key '{}': {}", path, std::strerror(errno))};
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return daq::Error{fmt::format("signing key '{}': others can read it; chmod 600 it", path)};
  }
  return daq::read_text_file(path, 4096);
}

daq::Result<std::string> verify_signature(std::string_view bytes, std::string_view signature_text,
                                          std::string_view trusted) {
  std::vector<std::string_view> lines;
  for (auto rest = signature_text; !rest.empty();) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) break;
    lines.push_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (rest.empty() && lines.size() == 3) break;
    if (lines.size() == 3) lines.emplace_back();
    if (lines.size() > 3) break;
  }
  Public public_key{};
  Signature signature{};
  const bool whole = lines.size() == 3 && signature_text.ends_with('\n') && lines[0] == kFirstLine &&
                     bytes_of(lines[1], public_key) && bytes_of(lines[2], signature);
  if (!whole) return daq::Error{"the signature is not written as strigil writes one: it was changed"};
  if (!trusted.empty()) {
    Public wanted{};
    if (!bytes_of(first_line(trusted), wanted)) return daq::Error{"the public key to verify with is none"};
    if (wanted != public_key) return daq::Error{fmt::format("it was signed by another key, {}", lines[1])};
  }
  if (crypto_sign_verify_detached(signature.data(), raw(bytes), bytes.size(), public_key.data()) != 0) {
    return daq::Error{"the signature is of other bytes: the file was changed after it was signed"};
  }
  return std::string(lines[1]);
}

}  // namespace strigil::calibration
