#include "apps/phantom_command.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "apps/phantom_picture.hpp"
#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "daq/strict_toml.hpp"
#include "rig/ground_truth.hpp"
#include "rig/instrument_file.hpp"
#include "rig/phantom_generator.hpp"
#include "sim/tissue_plant.hpp"
#include "sim/world.hpp"

extern char** environ;

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;

double mm(double m) { return std::round(m * 1e9) / 1e6; }

/// The way of its strokes, of the first force of the first phase: the same for all but a scoop's force.
daq::Result<PictureOfWays> ways_over(const rig::Phantom& phantom, const std::string& asked) {
  PictureOfWays ways;
  const auto& name = asked.empty() ? phantom.protocol : asked;
  if (name.empty()) return ways;
  const auto path = find_toml(name, "protocols/library", "protocol");
  if (!path) return path.error();
  const auto text = daq::read_text_file(*path);
  if (!text) return text.error();
  const auto protocol = protocols::parse_protocol(*text, *path);
  if (!protocol) return protocol.error();
  auto planned = protocols::ways_of(*protocol, protocols::phases_of(*protocol).front().normal_force_N.front());
  if (!planned) return planned.error();
  ways.label = protocol->name;
  for (auto& way : *planned) ways.paths.push_back(std::move(way.path));
  if (protocol->dose) ways.edge_length_m = protocol->edge.length_m;
  return ways;
}

void print_words(const rig::Phantom& p) {
  fmt::print("{}: {}\ncondition {}, protocol {}, {:g} x {:g} mm, emollient {}, {:g} C\n", p.name, p.title, p.condition,
             p.protocol.empty() ? "-" : p.protocol, mm(p.x_max_m - p.x_min_m), mm(p.y_max_m - p.y_min_m),
             p.emollient.name, p.passport.temperature_C);
  fmt::print("{:<16} {:<20} {:>8} {:>8} {:>7}  {}\n", "layer", "material", "from mm", "to mm", "factor", "source");
  double depth_m = 0;
  for (const auto& layer : p.layers) {
    fmt::print("{:<16} {:<20} {:>8g} {:>8g} {:>7g}  {}\n", layer.name, layer.material, mm(depth_m),
               mm(depth_m + layer.thickness_m), layer.stiffness_factor, layer.source);
    depth_m += layer.thickness_m;
  }
  if (p.inclusions.empty()) fmt::print("no inclusions\n");
  if (!p.inclusions.empty())
    fmt::print("{:<20} {:<15} {:<7} {:>7} {:>7} {:>7} {:>6} {:>6} {:>6} {:>6}  {}\n", "inclusion", "kind", "role",
               "x mm", "y mm", "deep mm", "stiff", "mu", "rough", "rise", "source");
  for (const auto& i : p.inclusions) {
    fmt::print("{:<20} {:<15} {:<7} {:>7g} {:>7g} {:>7g} {:>6g} {:>6g} {:>6g} {:>6g}  {}\n", i.name, name_of(i.kind),
               i.target ? "target" : "fools", mm(i.x_m), mm(i.y_m), mm(i.depth_m), i.stiffness_contrast,
               i.friction_contrast, i.roughness_contrast, mm(i.rise_m), i.source);
  }
}

/// Runs a program of the PATH to its end. Errors: it is not there, or does not say 0.
daq::Result<void> run_program(const std::string& program, std::vector<std::string> words) {
  words.insert(words.begin(), program);
  std::vector<char*> argv;
  for (auto& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int failure = ::posix_spawnp(&pid, program.c_str(), nullptr, nullptr, argv.data(), environ);
  if (failure != 0) return daq::Error{fmt::format("'{}' does not start: {}", program, std::strerror(failure))};
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return daq::Error{fmt::format("'{}' failed", program)};
  return {};
}

/// librsvg's program makes the PNG: a picture is no reason to link a renderer.
daq::Result<void> to_png(const std::string& svg, const std::string& png) {
  const auto temporary = fmt::format("{}.{}.svg", png, ::getpid());
  {
    std::ofstream out(temporary, std::ios::trunc);
    out << svg;
    out.close();
    if (!out) return daq::Error{fmt::format("'{}' cannot be written; check the path and its permissions", temporary)};
  }
  const auto made = run_program("rsvg-convert", {"-o", png, temporary});
  std::error_code failure;
  fs::remove(temporary, failure);
  if (!made)
    return daq::Error{
        fmt::format("no PNG was made: {}. It takes librsvg2-bin; --out FILE.svg does without", made.error().message)};
  return {};
}

}  // namespace

