#include "apps/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>

extern char** environ;

namespace strigil::apps {

daq::Result<std::unique_ptr<Child>> Child::start(const std::vector<std::string>& arguments, const std::string& out,
                                                 const std::string& err) {
  return start_program("/proc/self/exe", arguments, out, err);
}

daq::Result<std::unique_ptr<Child>> Child::start_program(const std::string& program,
                                                         const std::vector<std::string>& arguments,
                                                         const std::string& out, const std::string& err) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  (void)::posix_spawn_file_actions_init(&files);
  constexpr mode_t kMode = 0644;
  (void)::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, kMode);
  (void)::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, kMode);
  pid_t pid = -1;
  const int failure = ::posix_spawnp(&pid, program.c_str(), &files, nullptr, argv.data(), environ);
  (void)::posix_spawn_file_actions_destroy(&files);
  if (failure != 0) return daq::Error{fmt::format("cannot start {}: {}", program, std::strerror(failure))};
  return std::unique_ptr<Child>(new Child(pid));
}

Child::~Child() {
  signal(SIGKILL);
  if (pid_ > 0) (void)::waitpid(pid_, nullptr, 0);
}

void Child::signal(int number) const {
  const std::lock_guard lock(mutex_);
  if (pid_ > 0) (void)::kill(pid_, number);
}

void Child::limit_files(std::uintmax_t bytes) const {
  const std::lock_guard lock(mutex_);
  rlimit limit{};
  if (pid_ <= 0 || ::prlimit(pid_, RLIMIT_FSIZE, nullptr, &limit) != 0) return;
  limit.rlim_cur = bytes;
  (void)::prlimit(pid_, RLIMIT_FSIZE, &limit, nullptr);
}

std::optional<int> Child::wait(daq::Duration longest) {
  constexpr auto kLook = std::chrono::milliseconds(5);
  const auto deadline = daq::host_now() + longest;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
    }
    if (daq::host_now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace strigil::apps
