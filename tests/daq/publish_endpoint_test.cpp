// Who may bind where and who may listen: endpoints, busy endpoints, CURVE.
#include "daq/publish/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>

#include "daq/publish/publisher.hpp"
#include "daq/publish/subscriber.hpp"
#include "daq/temporary_folder.hpp"

namespace strigil::daq {
namespace {

using testing::HasSubstr;
const Duration kLimit = from_seconds(20);

std::string verdict(const std::string& endpoint, bool keys = false) {
  auto checked = checked_bind_endpoint(endpoint, keys);
  return checked ? *checked : checked.error().message;
}

StreamDescription stream(StreamId id, const std::string& name) {
  StreamDescription out;
  out.id = id;
  out.name = name;
  out.channels = {{"Fz", "N"}};
  return out;
}

class PublishEndpoint : public testing::Test {
 protected:
  Result<std::unique_ptr<Publisher>> start(const std::string& endpoint) {
    config.endpoint = endpoint;
    return Publisher::start(config, {.id = "run"}, {stream(0, "force")},
                            std::make_shared<SinkRings>("publish", 64, 64));
  }
  std::filesystem::path write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const auto path = folder / name;
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }

  TemporaryFolder own_folder = TemporaryFolder::make("endpoint").value();
  std::filesystem::path folder = own_folder.path();
  PublisherConfig config;
};

TEST_F(PublishEndpoint, OnlyThisMachineWithoutKeys) {
  EXPECT_EQ(verdict("tcp://127.0.0.1:5556"), "tcp://127.0.0.1:5556");
  EXPECT_EQ(verdict("tcp://127.1.2.3:*"), "tcp://127.1.2.3:*");
  EXPECT_EQ(verdict("tcp://[::1]:0"), "tcp://[::1]:0");
  EXPECT_EQ(verdict("tcp://localhost:5556"), "tcp://127.0.0.1:5556");
  EXPECT_EQ(verdict("ipc://@strigil"), "ipc://@strigil");
  for (const auto* wide :
       {"tcp://*:5556", "tcp://0.0.0.0:5556", "tcp://192.168.1.2:5556", "tcp://[::]:5556", "tcp://eth0:5556",
        "tcp://127.0.0.1.example.org:5556", "tcp://127.1:5556", "tcp://lo:5556", "tcp://[::ffff:127.0.0.1]:5556"}) {
    EXPECT_THAT(verdict(wide), HasSubstr("CURVE")) << wide;
    EXPECT_EQ(verdict(wide, true), wide);
  }
  for (const auto* wrong : {"", "127.0.0.1:5556", "udp://127.0.0.1:5556", "pgm://eth0;239.0.0.1:5556", "inproc://x",
                            "tcp://127.0.0.1", "tcp://:5556", "tcp://127.0.0.1:65536", "tcp://127.0.0.1:-1",
                            "tcp://127.0.0.1:55x", "tcp://127.0.0.1;0.0.0.0:55", "ipc://", "ipc:///no/such/folder\n"}) {
    EXPECT_THAT(verdict(wrong, true), HasSubstr("Cannot publish")) << wrong;
  }
  EXPECT_THAT(verdict("ipc://" + std::string(200, 'x')), HasSubstr("characters"));
}

TEST_F(PublishEndpoint, WideBindIsRefusedBeforeAnythingListens) {
  auto wide = start("tcp://0.0.0.0:*");
  ASSERT_FALSE(wide.ok());
  EXPECT_THAT(wide.error().message, HasSubstr("CURVE"));
}

TEST_F(PublishEndpoint, BusyTcpEndpointIsOneClearError) {
  auto first = start("tcp://127.0.0.1:*");
  ASSERT_TRUE(first.ok()) << first.error().message;
  auto second = start((*first)->bound_endpoint());
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, HasSubstr("already"));
  EXPECT_THAT(second.error().message, HasSubstr((*first)->bound_endpoint()));
}

TEST_F(PublishEndpoint, BusyIpcEndpointIsRefusedAndTheFirstLivesOn) {
  for (const auto& endpoint :
       {"ipc://" + (folder / "live").string(), "ipc://@strigil-test-" + std::to_string(getpid())}) {
    auto first = start(endpoint);
    ASSERT_TRUE(first.ok()) << first.error().message;
    auto second = start(endpoint);
    ASSERT_FALSE(second.ok());
    EXPECT_THAT(second.error().message, HasSubstr("already"));
    auto subscriber = Subscriber::connect({.endpoint = endpoint});
    ASSERT_TRUE(subscriber.ok());
    EXPECT_TRUE((*first)->wait_for_subscribers(1, kLimit));
  }
}

TEST_F(PublishEndpoint, NeverDeletesAFileThatIsNoSocket) {
  const auto file = write("precious.h5", "data");
  auto publisher = start("ipc://" + file.string());
  ASSERT_FALSE(publisher.ok());
  EXPECT_THAT(publisher.error().message, HasSubstr("not a socket"));
  EXPECT_EQ(std::filesystem::file_size(file), 4U);
  EXPECT_FALSE(start("ipc://" + (folder / "no" / "such").string()).ok());
}

