// SPDX-License-Identifier: Apache-2.0
// Packets with descriptors, and their JSON.
#include "daemon/probe/wire.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <boost/json.hpp>
#include <cstring>

#include "config/base/memfd.hpp"
#include "config/base/planted_defect.hpp"
#include "daemon/probe/sealed.hpp"
#include "daemon/protocol/json.hpp"

namespace stillboot::probe {
namespace {

namespace json = boost::json;

constexpr std::size_t max_names_bytes = std::size_t{8} * 1024 * 1024;

constexpr std::array<std::string_view, 5> order_words = {"scan", "read", "kind", "size", "list"};
constexpr std::array<std::string_view, 6> question_words = {"read", "kind", "size", "list", "present", "find"};
constexpr std::array<std::string_view, 4> kind_words = {"missing", "file", "directory", "other"};

Error broken(std::string_view what) {
    return Error("probe.helper_broke_protocol", {{"what", what}});
}

template <class Enum, std::size_t N>
bool read_word(const json::object& object, std::string_view name, const std::array<std::string_view, N>& words,
               Enum& out) {
    const auto* value = object.if_contains(name);
    const auto* text = value == nullptr ? nullptr : value->if_string();
    for (std::size_t i = 0; text != nullptr && i < N; ++i) {
        if (words[i] == std::string_view(*text)) {
            out = static_cast<Enum>(i);
            return true;
        }
    }
    return false;
}

bool read_path(const json::object& object, std::string& out) {
    const auto* value = object.if_contains("path");
    const auto* text = value == nullptr ? nullptr : value->if_string();
    if (text == nullptr || text->size() > 4096 || std::string_view(*text).find('\0') != std::string_view::npos) {
        return false;
    }
    out = std::string(*text);
    return true;
}

bool read_number(const json::object& object, std::string_view name, std::uint64_t& out) {
    const auto* value = object.if_contains(name);
    if (value == nullptr) {
        return false;
    }
    boost::system::error_code failed;
    out = value->to_number<std::uint64_t>(failed);
    return !failed;
}

bool read_flag(const json::object& object, std::string_view name, bool& out) {
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_bool()) {
        return false;
    }
    out = value->get_bool();
    return true;
}

bool read_strings(const json::value& value, std::size_t limit, std::vector<std::string>& out) {
    const auto* array = value.if_array();
    if (array == nullptr || array->size() > limit) {
        return false;
    }
    for (const auto& element : *array) {
        if (!element.is_string()) {
            return false;
        }
        out.emplace_back(element.get_string());
    }
    return true;
}

Result<json::object> parse_object(std::string_view text) {
    auto parsed = protocol::parse_json(text);
    if (!parsed || !parsed->is_object()) {
        return broken("not a JSON object");
    }
    return std::move(parsed->get_object());
}

json::array strings(const std::vector<std::string>& from) {
    json::array array;
    for (const auto& text : from) {
        array.emplace_back(text);
    }
    return array;
}

json::object to_object(const Question& question) {
    json::object object;
    object["kind"] = question_words[static_cast<std::size_t>(question.kind)];
    object["device"] = protocol::to_json(question.device);
    object["path"] = question.path;
    object["max_bytes"] = question.max_bytes;
    return object;
}

json::object to_object(const Answer& answer) {
    json::object object;
    object["error"] = answer.error ? protocol::to_json(*answer.error) : json::value();
    object["kind"] = kind_words[static_cast<std::size_t>(answer.kind)];
    object["size"] = answer.size;
    object["present"] = answer.present;
    object["devices"] = strings(answer.devices);
    return object;
}

Result<Question> question_of(const json::object& object) {
    Question question;
    const auto* device = object.if_contains("device");
    if (device == nullptr || !read_word(object, "kind", question_words, question.kind) ||
        !read_path(object, question.path) || !read_number(object, "max_bytes", question.max_bytes)) {
        return broken("question");
    }
    auto reference = protocol::from_json<DeviceRef>(*device);
    if (!reference) {
        return broken("device of a question");
    }
    question.device = std::move(*reference);
    return question;
}

Result<std::vector<std::string>> read_names(int fd) {
    auto text = read_sealed(fd, max_names_bytes, "names");
    if (!text) {
        return text.error();
    }
    auto parsed = protocol::parse_json(*text);
    std::vector<std::string> names;
    if (!parsed || !read_strings(*parsed, max_names_bytes, names)) {
        return broken("list of names");
    }
    return names;
}

Result<Answer> answer_of_object(const json::object& object, UniqueFd fd) {
    Answer answer;
    const auto* devices = object.if_contains("devices");
    const auto* error = object.if_contains("error");
    bool names_attached = false;
    if (devices == nullptr || error == nullptr || !read_word(object, "kind", kind_words, answer.kind) ||
        !read_number(object, "size", answer.size) || !read_flag(object, "present", answer.present) ||
        !read_flag(object, "names", names_attached) ||
        !read_strings(*devices, max_found_devices, answer.devices)) {
        return broken("answer");
    }
    if (!error->is_null()) {
        auto message = protocol::from_json<Message>(*error);
        if (!message) {
            return broken("error of an answer");
        }
        answer.error = std::move(*message);
    }
    if (!names_attached) {
        answer.content = std::move(fd);
        return answer;
    }
    auto names = read_names(fd.get());
    if (!names) {
        return names.error();
    }
    answer.names = std::move(*names);
    return answer;
}

}  // namespace

