#include "daq/link/io_thread.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <libserialport.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <future>
#include <system_error>
#include <thread>

#include "daq/link/chunk_feed.hpp"
#include "daq/link/recorded_device.hpp"
#include "daq/link/uri.hpp"

namespace strigil::daq {
namespace {

namespace asio = boost::asio;

std::string reason(int number) { return std::error_code(number, std::generic_category()).message(); }

/// Everything the reading thread shares with the loop.
struct Inlet {
  ChunkFeed feed;
  int wake_fd;

  void put(LinkId link, ChunkKind kind, std::span<const std::byte> bytes, HostTime received) noexcept {
    (void)feed.put(link, kind, bytes, received);  // a refusal is counted by the ring, and told by the next chunk
    const std::uint64_t one = 1;
    (void)!::write(wake_fd, &one, sizeof one);  // fails only when 2^64 wakes are pending
  }
};

/// The read that a link always has under way. Its handler may already wait its turn, with bytes, when the link is told
/// to close: the link must outlive that handler, so its destructor waits for it.
class PendingRead {
 public:
  /// Io thread: a read begins.
  void begin() { under_way_ = true; }
  /// Io thread, first thing in the handler. False: the link is going, and may be gone by now.
  [[nodiscard]] bool arrived() {
    under_way_ = false;
    if (ended_ == nullptr) return true;
    const auto ended = std::move(ended_);
    ended->set_value();
    return false;
  }
  /// Loop thread: closes `port` on the io thread, which alone uses it, and waits until no handler is left.
  template <typename Port>
  void end(Port& port) {
    const auto ended = std::make_shared<std::promise<void>>();
    asio::post(port.get_executor(), [this, &port, ended] {
      boost::system::error_code ignored;
      port.close(ignored);
      if (under_way_) {
        ended_ = ended;
      } else {
        ended->set_value();
      }
    });
    ended->get_future().wait();
  }

 private:
  bool under_way_ = false;
  std::shared_ptr<std::promise<void>> ended_;
};

/// A byte stream on a file descriptor: a serial port or a pseudo-terminal.
class SerialLink final : public Link {
 public:
  SerialLink(asio::io_context& context, Inlet& inlet, std::string uri, LinkId id, int fd, sp_port* port)
      : inlet_(inlet), uri_(std::move(uri)), id_(id), fd_(fd), port_(port), descriptor_(context, ::dup(fd)) {}

  ~SerialLink() override {
    pending_.end(descriptor_);
    if (port_ != nullptr) {
      sp_close(port_);
      sp_free_port(port_);
    } else {
      ::close(fd_);
    }
  }

  void listen() {
    asio::post(descriptor_.get_executor(), [this] { read(); });
  }

  bool write(std::span<const std::byte> bytes) noexcept override {
    if (bytes.size() > rest_.size() || !flush()) return false;  // no command of ours is longer than `rest_`
    const auto n = ::write(fd_, bytes.data(), bytes.size());
    if (n == static_cast<ssize_t>(bytes.size())) return true;
    if (n <= 0) return false;
    // The port took a part: the rest goes out before anything else, so that no command is torn.
    rest_size_ = bytes.size() - static_cast<std::size_t>(n);
    std::copy(bytes.begin() + n, bytes.end(), rest_.begin());
    return true;
  }
  [[nodiscard]] const std::string& uri() const noexcept override { return uri_; }

 private:
  bool flush() noexcept {
    if (rest_size_ == 0) return true;
    const auto n = ::write(fd_, rest_.data(), rest_size_);
    if (n <= 0) return false;
    std::memmove(rest_.data(), rest_.data() + n, rest_size_ - static_cast<std::size_t>(n));
    rest_size_ -= static_cast<std::size_t>(n);
    return rest_size_ == 0;
  }

  void read() {
    pending_.begin();
    descriptor_.async_read_some(asio::buffer(buffer_), [this](const boost::system::error_code& error, std::size_t n) {
      const auto received = host_now();
      if (!pending_.arrived()) return;
      if (error || n == 0) {
        inlet_.put(id_, ChunkKind::kClosed, {}, received);
        return;
      }
      inlet_.put(id_, ChunkKind::kBytes, std::span(buffer_).first(n), received);
      read();
    });
  }