TEST_F(PublishEndpoint, TakesOverTheSocketOfADeadRunAndClosesItToOthers) {
  const auto path = (folder / "dead").string();
  const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  close(dead);
  ASSERT_TRUE(std::filesystem::is_socket(path));
  auto publisher = start("ipc://" + path);
  ASSERT_TRUE(publisher.ok()) << publisher.error().message;
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(PublishEndpoint, RefusesConfigurationsThatCannotWork) {
  config.high_water_mark = 0;
  EXPECT_FALSE(start("tcp://127.0.0.1:*").ok());
  config = {};
  config.heartbeat = Duration::zero();
  EXPECT_FALSE(start("tcp://127.0.0.1:*").ok());
  const auto rings = std::make_shared<SinkRings>("publish", 8, 8);
  EXPECT_FALSE(Publisher::start({}, {.id = "run"}, {stream(1, "force")}, rings).ok());
  EXPECT_FALSE(Publisher::start({}, {.id = "run"}, {stream(0, "../x")}, rings).ok());
  EXPECT_FALSE(Subscriber::connect({.endpoint = "nonsense"}).ok());
}

TEST_F(PublishEndpoint, KeyFilesAreCheckedOneByOne) {
  auto server = make_curve_key_pair();
  auto client = make_curve_key_pair();
  ASSERT_TRUE(server.ok() && client.ok());
  const auto good_secret = write("server.key", server->second + "\n");
  const auto good_list = write("clients.txt", "# who may listen\n\n" + client->first + " alice\n");
  const auto why = [](const CurveServerFiles& files) {
    auto keys = load_curve_server_keys(files);
    return keys ? std::string("loaded") : keys.error().message;
  };
  auto keys = load_curve_server_keys({good_secret, good_list});
  ASSERT_TRUE(keys.ok()) << keys.error().message;
  EXPECT_EQ(keys->public_key, server->first);
  EXPECT_EQ(keys->authorised.size(), 1U);
  EXPECT_THAT(why({folder / "none", good_list}), HasSubstr("No such file"));
  EXPECT_THAT(why({write("open.key", server->second, 0644), good_list}), HasSubstr("chmod 600"));
  EXPECT_THAT(why({write("short.key", "abc"), good_list}), HasSubstr("not a Z85 key"));
  EXPECT_THAT(why({good_secret, folder / "none"}), HasSubstr("cannot be read"));
  EXPECT_THAT(why({good_secret, write("empty.txt", "# nobody\n")}), HasSubstr("nobody could listen"));
  EXPECT_THAT(why({good_secret, write("bad.txt", client->first + "\nrubbish\n")}), HasSubstr("line 2"));
}

TEST_F(PublishEndpoint, WithKeysOnlyListedClientsHear) {
  auto server = make_curve_key_pair();
  auto listed = make_curve_key_pair();
  auto stranger = make_curve_key_pair();
  ASSERT_TRUE(server.ok() && listed.ok() && stranger.ok());
  config.curve = CurveServerFiles{write("server.key", server->second), write("clients.txt", listed->first)};
  auto publisher = start("tcp://0.0.0.0:*");  // wider than loopback: allowed now
  ASSERT_TRUE(publisher.ok()) << publisher.error().message;
  const auto bound = (*publisher)->bound_endpoint();
  const auto endpoint = "tcp://127.0.0.1" + bound.substr(bound.rfind(':'));
  EXPECT_EQ((*publisher)->public_key(), server->first);
  const auto join = [&](const Result<std::pair<std::string, std::string>>& pair) {
    SubscriberConfig subscriber{.endpoint = endpoint};
    subscriber.curve = CurveClientKeys{server->first, pair->first, pair->second};
    return Subscriber::connect(subscriber);
  };
  auto keyless = Subscriber::connect({.endpoint = endpoint});
  auto unlisted = join(stranger);
  ASSERT_TRUE(keyless.ok() && unlisted.ok());
  // Proof without waiting: the others came first, yet only the listed client's subscription is ever counted.
  auto admitted = join(listed);
  ASSERT_TRUE(admitted.ok());
  ASSERT_TRUE((*publisher)->wait_for_subscribers(1, kLimit));
  EXPECT_FALSE((*publisher)->wait_for_subscribers(2, from_seconds(0.3)));
  auto stopped = std::async(std::launch::async, [&] { return (*publisher)->stop_and_drain(); });
  const auto hears_end = [](Subscriber& subscriber, Duration limit) {
    for (;;) {
      auto message = subscriber.poll(limit);
      if (!message || !*message) return false;
      if (std::holds_alternative<EndMessage>(**message)) return true;
    }
  };
  EXPECT_TRUE(hears_end(**admitted, kLimit));
  stopped.get();
  EXPECT_FALSE(hears_end(**unlisted, Duration::zero()));
  EXPECT_FALSE(hears_end(**keyless, Duration::zero()));
  EXPECT_TRUE((*unlisted)->ledgers().empty());
  EXPECT_TRUE((*keyless)->ledgers().empty());
}

}  // namespace
}  // namespace strigil::daq
