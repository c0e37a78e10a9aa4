// SPDX-License-Identifier: Apache-2.0
#include "daemon/probe/wire.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "config/base/memfd.hpp"
#include "daemon/probe/scan_reader.hpp"
#include "daemon/probe/sealed.hpp"

using namespace stillboot;
using namespace stillboot::probe;

namespace {

struct Pair {
    Pair() {
        std::array<int, 2> ends = {-1, -1};
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
        one = UniqueFd(ends[0]);
        two = UniqueFd(ends[1]);
    }
    UniqueFd one;
    UniqueFd two;
};

Packet packet_of(std::string text) {
    Packet packet;
    packet.text = std::move(text);
    return packet;
}

std::string what(const Error& error) {
    return error.code() + ": " + std::string(error.message().param("what"));
}

DeviceId disk() {
    DeviceId device;
    device.id = "disk";
    return device;
}

std::string result_with(const std::string& id, const std::string& device) {
    return R"({"options":[{"id":")" + id + R"(","title":"t","device":")" + device +
           R"(","submenus":[],"kernel":{"path":"/k","device":null},"initrds":[],"devicetree":null,"args":"",)"
           R"("version":"","sort_key":"","tries":null,"default":false,)"
           R"("source":{"format":"bls","file":"/f","line":1}}],"diagnostics":[]})";
}

}  // namespace

