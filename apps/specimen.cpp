#include "apps/specimen.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "apps/places.hpp"
#include "rig/instrument_file.hpp"
#include "rig/phantom_file.hpp"
#include "rig/phantom_generator.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;

/// The command line's word, else the bench file's, whose paths begin at its own folder.
std::string asked_for(const std::string& argument, const std::string& in_bench_file, const rig::BenchConfig& bench) {
  if (!argument.empty() || in_bench_file.empty()) return argument;
  const bool is_path = in_bench_file.find('/') != std::string::npos || in_bench_file.ends_with(".toml");
  if (!is_path || fs::path(in_bench_file).is_absolute()) return in_bench_file;
  const auto folder = fs::path(bench.file).parent_path();
  return ((folder.empty() ? fs::path(".") : folder) / in_bench_file).string();
}

/// `text` with `key = "value"` in its table [table]: in place of what it says there, or added.
std::string with_key(std::string text, const std::string& table, const std::string& key, const std::string& value) {
  const auto line = fmt::format("{} = \"{}\"\n", key, value);
  const auto header = "[" + table + "]";
  auto at = text.starts_with(header) ? 0 : text.find("\n" + header);
  if (at == std::string::npos) return fmt::format("{}\n{}\n{}", text, header, line);
  at = text.find('\n', at + 1);
  if (at == std::string::npos) return fmt::format("{}\n{}", text, line);
  const auto end = std::min(text.find("\n[", at), text.size());
  for (auto begin = at + 1; begin < end;) {
    const auto next = std::min(text.find('\n', begin), text.size() - 1) + 1;
    const auto word_end = text.find_first_of(" \t=", begin);
    if (text.substr(begin, word_end - begin) == key) return text.replace(begin, next - begin, line);
    begin = next;
  }
  return text.insert(at + 1, line);
}

}  // namespace

daq::Result<rig::Phantom> find_phantom(const std::string& name_or_path) {
  if (name_or_path.ends_with(kBlankSuffix)) {
    auto whole = find_phantom(name_or_path.substr(0, name_or_path.size() - kBlankSuffix.size()));
    if (!whole) return whole.error();
    for (auto& i : whole->inclusions) {
      if (!i.target) continue;
      i.stiffness_contrast = i.friction_contrast = i.roughness_contrast = 1;
      i.rise_m = 0;
    }
    // What is recorded is what was there, and still a phantom file.
    return rig::parse_phantom(rig::to_toml(*whole), name_or_path);
  }
  if (name_or_path.starts_with(kRandomPrefix)) {
    const auto digits = name_or_path.substr(kRandomPrefix.size());
    rig::PhantomWish wish;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), wish.seed);
    if (digits.empty() || failure != std::errc() || end != digits.data() + digits.size())
      return daq::Error{fmt::format("'{}' is no random phantom: it is random:SEED, as in random:7", name_or_path)};
    return rig::draw_phantom(wish);
  }
  const auto path = find_toml(name_or_path, "rig/phantoms", "phantom");
  if (!path) return path.error();
  return rig::load_phantom(*path);
}

daq::Result<void> put_on_bench(const SpecimenArguments& a, rig::BenchConfig& bench) {
  const auto phantom = asked_for(a.phantom, bench.phantom_file, bench);
  if (phantom.empty() && !a.emollient.empty())
    return daq::Error{
        "an emollient is spread on a phantom: --emollient needs --phantom, or [phantom] file in the bench file"};
  if (!phantom.empty()) {
    auto read = find_phantom(phantom);
    if (!read) return read.error();
    if (!a.emollient.empty()) {
      read->emollient = {.name = a.emollient, .age_s = 0, .source = "command line"};
      // What is recorded is what was there, and still a phantom file.
      const auto text = rig::to_toml(*read);
      read = rig::parse_phantom(text, phantom + " with --emollient " + a.emollient);
      if (!read) return read.error();
    }
    bench.phantom_there = std::move(*read);
  }
  const auto instrument = asked_for(a.instrument, bench.instrument.file, bench);
  if (instrument.empty()) return {};
  const auto path = find_toml(instrument, "rig/instruments", "instrument");
  if (!path) return path.error();
  auto read = rig::load_instrument(*path);
  if (!read) return read.error();
  bench.instrument_there = std::move(*read);
  bench.instrument.file = fs::absolute(*path).string();
  return {};
}

std::string bench_with(std::string bench_text, const std::string& phantom_path, const std::string& instrument_path) {
  if (!phantom_path.empty()) bench_text = with_key(std::move(bench_text), "phantom", "file", phantom_path);
  if (!instrument_path.empty()) bench_text = with_key(std::move(bench_text), "instrument", "file", instrument_path);
  return bench_text;
}

}  // namespace strigil::apps
