// SPDX-License-Identifier: Apache-2.0
// Places that are told, each by what arrives there.
#include "daemon/events/sink.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::events;

namespace {

Line line(const std::string& text, Kind kind = Kind::boot_begun) {
    return Line{kind, "2023-11-14T22:13:20.007Z", "rack 7", text};
}

struct Place {
    [[nodiscard]] std::string path(const std::string& name) const { return (tree.path() / name).string(); }
    [[nodiscard]] std::string contents(const std::string& name) const {
        return tree.root().read_file(name, 1 << 20).value_or("");
    }
    std::string program(const std::string& script) {
        tree.file("program", "#!/bin/sh\n" + script + "\n");
        std::filesystem::permissions(tree.path() / "program", std::filesystem::perms::owner_all);
        return path("program");
    }
    test::TemporaryTree tree;
};

std::string received(int socket) {
    std::array<char, 8192> datagram;
    const ssize_t count = ::recv(socket, datagram.data(), datagram.size(), 0);
    return {datagram.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
}

}  // namespace

TEST_SUITE("events") {
    TEST_CASE("names of places are read, and nothing else is one") {
        using Name = EventSinkName;
        CHECK(parse_event_sink("file:/var/log/events") ==
              Name{Name::Kind::file, "/var/log/events", "", "", false});
        CHECK(parse_event_sink("program:/bin/tell") == Name{Name::Kind::program, "/bin/tell", "", "", false});
        CHECK(parse_event_sink("syslog:") == Name{Name::Kind::syslog_socket, "", "", "", false});
        CHECK(parse_event_sink("syslog:192.0.2.1:514") ==
              Name{Name::Kind::syslog_udp, "", "192.0.2.1", "514", false});
        CHECK(parse_event_sink("syslog:[fe80::1]:514") ==
              Name{Name::Kind::syslog_udp, "", "fe80::1", "514", true});
        for (const char* text : {"", "file", "file:", "file:relative", "file:/", "file:/a/", "syslog",
                                 "syslog:host:514", "syslog:192.0.2.1", "syslog:192.0.2.1:0", "tape:/dev/st0"}) {
            CAPTURE(std::string(text));
            CHECK_FALSE(parse_event_sink(text));
        }
    }

    TEST_CASE("a file is appended to, and is its owner's alone; one that is taken away is made anew") {
        Place place;
        place.tree.file("there", "before\n");
        FileSink old(place.path("there"));
        CHECK(old.send(line("one")));
        CHECK(place.contents("there") == "before\none\n");
        FileSink sink(place.path("new"));
        CHECK(sink.send(line("one")));
        sink.sync();
        CHECK(place.contents("new") == "one\n");
        CHECK((place.tree.root().stat("new")->st_mode & 0777) == 0600);
        std::filesystem::remove(place.tree.path() / "new");
        CHECK(sink.send(line("two")));
        CHECK(place.contents("new") == "two\n");
        FileSink nowhere(place.path("no/such/directory"));
        CHECK(nowhere.send(line("one")).error().code() == "base.open_failed");
        nowhere.sync();
    }

    TEST_CASE("a file that takes nothing is said") {
        FileSink full("/dev/full");
        CHECK(full.send(line("one")).error().code() == "base.write_failed");
    }

    TEST_CASE("a program reads lines, and ends when there are no more") {
        Place place;
        {
            ProgramSink sink(place.program("cat >" + place.path("read") + "; echo end >>" + place.path("read")));
            CHECK(sink.send(line("one")));
            CHECK(sink.send(line("two")));
            sink.sync();
        }
        CHECK(place.contents("read") == "one\ntwo\nend\n");
    }

    TEST_CASE("a program that has ended is started again, three times a minute") {
        Place place;
        ProgramSink sink(place.program("read -r line; echo \"$line\" >>" + place.path("read")));
        std::string refused;
        for (int i = 0; i < 100'000 && refused.empty(); ++i) {
            if (const auto sent = sink.send(line("again")); !sent) {
                refused = sent.error().sentence();
            }
        }
        CHECK(refused == place.path("program") + " was started 3 times within a minute, and ended each time");
        CHECK(place.contents("read") == "again\nagain\nagain\n");
    }

    TEST_CASE("a program that is not there, or does not read, is said") {
        Place place;
        ProgramSink none(place.path("none"));
        CHECK(none.send(line("one")).error().code() == "base.spawn_failed");
        ProgramSink deaf(place.program("exec sleep 1000"));
        const std::string much(100'000, 'x');
        std::string refused;
        for (int i = 0; i < 100 && refused.empty(); ++i) {
            if (const auto sent = deaf.send(line(much)); !sent) {
                refused = sent.error().code();
            }
        }
        CHECK(refused == "base.write_failed");
    }

    TEST_CASE("datagrams to the letter") {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
        CHECK(local_datagram(line("{}"), 1'700'000'000, 7) == "<30>Nov 14 22:13:20 stillbootd[7]: {}");
        CHECK(rfc5424_datagram(line("{}", Kind::boot_failed), 7) ==
              "<28>1 2023-11-14T22:13:20.007Z rack-7 stillbootd 7 boot-failed - {}");
    }

    TEST_CASE("datagrams arrive at the local socket and by UDP") {
        Place place;
        const UniqueFd local(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_un name = {};
        name.sun_family = AF_UNIX;
        place.path("log").copy(name.sun_path, sizeof name.sun_path - 1);
        REQUIRE(::bind(local.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
        SyslogSink to_local(EventSinkName{EventSinkName::Kind::syslog_socket, "", "", "", false},
                            place.path("log"));
        CHECK(to_local.send(line("{\"a\":1}")));
        CHECK(received(local.get()).ends_with(" stillbootd[" + std::to_string(::getpid()) + "]: {\"a\":1}"));

        const UniqueFd udp(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_in address = {};
        socklen_t size = sizeof address;
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(udp.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
        REQUIRE(::getsockname(udp.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
        const auto to = parse_event_sink("syslog:127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
        CHECK(open_sink(*to)->send(line("{\"a\":1}")));
        CHECK(received(udp.get()) == rfc5424_datagram(line("{\"a\":1}"), ::getpid()));
    }

    TEST_CASE("where nobody listens, that is said") {
        Place place;
        SyslogSink sink(EventSinkName{EventSinkName::Kind::syslog_socket, "", "", "", false}, place.path("none"));
        CHECK(sink.send(line("{}")).error().code() == "daemon.events_not_sent");
    }
}