  Inlet& inlet_;
  std::string uri_;
  LinkId id_;
  int fd_;
  sp_port* port_;
  asio::posix::stream_descriptor descriptor_;
  PendingRead pending_;
  std::array<std::byte, kChunkCapacity> buffer_{};
  std::array<std::byte, kLongestSerialWrite> rest_{};
  std::size_t rest_size_ = 0;
};

class UdpLink final : public Link {
 public:
  UdpLink(asio::io_context& context, Inlet& inlet, std::string uri, LinkId id)
      : inlet_(inlet), uri_(std::move(uri)), id_(id), socket_(context) {}

  ~UdpLink() override { pending_.end(socket_); }

  Result<void> connect(const std::string& host, std::uint16_t port) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (error) return Error{fmt::format("'{}' is not an IP address", host)};
    const asio::ip::udp::endpoint peer(address, port);
    (void)socket_.open(peer.protocol(), error);
    // Half a second of a 7 kHz sensor waits in the kernel when the reading thread is held up.
    constexpr int kReceiveBuffer = 1 << 20;
    if (!error) (void)socket_.set_option(asio::socket_base::receive_buffer_size(kReceiveBuffer), error);
    if (!error) (void)socket_.connect(peer, error);
    if (!error) (void)socket_.non_blocking(true, error);
    if (error) return Error{fmt::format("{}: {}", uri_, error.message())};
    fd_ = socket_.native_handle();
    return {};
  }

  void listen() {
    asio::post(socket_.get_executor(), [this] { read(); });
  }

  bool write(std::span<const std::byte> bytes) noexcept override {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return n == static_cast<ssize_t>(bytes.size());
  }
  [[nodiscard]] const std::string& uri() const noexcept override { return uri_; }

 private:
  void read() {
    pending_.begin();
    socket_.async_receive(asio::buffer(buffer_), [this](const boost::system::error_code& error, std::size_t n) {
      const auto received = host_now();
      if (!pending_.arrived()) return;
      // A refused datagram says that nobody listens yet; the session asks again and judges the silence.
      if (!error) {
        const bool whole = n <= kChunkCapacity;
        inlet_.put(id_, whole ? ChunkKind::kDatagram : ChunkKind::kTruncated,
                   std::span(buffer_).first(std::min(n, kChunkCapacity)), received);
      } else if (error != asio::error::connection_refused) {
        inlet_.put(id_, ChunkKind::kClosed, {}, received);
        return;
      }
      read();
    });
  }

  Inlet& inlet_;
  std::string uri_;
  LinkId id_;
  int fd_ = -1;
  asio::ip::udp::socket socket_;
  PendingRead pending_;
  std::array<std::byte, kChunkCapacity + 1> buffer_{};
};

/// A recorded device, played on the io thread. The loop's requests cross in a ring, since a post would allocate.
class ReplayLink final : public Link {
 public:
  ReplayLink(asio::io_context& context, Inlet& inlet, std::string uri, LinkId id,
             std::unique_ptr<RecordedDevice> device)
      : inlet_(inlet), uri_(std::move(uri)), id_(id), device_(std::move(device)), timer_(context) {}

  ~ReplayLink() override {
    std::promise<void> ended;
    asio::post(timer_.get_executor(), [this, &ended] {
      ended_ = &ended;
      timer_.cancel();
    });
    ended.get_future().wait();
  }

  void listen() {
    asio::post(timer_.get_executor(), [this] { turn(); });
  }

  bool write(std::span<const std::byte> bytes) noexcept override {
    Request r;
    if (bytes.size() > r.bytes.size()) return false;
    r.size = bytes.size();
    std::copy(bytes.begin(), bytes.end(), r.bytes.begin());
    return requests_.push(r);
  }
  [[nodiscard]] const std::string& uri() const noexcept override { return uri_; }

 private:
  struct Request {
    std::array<std::byte, kLongestSerialWrite> bytes{};
    std::size_t size = 0;
  };