Result<void> send_packet(int socket, std::string_view text, int fd) {
    struct iovec part = {const_cast<char*>(text.data()), text.size()};
    alignas(struct cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control = {};
    struct msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (fd >= 0) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        struct cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    ssize_t sent = -1;
    do {
        sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        return Error::from_errno(errno, "probe.socket_failed");
    }
    return {};
}

Result<std::optional<Packet>> receive_packet(int socket) {
    Packet packet;
    packet.text.resize(max_packet_bytes);
    struct iovec part = {packet.text.data(), packet.text.size()};
    // Room for one descriptor: the kernel closes what does not fit and says so by MSG_CTRUNC.
    alignas(struct cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control = {};
    struct msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t count = -1;
    do {
        count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && errno != ECONNRESET) {
        return Error::from_errno(errno, "probe.socket_failed");
    }
    const struct cmsghdr* header = count < 0 ? nullptr : CMSG_FIRSTHDR(&message);
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        // Two descriptors fit into the padding of one on 64-bit machines.
        std::array<int, 2> fds = {-1, -1};
        std::memcpy(fds.data(), CMSG_DATA(header), std::min(sizeof fds, header->cmsg_len - CMSG_LEN(0)));
        packet.fd = UniqueFd(fds[0]);
        if (const UniqueFd second(fds[1]); second) {
            return broken("two descriptors");
        }
    }
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        return broken("packet too long");
    }
    if (count <= 0) {
        return std::optional<Packet>();
    }
    packet.text.resize(static_cast<std::size_t>(count));
    return std::optional<Packet>(std::move(packet));
}

std::string to_text(const Order& order) {
    json::object object;
    object["mode"] = order_words[static_cast<std::size_t>(order.mode)];
    object["device"] = protocol::to_json(order.device);
    object["path"] = order.path;
    object["max_bytes"] = order.max_bytes;
    object["named"] = strings(order.named);
    return json::serialize(object);
}

std::string to_text(const Report& report) {
    json::object object;
    if (const auto* question = std::get_if<Question>(&report)) {
        object["question"] = to_object(*question);
    } else if (const auto* progress = std::get_if<Progress>(&report)) {
        object["progress"] = {progress->done, progress->total};
    } else if (const auto* failed = std::get_if<Failed>(&report)) {
        object["failed"] = protocol::to_json(failed->why);
    } else {
        object["result"] = true;
    }
    return json::serialize(object);
}

Result<Packet> to_packet(const Answer& answer) {
    json::object object = to_object(answer);
    object["names"] = !answer.names.empty();
    Packet packet;
    packet.text = json::serialize(json::object{{"answer", std::move(object)}});
    if (answer.names.empty()) {
        packet.fd = UniqueFd(answer.content ? ::fcntl(answer.content.get(), F_DUPFD_CLOEXEC, 0) : -1);
        return packet;
    }
    auto attached = sealed_memfd("names", json::serialize(strings(answer.names)));
    if (!attached) {
        return attached.error();
    }
    packet.fd = std::move(*attached);
    return packet;
}

Result<Order> order_of(std::string_view text) {
    auto object = parse_object(text);
    if (!object) {
        return object.error();
    }
    Order order;
    const auto* device = object->if_contains("device");
    const auto* named = object->if_contains("named");
    if (device == nullptr || named == nullptr || !read_word(*object, "mode", order_words, order.mode) ||
        !read_path(*object, order.path) || !read_number(*object, "max_bytes", order.max_bytes) ||
        !read_strings(*named, max_named_files, order.named)) {
        return broken("order");
    }
    auto id = protocol::from_json<DeviceId>(*device);
    if (!id) {
        return broken("device of an order");
    }
    order.device = std::move(*id);
    return order;
}

Result<Report> report_of(Packet packet) {
    auto object = parse_object(packet.text);
    if (!object || object->size() != 1) {
        return broken("not one report");
    }
    const auto& [name, value] = *object->begin();
    if (name == "question" && value.is_object()) {
        auto question = question_of(value.get_object());
        return question ? Result<Report>(Report(std::move(*question))) : question.error();
    }
    if (name == "answer" && value.is_object()) {
        auto answer = answer_of_object(value.get_object(), std::move(packet.fd));
        return answer ? Result<Report>(Report(std::move(*answer))) : answer.error();
    }
    if (name == "progress" && value.is_array() && (value.get_array().size() == 2 || planted_defect)) {
        boost::system::error_code failed;
        Progress progress;
        progress.done = value.get_array()[0].to_number<std::uint64_t>(failed);
        progress.total = failed ? 0 : value.get_array()[1].to_number<std::uint64_t>(failed);
        return failed ? Result<Report>(broken("progress")) : Result<Report>(Report(progress));
    }
    if (name == "failed") {
        auto why = protocol::from_json<Message>(value);
        return why ? Result<Report>(Report(Failed{std::move(*why)})) : Result<Report>(broken("failure"));
    }
    return name == "result" ? Result<Report>(Report(ScanDone{})) : Result<Report>(broken("unknown report"));
}

Result<Answer> answer_of(Packet packet) {
    auto report = report_of(std::move(packet));
    if (!report) {
        return report.error();
    }
    auto* answer = std::get_if<Answer>(&*report);
    return answer != nullptr ? Result<Answer>(std::move(*answer)) : Result<Answer>(broken("no answer"));
}

}  // namespace stillboot::probe
