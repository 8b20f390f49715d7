#include "sim/real_wires.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace strigil::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostWaiting = 64 * 1024;

/// An open file, closed once.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

struct Pty {
  Descriptor master;
  std::string terminal;
};
/// Opens a pseudo-terminal in raw mode and makes the link `path` point to it.
daq::Result<Pty> open_pty(const std::string& path);

class PtyWire final : public RealWire {
 public:
  PtyWire(Pty pty, std::string path) : pty_(std::move(pty)), path_(std::move(path)), uri_("serial://" + path_) {
    waiting_.reserve(kMostWaiting);
  }
  ~PtyWire() override { unlink(); }
  PtyWire(const PtyWire&) = delete;
  PtyWire& operator=(const PtyWire&) = delete;

  std::size_t take(std::span<std::byte> room) override {
    const auto n = ::read(pty_.master.get(), room.data(), room.size());
    return n > 0 ? static_cast<std::size_t>(n) : 0;  // EAGAIN: nothing; EIO: nobody has it open
  }

  void send(std::span<const std::byte> bytes, daq::HostTime) override {
    // Whole pieces or nothing, so that what gets through stays in step.
    if (pty_.master.get() < 0 || waiting_.size() + bytes.size() > kMostWaiting) {
      lost_bytes_ += bytes.size();
      return;
    }
    waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  }

  /// The port goes, and its name; put back, another port has that name.
  void plug(bool in, daq::HostTime) override {
    if (in == (pty_.master.get() >= 0)) return;
    if (in) {
      if (auto pty = open_pty(path_)) pty_ = std::move(*pty);
      return;
    }
    unlink();
    lost_bytes_ += waiting_.size();
    waiting_.clear();
    const Descriptor closes(std::move(pty_.master));
  }

  void flush() override {
    if (waiting_.empty()) return;
    pollfd state{pty_.master.get(), POLLOUT, 0};
    if (::poll(&state, 1, 0) < 0) return;
    if ((state.revents & POLLHUP) != 0) {  // the host closed it: the next host must not get old bytes
      lost_bytes_ += waiting_.size();
      waiting_.clear();
      return;
    }
    const auto n = ::write(pty_.master.get(), waiting_.data(), waiting_.size());
    if (n > 0) waiting_.erase(waiting_.begin(), waiting_.begin() + n);
  }

  [[nodiscard]] const std::string& uri() const override { return uri_; }
  [[nodiscard]] std::uint64_t lost_bytes() const override { return lost_bytes_; }

 private:
  void unlink() {
    std::error_code failure;  // somebody else's link, or none: leave it
    if (fs::read_symlink(path_, failure) == pty_.terminal && !failure) fs::remove(path_, failure);
  }

  Pty pty_;
  std::string path_;
  std::string uri_;
  std::vector<std::byte> waiting_;
  std::uint64_t lost_bytes_ = 0;
};

class UdpWire final : public RealWire {
 public:
  UdpWire(Descriptor socket, std::uint16_t port)
      : socket_(std::move(socket)), uri_(fmt::format("udp://127.0.0.1:{}", port)) {}

  std::size_t take(std::span<std::byte> room) override {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto n = ::recvfrom(socket_.get(), room.data(), room.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n <= 0 || unplugged_) return 0;
    peer_ = from;
    asked_ = true;
    return static_cast<std::size_t>(n);
  }

  void send(std::span<const std::byte> bytes, daq::HostTime) override {
    const auto n = asked_ && !unplugged_ ? ::sendto(socket_.get(), bytes.data(), bytes.size(), 0,
                                                    reinterpret_cast<const sockaddr*>(&peer_), sizeof peer_)
                                         : -1;
    if (n < 0) lost_bytes_ += bytes.size();
  }

  void plug(bool in, daq::HostTime) override { unplugged_ = !in; }
  void flush() override {}
  [[nodiscard]] const std::string& uri() const override { return uri_; }
  [[nodiscard]] std::uint64_t lost_bytes() const override { return lost_bytes_; }

 private:
  Descriptor socket_;
  std::string uri_;
  sockaddr_in peer_{};
  bool asked_ = false;
  bool unplugged_ = false;
  std::uint64_t lost_bytes_ = 0;
};

daq::Error failed(const std::string& what) { return daq::Error{fmt::format("{}: {}", what, std::strerror(errno))}; }

daq::Result<Pty> open_pty(const std::string& path) {
  Descriptor master(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  std::array<char, 128> name{};
  if (master.get() < 0 || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0 ||
      ::ptsname_r(master.get(), name.data(), name.size()) != 0) {
    return failed("cannot make a pseudo-terminal (is /dev/pts mounted, are there free ones?)");
  }
  // Raw before anybody opens it: an echo of the greeting would come back as commands.
  termios raw{};
  if (::tcgetattr(master.get(), &raw) != 0) return failed("cannot read the pseudo-terminal's settings");
  ::cfmakeraw(&raw);
  if (::tcsetattr(master.get(), TCSANOW, &raw) != 0) return failed("cannot make the pseudo-terminal raw");

  std::error_code failure;
  const auto there = fs::symlink_status(path, failure);
  if (fs::exists(there) && !fs::is_symlink(there)) {
    return daq::Error{
        fmt::format("cannot make '{}': a file of that name is there; remove it or choose another folder", path)};
  }
  fs::remove(path, failure);
  if (!failure) fs::create_symlink(name.data(), path, failure);
  if (failure) {
    return daq::Error{
        fmt::format("cannot make '{}': {}; check that the folder can be written", path, failure.message())};
  }
  return Pty{std::move(master), name.data()};
}

}  // namespace

daq::Result<std::unique_ptr<RealWire>> open_pty_wire(const std::string& path) {
  auto pty = open_pty(path);
  if (!pty) return pty.error();
  return std::unique_ptr<RealWire>(std::make_unique<PtyWire>(std::move(*pty), path));
}

daq::Result<std::unique_ptr<RealWire>> open_udp_wire() {
  Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return failed("cannot open a UDP socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failed("cannot bind a UDP port of the loopback interface");
  }
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return failed("cannot learn the UDP port that was bound");
  }
  return std::unique_ptr<RealWire>(std::make_unique<UdpWire>(std::move(socket), ntohs(address.sin_port)));
}

}  // namespace strigil::sim
