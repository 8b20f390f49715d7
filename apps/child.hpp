// A child process: this program once more with a subcommand of its own, or another one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "daq/time.hpp"

namespace strigil::apps {

/// Killed and reaped when destroyed. Any thread may send it signals; nothing is sent once it has been reaped.
class Child {
 public:
  /// Starts this very program with `arguments`; standard output and error go to the files.
  static daq::Result<std::unique_ptr<Child>> start(const std::vector<std::string>& arguments, const std::string& out,
                                                   const std::string& err);
  /// The same with another program, by its path, or a bare name in $PATH. Errors: it cannot be started.
  static daq::Result<std::unique_ptr<Child>> start_program(const std::string& program,
                                                           const std::vector<std::string>& arguments,
                                                           const std::string& out, const std::string& err);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void signal(int number) const;
  /// No file of it may grow beyond `bytes` from now on.
  void limit_files(std::uintmax_t bytes) const;
  /// Waits for its end: the exit code, 128 + number for a signal, nothing when it is still there after `longest`.
  std::optional<int> wait(daq::Duration longest);

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  mutable std::mutex mutex_;  // between a signal and the reaping: afterwards the number may be somebody else's
  pid_t pid_;                 // 0: reaped
};

}  // namespace strigil::apps
