// SPDX-License-Identifier: Apache-2.0
// That the interface's text and the C++ types say the same, field by field.
#include <doctest/doctest.h>

#include <utility>

#include "daemon/protocol/descriptions.hpp"
#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/service.hpp"
#include "tests/daemon/protocol/interface_text.hpp"

using namespace stillboot::protocol;
using stillboot::test::Fields;

namespace {

// The types that have a name in the interface, and those whose JSON is written by hand.
template <class T>
struct Name {
    static constexpr std::string_view text = "";
};
#define NAMED(T, NAME)                                                    \
    template <>                                                           \
    struct Name<T> {                                                      \
        [[maybe_unused]] static constexpr std::string_view text = (NAME); \
    }
NAMED(stillboot::Message, "Message");
NAMED(stillboot::DeviceRef, "DeviceRef");
NAMED(stillboot::Resource, "Resource");
NAMED(stillboot::Diagnostic, "Diagnostic");
NAMED(stillboot::Source, "Source");
NAMED(stillboot::BootTries, "Tries");
NAMED(Option, "Option");
NAMED(Device, "Device");
NAMED(Active, "Active");
NAMED(Progress, "Progress");
NAMED(Beaten, "Beaten");
NAMED(State, "State");
NAMED(Change, "Change");
NAMED(Client, "Client");
NAMED(ReportedDevice, "ReportedDevice");
NAMED(ReportedStep, "ReportedStep");
NAMED(HandoverReport, "HandoverReport");
NAMED(QuiesceStep, "QuiesceStep");
NAMED(QuiesceKept, "QuiesceKept");
NAMED(QuiescePlan, "QuiescePlan");
NAMED(Attempt, "Attempt");
NAMED(Interface, "Interface");
NAMED(System, "System");
NAMED(Setting, "Setting");
NAMED(LogLine, "LogLine");
NAMED(Parameters, "[string]string");
NAMED(Stage, "Stage");
#undef NAMED

template <class T>
std::string type_of() {
    if constexpr (std::is_same_v<T, std::string>) {
        return "string";
    } else if constexpr (std::is_same_v<T, bool>) {
        return "bool";
    } else if constexpr (std::is_integral_v<T>) {
        return "int";
    } else if constexpr (is_optional<T>::value) {
        return "?" + type_of<typename T::value_type>();
    } else if constexpr (is_vector<T>::value) {
        return "[]" + type_of<typename T::value_type>();
    } else if constexpr (Worded<T>) {
        std::string words;
        for (const auto word : Words<T>::words) {
            words += (words.empty() ? "" : ",") + std::string(word);
        }
        return "(" + words + ")";
    } else {
        static_assert(!Name<T>::text.empty(), "a type without a name in the interface");
        return std::string(Name<T>::text);
    }
}

template <class T>
Fields fields_of() {
    Fields fields;
    const auto add = [&]<class Owner, class Type>(const Field<Owner, Type>& each) {
        fields[std::string(each.name)] = type_of<Type>();
    };
    std::apply([&](const auto&... each) { (add(each), ...); }, Description<T>::fields);
    return fields;
}

class Against {
public:
    explicit Against(std::string_view text) : members_(stillboot::test::members_of(text)) {}

    template <class... T>
    void types() {
        (same("type", Name<T>::text, fields_of<T>(), {}), ...);
    }
    template <class... M>
    void methods() {
        (same("method", M::name.substr(interface_name.size() + 1), fields_of<typename M::Parameters>(),
              fields_of<typename M::Reply>()),
         ...);
    }
    void error(const Reply& reply) {
        Fields fields = find("error", reply.error.substr(interface_name.size() + 1)).takes;
        CHECK(fields.size() == reply.parameters.size());
        for (const auto& member : reply.parameters) {
            CHECK(fields.contains(std::string(member.key())));
        }
    }
    /// What is in the interface and was never asked for.
    [[nodiscard]] std::set<std::string> left(std::string_view kind) const {
        auto names = stillboot::test::names_of(members_, kind);
        for (const auto& name : seen_) {
            names.erase(name);
        }
        return names;
    }

private:
    stillboot::test::Member find(std::string_view kind, std::string_view name) {
        seen_.insert(std::string(name));
        for (const auto& member : members_) {
            if (member.kind == kind && member.name == name) {
                return member;
            }
        }
        FAIL("the interface lacks ", name);
        return {};
    }
    void same(std::string_view kind, std::string_view name, const Fields& takes, const Fields& answers) {
        CAPTURE(name);
        const auto member = find(kind, name);
        CHECK(member.takes == takes);
        CHECK(member.answers == answers);
    }

    std::vector<stillboot::test::Member> members_;
    std::set<std::string> seen_;
};

}  // namespace

TEST_SUITE("protocol") {
    TEST_CASE("each type of the interface has in C++ the fields that the interface says") {
        Against interface(interface_description(interface_name));
        interface.types<stillboot::Diagnostic, stillboot::Source, stillboot::BootTries, Option, Device, Active,
                        Progress, Beaten, State, Change, Client, ReportedDevice, ReportedStep, HandoverReport,
                        Attempt, QuiesceStep, QuiesceKept, QuiescePlan, Interface, System, Setting, LogLine,
                        Stage>();
        CHECK(interface.left("type") == std::set<std::string>{"DeviceRef", "Message", "Resource"});
    }

    TEST_CASE("each method of the interface takes and answers in C++ what the interface says") {
        Against interface(interface_description(interface_name));
        interface.methods<GetState, ListOptions, ListDevices, Watch, GetLog, ListClients, Boot, Cancel, SetDefault,
                          SetOneShot, GetSettings, SetSetting, SetTimeout, AddConfiguration, OpenDevice,
                          WaitForNetwork, GetReport, ListAttempts, GetQuiescePlan, GetSystem, GetTimes, Rescan,
                          LockConsole, UnlockConsole, Reboot, PowerOff>();
        CHECK(interface.left("method").empty());
    }

    TEST_CASE("each error of the interface is made with the parameters that the interface says") {
        Against interface(interface_description(interface_name));
        for (const auto& reply : {not_found("x"), ambiguous("x", {}), busy("x"), refused({}), boot_failed({}),
                                  permission_denied(Role::boot, Role::look), wrong_password({}), try_later({}),
                                  not_in_this_build("x"), too_slow()}) {
            interface.error(reply);
            CHECK(to_error(reply).code() != "daemon.unknown_error");
        }
        CHECK(interface.left("error").empty());
    }

    TEST_CASE("the reader of these tests sees every field, whatever is nested") {
        const auto members = stillboot::test::members_of(
            "# Role: look. W.\nmethod A(a: ?[]int, b: (x, y)) -> (c: [string]T)\n# t\ntype T (\n  d: bool\n)\n");
        REQUIRE(members.size() == 2);
        CHECK(members[0].role == "look");
        CHECK(members[0].takes == Fields{{"a", "?[]int"}, {"b", "(x,y)"}});
        CHECK(members[0].answers == Fields{{"c", "[string]T"}});
        CHECK(members[1].takes == Fields{{"d", "bool"}});
    }
}
