// strigil: one binary, subcommands. Exit codes: 0 PASS, 1 FAIL, 2 INVALID, 3 usage or configuration.
#include "apps/command_line.hpp"

int main(int argc, char** argv) { return strigil::apps::command_line(argc, argv); }
