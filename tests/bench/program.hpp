// Programs run beside a benchmark: `strigil` as anybody would run it.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "daq/time.hpp"
#include "tests/bench/figures.hpp"

namespace strigil::bench {

/// A program that ends with us. What it says goes into the file `log`.
class Program {
 public:
  Program(std::vector<std::string> arguments, std::string log) : log_(std::move(log)) {
    std::vector<char*> argv;
    for (auto& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    const int log_fd = ::open(log_.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
    if (log_fd < 0) give_up(log_ + " cannot be written");
    pid_ = ::fork();
    if (pid_ == 0) {
      (void)::prctl(PR_SET_PDEATHSIG, SIGTERM);  // give_up() runs no destructor
      (void)::dup2(log_fd, STDOUT_FILENO);
      (void)::dup2(log_fd, STDERR_FILENO);
      (void)::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(log_fd);
    if (pid_ < 0) give_up("cannot run " + arguments[0]);
  }
  ~Program() {
    if (pid_ > 0) (void)end(SIGTERM);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string said() const {
    std::ostringstream text;
    text << std::ifstream(log_).rdbuf();
    return text.str();
  }
  /// Waits until it has said a line that begins with `words`, and gives the rest of it.
  std::string await_line(const std::string& words) {
    const auto patience = daq::host_now() + daq::from_seconds(20);
    while (daq::host_now() < patience) {
      std::istringstream lines(said());
      for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(words) && !lines.eof()) return line.substr(words.size());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    give_up("'" + words + "' was waited for in vain; the program said: " + said());
  }
  /// Waits for its end, after `signal` unless that is 0; its exit code.
  int end(int signal) {
    if (signal != 0) (void)::kill(pid_, signal);
    int status = 0;
    (void)::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = 0;
  std::string log_;
};

}  // namespace strigil::bench