int phantom_list_command() {
  std::map<std::string, fs::path> files;
  std::error_code failure;
  for (const auto& dir : home_dirs()) {
    for (const auto& entry : fs::directory_iterator(fs::path(dir) / "rig/phantoms", failure)) {
      if (entry.path().extension() == ".toml") files.emplace(entry.path().stem().string(), entry.path());
    }
  }
  if (files.empty())
    return refuse("there is no catalogue: no folder rig/phantoms beside the program or in $STRIGIL_HOME");
  fmt::print("{:<24} {:<18} {:>7} {:>7}  {}\n", "phantom", "protocol", "targets", "others", "what");
  for (const auto& [name, path] : files) {
    const auto p = find_phantom(path.string());
    if (!p) return refuse(p.error().message);
    const auto targets =
        std::count_if(p->inclusions.begin(), p->inclusions.end(), [](const auto& i) { return i.target; });
    fmt::print("{:<24} {:<18} {:>7} {:>7}  {}\n", name, p->protocol, targets,
               static_cast<std::ptrdiff_t>(p->inclusions.size()) - targets, p->title);
  }
  return kPass;
}

int phantom_show_command(const PhantomShowArguments& a) {
  const auto phantom = find_phantom(a.phantom);
  if (!phantom) return refuse(phantom.error().message);
  if (a.out.empty()) {
    print_words(*phantom);
    return kPass;
  }
  const bool png = a.out.ends_with(".png");
  if (!png && !a.out.ends_with(".svg")) return refuse(fmt::format("'{}' is neither .svg nor .png", a.out));
  const auto ways = ways_over(*phantom, a.protocol);
  if (!ways) return refuse(ways.error().message);
  const auto picture = draw_picture(*phantom, *ways);
  if (png) {
    const auto made = to_png(picture, a.out);
    return made ? kPass : refuse(made.error().message);
  }
  std::ofstream out(a.out, std::ios::trunc);
  out << picture;
  out.close();
  return out ? kPass : refuse(fmt::format("'{}' cannot be written; check the path and its permissions", a.out));
}

int phantom_draw_command(const PhantomDrawArguments& a) {
  const auto metres = [](const std::optional<double>& v_mm) {
    return v_mm ? std::optional(*v_mm * 1e-3) : std::nullopt;
  };
  const auto phantom = rig::draw_phantom({.seed = a.seed,
                                          .contrast = a.contrast,
                                          .diameter_m = metres(a.diameter_mm),
                                          .depth_m = metres(a.depth_mm),
                                          .targets = a.targets,
                                          .confounders = !a.no_confounders});
  if (!phantom) return refuse(phantom.error().message);
  fmt::print("{}", phantom->text);
  return kPass;
}

int phantom_poke_command(const PhantomPokeArguments& a) {
  constexpr double kUsual_m = 3e-3;
  constexpr double kChanged = 0.1;
  rig::BenchConfig bench;
  if (auto put = put_on_bench({.phantom = a.phantom, .instrument = a.instrument, .emollient = {}}, bench); !put)
    return refuse(put.error().message);
  const auto& phantom = *bench.phantom_there;
  const auto& passport = phantom.passport;
  const double depth_m = a.depth_mm ? *a.depth_mm * 1e-3 : passport.poke_depth_m.value_or(kUsual_m);
  const double x_m = a.x_mm ? *a.x_mm * 1e-3 : passport.poke_x_m;
  const double y_m = a.y_mm ? *a.y_mm * 1e-3 : passport.poke_y_m;
  if (x_m < phantom.x_min_m || x_m > phantom.x_max_m || y_m < phantom.y_min_m || y_m > phantom.y_max_m)
    return refuse(fmt::format("x {:g}, y {:g} mm is not on the phantom", mm(x_m), mm(y_m)));
  const auto plant = sim::TissuePlant::make(phantom, bench.instrument_there.value_or(sim::steel_bar()), {});
  if (!plant) return refuse(plant.error().message);
  const double force_N = (*plant)->poke_N(depth_m, x_m, y_m);
  fmt::print("poked {:g} mm deep at x {:g}, y {:g} mm: {:.3f} N", mm(depth_m), mm(x_m), mm(y_m), force_N);
  const bool same_poke = passport.poke_force_N && depth_m == *passport.poke_depth_m && x_m == passport.poke_x_m &&
                         y_m == passport.poke_y_m;
  if (!same_poke) {
    fmt::print("\n");
    return kPass;
  }
  const double changed = force_N / *passport.poke_force_N - 1;
  fmt::print("; when new {:.3f} N by its passport: {:+.1f} %\n", *passport.poke_force_N, 100 * changed);
  return std::abs(changed) <= kChanged ? kPass : kFail;
}

}  // namespace strigil::apps