  void turn() {
    if (ended_ != nullptr) return ended_->set_value();
    Request r;
    while (requests_.pop(r)) device_->receive(std::span(r.bytes).first(r.size), host_now());
    const auto now = host_now();
    for (auto out = device_->next(now); !out.empty(); out = device_->next(now)) {
      for (; !out.empty(); out = out.subspan(std::min(out.size(), kChunkCapacity))) {
        inlet_.put(id_, device_->kind(), out.first(std::min(out.size(), kChunkCapacity)), host_now());
      }
    }
    if (device_->ended() && !closed_) {
      closed_ = true;
      inlet_.put(id_, ChunkKind::kClosed, {}, host_now());
    }
    constexpr Duration kLookForRequests = std::chrono::milliseconds(1);
    const auto due = device_->due();
    const auto until = due ? std::min(*due, now + kLookForRequests) : now + kLookForRequests;
    timer_.expires_after(std::max(Duration::zero(), until - host_now()));
    timer_.async_wait([this](const boost::system::error_code&) { turn(); });
  }

  static constexpr std::size_t kRequests = 8;
  Inlet& inlet_;
  std::string uri_;
  LinkId id_;
  std::unique_ptr<RecordedDevice> device_;
  Ring<Request> requests_{kRequests};
  asio::steady_timer timer_;
  std::promise<void>* ended_ = nullptr;
  bool closed_ = false;
};

std::string known_ports() {
  std::string out;
  for (const auto& p : list_ports()) out += (out.empty() ? "" : ", ") + p.name;
  return out.empty() ? "this computer has no serial port" : "ports of this computer: " + out;
}

/// Makes a port raw: no echo, no line editing, 8N1 at `baud`.
bool make_raw(int fd) {
  termios settings{};
  if (::tcgetattr(fd, &settings) != 0) return false;
  ::cfmakeraw(&settings);
  settings.c_cflag |= CLOCAL | CREAD;
  return ::tcsetattr(fd, TCSANOW, &settings) == 0;
}

struct OpenPort {
  int fd = -1;
  sp_port* port = nullptr;
};

/// One program a port: a second one would steal its bytes.
Result<void> claim(int fd, const std::string& path) {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return Error{fmt::format("'{}' is busy: another program uses it; close that program", path)};
  }
  (void)::ioctl(fd, TIOCEXCL);  // keeps out programs that do not lock; a pseudo-terminal may not know it
  return {};
}

Result<OpenPort> open_pseudo_terminal(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return Error{fmt::format("'{}' cannot be opened: {}", path, reason(errno))};
  if (auto claimed = claim(fd, path); !claimed) {
    ::close(fd);
    return claimed.error();
  }
  if (!make_raw(fd)) {
    const auto why = reason(errno);
    ::close(fd);
    return Error{fmt::format("'{}' cannot be configured: {}", path, why)};
  }
  return OpenPort{fd, nullptr};
}

Result<OpenPort> open_port(const std::string& path, int baud) {
  std::error_code failure;
  const auto real = std::filesystem::canonical(path, failure).string();
  if (failure) return Error{fmt::format("there is no port '{}'; {}", path, known_ports())};
  // libserialport takes a pseudo-terminal for no port at all (it has no device node it knows).
  if (real.starts_with("/dev/pts/")) return open_pseudo_terminal(real);
  sp_port* port = nullptr;
  if (sp_get_port_by_name(real.c_str(), &port) != SP_OK) {
    return Error{fmt::format("'{}' is not a serial port; {}", path, known_ports())};
  }
  const auto refuse = [&](const std::string& what) -> Error {
    char* text = sp_last_error_message();
    const std::string why = text == nullptr ? "no reason given" : text;
    if (text != nullptr) sp_free_error_message(text);
    sp_free_port(port);
    return {fmt::format("'{}' {}: {}", path, what, why)};
  };
  if (sp_open(port, SP_MODE_READ_WRITE) != SP_OK) return refuse("cannot be opened");
  int fd = -1;
  const bool configured = sp_set_baudrate(port, baud) == SP_OK && sp_set_bits(port, 8) == SP_OK &&
                          sp_set_parity(port, SP_PARITY_NONE) == SP_OK && sp_set_stopbits(port, 1) == SP_OK &&
                          sp_set_flowcontrol(port, SP_FLOWCONTROL_NONE) == SP_OK &&
                          sp_get_port_handle(port, &fd) == SP_OK;
  if (!configured) {
    sp_close(port);
    return refuse(fmt::format("cannot be set to {} baud 8N1", baud));
  }
  if (auto claimed = claim(fd, path); !claimed) {
    sp_close(port);
    sp_free_port(port);
    return claimed.error();
  }
  return OpenPort{fd, port};
}

}  // namespace

