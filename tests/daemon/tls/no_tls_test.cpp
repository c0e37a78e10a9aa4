// SPDX-License-Identifier: Apache-2.0
// A build without libssl says what it lacks, on either side.
#include <doctest/doctest.h>

#include "daemon/client/client.hpp"
#include "daemon/tls/keys.hpp"
#include "daemon/tls/tls.hpp"

using namespace stillboot;

TEST_SUITE("tls") {
    TEST_CASE("whatever needs TLS is answered with what this build lacks") {
        client::BlockingClient client;
        const auto connected = client.connect(*client::parse_address("tls://127.0.0.1:1"));
        REQUIRE_FALSE(connected);
        CHECK(connected.error().sentence() == "TLS is not in this build");
        CHECK(protocol::classify(connected.error()) == protocol::Failure::not_in_this_build);
        CHECK(tls::load(tls::Side::server, tls::Files()).error().code() == "daemon.no_tls");
        CHECK(tls::make_authority("a", tls::Lifetime(1)).error().code() == "daemon.no_tls");
    }
}
