#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <zmq.hpp>

#include "daq/control/control_client.hpp"
#include "daq/control/control_message.hpp"
#include "daq/control/control_server.hpp"
#include "daq/json_text.hpp"

namespace strigil::daq {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

const ControlRequest kRequest{
    .id = 7, .verb = "jog", .client = "a test", .token = "t0", .arguments = R"({"vx_mm_s":5.5})"};

TEST(ControlMessage, RequestsAndRepliesComeBackAsTheyWere) {
  const auto request = decode_control_request(encode(kRequest));
  ASSERT_TRUE(request.ok()) << request.error().message;
  EXPECT_EQ(request->id, 7U);
  EXPECT_EQ(request->verb, "jog");
  EXPECT_EQ(request->client, "a test");
  EXPECT_EQ(request->token, "t0");
  EXPECT_EQ(request->arguments, R"({"vx_mm_s":5.5})");
  const auto reply = decode_control_reply(encode(refusal_of(kRequest, "busy", "the rig is in use")));
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_FALSE(reply->ok);
  EXPECT_EQ(reply->id, 7U);
  EXPECT_EQ(reply->code, "busy");
  EXPECT_EQ(reply->refusal, "the rig is in use");
}

TEST(ControlMessage, EveryFlawIsRefusedInWords) {
  const auto flaw = [](const std::string& text) {
    const auto r = decode_control_request(text);
    return r.ok() ? std::string("accepted") : r.error().message;
  };
  EXPECT_THAT(flaw(""), HasSubstr("no JSON object"));
  EXPECT_THAT(flaw("[1]"), HasSubstr("no JSON object"));
  EXPECT_THAT(flaw("{}"), HasSubstr("strigil_control"));
  EXPECT_THAT(flaw(R"({"strigil_control":2})"), HasSubstr("version 2"));
  EXPECT_THAT(flaw(R"({"strigil_control":1})"), HasSubstr("id"));
  EXPECT_THAT(flaw(R"({"strigil_control":1,"id":-1})"), HasSubstr("id"));
  EXPECT_THAT(flaw(R"({"strigil_control":1,"id":1,"verb":"Jog","client":"x"})"), HasSubstr("verb"));
  EXPECT_THAT(flaw(R"({"strigil_control":1,"id":1,"verb":5,"client":"x"})"), HasSubstr("verb"));
  EXPECT_THAT(flaw(R"({"strigil_control":1,"id":1,"verb":"jog"})"), HasSubstr("client"));
  EXPECT_THAT(flaw("{\"strigil_control\":1,\"id\":1,\"verb\":\"jog\",\"client\":\"a\\nb\"}"), HasSubstr("client"));
  EXPECT_THAT(flaw(R"({"strigil_control":1,"id":1,"verb":"jog","client":"x","arguments":[]})"), HasSubstr("arguments"));
  EXPECT_THAT(flaw(std::string(kMaxControlBytes + 1, ' ')), HasSubstr("longer"));
  EXPECT_THAT(flaw(std::string(100, '[')), HasSubstr("deep"));
}

TEST(ControlMessage, SurvivesRandomDamage) {
  std::mt19937 random(5);
  const auto good = encode(kRequest);
  for (int i = 0; i < 20'000; ++i) {
    auto text = good;
    for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) text.resize(random() % text.size());
    const auto r = decode_control_request(text);
    if (r.ok()) {
      EXPECT_LE(r->client.size(), 64U);
      EXPECT_TRUE(decode_control_request(encode(*r)).ok());
    }
  }
}

TEST(ControlMessage, AnAnswerThatIsTooLongBecomesARefusal) {
  nlohmann::json big;
  big["text"] = std::string(kMaxControlBytes, 'x');
  const auto reply = decode_control_reply(encode(answer_to(kRequest, daq::json_text(big))));
  ASSERT_TRUE(reply.ok());
  EXPECT_FALSE(reply->ok);
  EXPECT_EQ(reply->code, "too_long");
}