class IoThread::Impl {
 public:
  explicit Impl(ChunkRing& chunks)
      : inlet_{ChunkFeed(chunks), ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)},
        work_(asio::make_work_guard(context_)),
        thread_([this] {
          (void)::pthread_setname_np(::pthread_self(), "io");
          context_.run();
        }) {}

  ~Impl() {
    work_.reset();
    context_.stop();
    thread_.join();
    ::close(inlet_.wake_fd);
  }

  Result<std::unique_ptr<Link>> open(const std::string& text, LinkId id) {
    const auto uri = parse_link_uri(text);
    if (!uri) return uri.error();
    switch (uri->scheme) {
      case LinkScheme::kSerial: {
        const auto port = open_port(uri->path, uri->baud);
        if (!port) return port.error();
        auto link = std::make_unique<SerialLink>(context_, inlet_, text, id, port->fd, port->port);
        link->listen();
        return std::unique_ptr<Link>(std::move(link));
      }
      case LinkScheme::kUdp: {
        auto link = std::make_unique<UdpLink>(context_, inlet_, text, id);
        if (auto connected = link->connect(uri->host, uri->port); !connected) return connected.error();
        link->listen();
        return std::unique_ptr<Link>(std::move(link));
      }
      case LinkScheme::kMemory:
        return Error{
            fmt::format("'{}' is a link of the simulated bench: use --virtual, or start `strigil sim` and take "
                        "the bench file it writes",
                        text)};
      case LinkScheme::kReplay: {
        auto device = RecordedDevice::load(uri->path, uri->stream);
        if (!device) return device.error();
        auto link = std::make_unique<ReplayLink>(context_, inlet_, text, id, std::move(*device));
        link->listen();
        return std::unique_ptr<Link>(std::move(link));
      }
    }
    return Error{"unknown link"};
  }

  bool wait(Duration longest) noexcept {
    pollfd p{inlet_.wake_fd, POLLIN, 0};
    timespec t{static_cast<time_t>(longest.count() / 1'000'000'000),
               static_cast<long>(longest.count() % 1'000'000'000)};
    if (::ppoll(&p, 1, &t, nullptr) <= 0) return false;
    std::uint64_t wakes = 0;
    return ::read(inlet_.wake_fd, &wakes, sizeof wakes) == sizeof wakes;
  }

 private:
  Inlet inlet_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

IoThread::IoThread(ChunkRing& chunks) : impl_(std::make_unique<Impl>(chunks)) {}
IoThread::~IoThread() = default;
Result<std::unique_ptr<Link>> IoThread::open(const std::string& uri, LinkId id) { return impl_->open(uri, id); }
bool IoThread::wait(Duration longest) noexcept { return impl_->wait(longest); }

std::vector<PortDescription> list_ports() {
  std::vector<PortDescription> out;
  sp_port** ports = nullptr;
  if (sp_list_ports(&ports) != SP_OK) return out;
  const auto text = [](const char* s) { return std::string(s == nullptr ? "" : s); };
  for (std::size_t i = 0; ports[i] != nullptr; ++i) {
    out.push_back({text(sp_get_port_name(ports[i])), text(sp_get_port_description(ports[i])),
                   text(sp_get_port_usb_serial(ports[i]))});
  }
  sp_free_port_list(ports);
  return out;
}

}  // namespace strigil::daq
