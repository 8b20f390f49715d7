// strigil instruments: the catalogue of treatment tools, and what is derived of each.
#pragma once

#include <string>

namespace strigil::apps {

/// One line for each file in rig/instruments. kUsage when one cannot be read.
int instruments_list_command();
/// `name_or_path`: a name of the catalogue or a .toml file. Kept and derived figures, each with where it comes from.
int instruments_show_command(const std::string& name_or_path, bool json);

}  // namespace strigil::apps