std::unique_ptr<ControlServer> echo_server() {
  auto server = ControlServer::start({},
                                     [](const ControlRequest& q) {
                                       return answer_to(q, nlohmann::json{{"verb", q.verb}, {"token", q.token}}.dump());
                                     },
                                     {});
  EXPECT_TRUE(server.ok()) << server.error().message;
  return std::move(*server);
}

TEST(ControlServer, AnswersDealersAndReqsAlike) {
  const auto server = echo_server();
  auto client = ControlClient::connect({.endpoint = server->bound_endpoint(), .client = "test"});
  ASSERT_TRUE(client.ok());
  (*client)->set_token("secret");
  const auto reply = (*client)->ask("status", "{}", 5s);
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_TRUE(reply->ok);
  EXPECT_THAT(reply->result, HasSubstr("secret"));

  zmq::context_t context;
  zmq::socket_t req(context, zmq::socket_type::req);
  req.set(zmq::sockopt::linger, 0);
  req.set(zmq::sockopt::rcvtimeo, 5000);
  req.connect(server->bound_endpoint());
  (void)req.send(zmq::buffer(encode(kRequest)));
  zmq::message_t answer;
  ASSERT_TRUE(req.recv(answer).has_value());
  EXPECT_TRUE(decode_control_reply(answer.to_string_view()).ok());
}

TEST(ControlServer, WhatIsNoRequestIsAnsweredAsMalformedAndTheNextOneIsServed) {
  const auto server = echo_server();
  zmq::context_t context;
  zmq::socket_t dealer(context, zmq::socket_type::dealer);
  dealer.set(zmq::sockopt::linger, 0);
  dealer.set(zmq::sockopt::rcvtimeo, 5000);
  dealer.connect(server->bound_endpoint());
  for (const std::string nonsense : {"", "garbage", "{\"strigil_control\":9}"}) {
    (void)dealer.send(zmq::buffer(nonsense));
    zmq::message_t answer;
    ASSERT_TRUE(dealer.recv(answer).has_value());
    const auto reply = decode_control_reply(answer.to_string_view());
    ASSERT_TRUE(reply.ok());
    EXPECT_EQ(reply->code, "malformed");
  }
  for (int i = 0; i < 9; ++i)
    (void)dealer.send(zmq::buffer(std::string("part")), i < 8 ? zmq::send_flags::sndmore : zmq::send_flags::none);
  (void)dealer.send(zmq::buffer(encode(kRequest)));
  zmq::message_t answer;
  ASSERT_TRUE(dealer.recv(answer).has_value());
  EXPECT_TRUE(decode_control_reply(answer.to_string_view())->ok);
  EXPECT_EQ(server->malformed(), 4U);
}

TEST(ControlServer, IsNotReachableBeyondThisComputerWithoutKeys) {
  const auto server = ControlServer::start({.endpoint = "tcp://0.0.0.0:*"}, {}, {});
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(server.error().message, HasSubstr("CURVE"));
}

TEST(ControlClient, SaysThatNobodyAnswers) {
  auto client = ControlClient::connect({.endpoint = "ipc:///nonexistent/strigil", .client = "test"});
  ASSERT_TRUE(client.ok());
  const auto reply = (*client)->ask("status", "{}", 50ms);
  ASSERT_FALSE(reply.ok());
  EXPECT_THAT(reply.error().message, HasSubstr("did not answer 'status'"));
}

TEST(ControlClient, WhatWasAskedOfNobodyIsNotAskedLater) {
  const auto path = "ipc://" + testing::TempDir() + "strigil_control_late";
  auto client = ControlClient::connect({.endpoint = path, .client = "test"});
  ASSERT_TRUE(client.ok());
  ASSERT_FALSE((*client)->ask("jog", "{}", 50ms).ok());
  std::atomic<int> jogs{0};
  const auto server = ControlServer::start({.endpoint = path},
                                           [&](const ControlRequest& q) {
                                             if (q.verb == "jog") ++jogs;
                                             return answer_to(q);
                                           },
                                           {});
  ASSERT_TRUE(server.ok()) << server.error().message;
  const auto reply = (*client)->ask("status", "{}", 5s);
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_EQ(jogs.load(), 0);
}

}  // namespace
}  // namespace strigil::daq