TEST_SUITE("probe") {
    TEST_CASE("orders, questions and answers come back as they were sent") {
        Order order;
        order.mode = Order::Mode::list;
        order.device.node = "/dev/sda1";
        order.path = "/boot \"x\"";
        order.max_bytes = std::uint64_t{1} << 40;
        order.named = {"/a.cfg", "/b"};
        const auto order_back = order_of(to_text(order));
        REQUIRE(order_back);
        CHECK(order_back->mode == order.mode);
        CHECK(order_back->device == order.device);
        CHECK(order_back->path == order.path);
        CHECK(order_back->max_bytes == order.max_bytes);
        CHECK(order_back->named == order.named);
        order.named.assign(max_named_files + 1, "/x");
        CHECK_FALSE(order_of(to_text(order)));

        const Question question(Question::Kind::read, DeviceRef{DeviceRef::Kind::label, "L"}, "/x", 77);
        const auto question_back = report_of(packet_of(to_text(Report(question))));
        REQUIRE(question_back);
        CHECK(std::get<Question>(*question_back) == question);

        Answer answer;
        answer.kind = FileSource::Kind::directory;
        answer.names = {"a", "b c"};
        answer.devices = {"disk-1"};
        answer.present = true;
        auto answer_back = answer_of(std::move(*to_packet(answer)));
        REQUIRE(answer_back);
        CHECK(answer_back->kind == answer.kind);
        CHECK(answer_back->names == answer.names);
        CHECK(answer_back->devices == answer.devices);
        CHECK(answer_back->present);
        CHECK_FALSE(answer_back->error);
    }

    TEST_CASE("a descriptor travels with its packet") {
        const Pair pair;
        const auto memfd = sealed_memfd("x", std::string_view("hello"));
        REQUIRE(send_packet(pair.one.get(), "text", memfd->get()));
        const auto packet = receive_packet(pair.two.get());
        REQUIRE(packet);
        REQUIRE(*packet);
        CHECK((*packet)->text == "text");
        CHECK(read_sealed((*packet)->fd.get(), 100, "x").value() == "hello");
    }

    TEST_CASE("nothing there yet is EAGAIN, a peer that has gone is empty") {
        Pair pair;
        CHECK(receive_packet(pair.two.get()).error().error_number() == EAGAIN);
        pair.one.reset();
        const auto packet = receive_packet(pair.two.get());
        REQUIRE(packet);
        CHECK_FALSE(*packet);
    }

    TEST_CASE("a packet too long, and one with two descriptors, are refused") {
        const Pair pair;
        REQUIRE(send_packet(pair.one.get(), std::string(max_packet_bytes + 1, 'x')));
        CHECK(what(receive_packet(pair.two.get()).error()) == "probe.helper_broke_protocol: packet too long");

        std::array<int, 2> fds = {0, 0};
        struct iovec part = {const_cast<char*>("x"), 1};
        alignas(struct cmsghdr) std::array<char, CMSG_SPACE(sizeof fds)> control = {};
        struct msghdr message = {};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        struct cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fds);
        std::memcpy(CMSG_DATA(header), fds.data(), sizeof fds);
        REQUIRE(::sendmsg(pair.one.get(), &message, 0) == 1);
        CHECK(receive_packet(pair.two.get()).error().code() == "probe.helper_broke_protocol");
    }

    TEST_CASE("reports that a helper may not send are refused by name") {
        const std::array<std::pair<const char*, const char*>, 10> rows = {{
            {"", "not one report"},
            {"[]", "not one report"},
            {"{}", "not one report"},
            {R"({"a":1,"b":2})", "not one report"},
            {R"({"a":1})", "unknown report"},
            {R"({"question":{"kind":"write","device":null,"path":"/x","max_bytes":1}})", "question"},
            {R"({"question":{"kind":"read","device":null,"path":"/x","max_bytes":-1}})", "question"},
            {R"({"question":{"kind":"read","device":null,"path":"a\u0000b","max_bytes":1}})", "question"},
            {R"({"question":{"kind":"read","device":7,"path":"/x","max_bytes":1}})", "device of a question"},
            {R"({"progress":[1]})", "unknown report"},
        }};
        for (const auto& [text, words] : rows) {
            CAPTURE(text);
            const auto report = report_of(packet_of(text));
            REQUIRE_FALSE(report);
            CHECK(what(report.error()) == std::string("probe.helper_broke_protocol: ") + words);
        }
        const auto with_names = report_of(packet_of(
            R"({"answer":{"error":null,"kind":"file","size":1,"present":true,"devices":[],"names":true}})"));
        CHECK(with_names.error().code() == "probe.not_sealed");
    }

    TEST_CASE("only sealed memory of a bounded size is read") {
        CHECK(check_sealed(-1, 10, "x").error().code() == "probe.not_sealed");
        const UniqueFd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
        CHECK(check_sealed(zero.get(), 10, "x").error().code() == "probe.not_sealed");
        const UniqueFd open_memfd(::memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        REQUIRE(::fcntl(open_memfd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
        CHECK(check_sealed(open_memfd.get(), 10, "x").error().code() == "probe.not_sealed");
        const auto memfd = sealed_memfd("x", std::string_view("12345"));
        CHECK(check_sealed(memfd->get(), 5, "x").value() == 5);
        CHECK(check_sealed(memfd->get(), 4, "x").error().code() == "base.file_too_large");
    }

    TEST_CASE("a result may name only its own device, each option once") {
        REQUIRE(scan_result_of(result_with("disk/bls/a", "disk"), disk()));
        CHECK(what(scan_result_of(result_with("other/bls/a", "disk"), disk()).error()) ==
              "probe.helper_broke_protocol: result names options of another device");
        CHECK_FALSE(scan_result_of(result_with("disk/bls/a", "other"), disk()));
        CHECK(what(scan_result_of("nonsense", disk()).error()) ==
              "probe.helper_broke_protocol: result is not JSON");
        CHECK_FALSE(scan_result_of("{}", disk()));
        const auto named = [](const std::string& files) {
            return R"({"nothing":{"code":"x","text":"t","parameters":{}},"diagnostics":[],"named":[)" + files +
                   "]}";
        };
        const std::string file = R"({"path":"/f","options":[],"diagnostics":[],"reason":null})";
        CHECK(scan_result_of(named(file), disk())->named.at(0).path == "/f");
        std::string many = file;
        for (std::size_t i = 0; i < max_named_files; ++i) {
            many += "," + file;
        }
        CHECK(what(scan_result_of(named(many), disk()).error()) ==
              "probe.helper_broke_protocol: result tells of too many named files");
    }

    TEST_CASE("a result cut at any length is refused, never half taken") {
        const std::string text = result_with("disk/bls/a", "disk");
        for (std::size_t length = 0; length < text.size(); ++length) {
            CHECK_FALSE(scan_result_of(text.substr(0, length), disk()));
        }
    }
}
