// strigil phantom: the catalogue of phantoms, pictures of them, random ones, and the poke that tells whether one has
// changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace strigil::apps {

/// The catalogue on standard output. Exit codes, here and below, as of places.hpp.
int phantom_list_command();

struct PhantomShowArguments {
  std::string phantom;   ///< a name from rig/phantoms, or a file
  std::string protocol;  ///< whose way is drawn; empty: the one that goes with it, if there is one
  std::string out;       ///< picture to make, .svg or .png; empty: words on standard output
};
int phantom_show_command(const PhantomShowArguments& arguments);

struct PhantomDrawArguments {
  std::uint64_t seed = 1;
  std::optional<double> contrast;
  std::optional<double> diameter_mm;
  std::optional<double> depth_mm;
  std::optional<int> targets;
  bool no_confounders = false;
};
/// A random one as a phantom file on standard output.
int phantom_draw_command(const PhantomDrawArguments& arguments);

struct PhantomPokeArguments {
  std::string phantom;
  std::string instrument;          ///< empty: a steel bar
  std::optional<double> depth_mm;  ///< else the passport's, else 3 mm
  std::optional<double> x_mm;      ///< else the passport's
  std::optional<double> y_mm;
};
/// The reference poke on the simulated phantom, beside its passport's. kFail when they are more than 10 % apart.
int phantom_poke_command(const PhantomPokeArguments& arguments);

}  // namespace strigil::apps
