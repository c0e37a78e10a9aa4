// SPDX-License-Identifier: Apache-2.0
// stillboot report: one file for a bug report.
#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "config/base/root.hpp"
#include "ui/cli/connection.hpp"
#include "ui/cli/json_output.hpp"
#include "ui/cli/secrets.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

constexpr int report_format = 1;

// One part of the report; what cannot be had is said in its place, and the rest still helps.
template <class Method>
void add_part(boost::json::object& all, Connection& connection) {
    auto reply = connection.call<Method>();
    if (!reply) {
        const std::string name(Method::name);
        boost::json::value& missing = all["missing"];
        if (!missing.is_array()) {
            missing.emplace_array();
        }
        missing.as_array().push_back(boost::json::string(name + ": " + reply.error().sentence()));
        return;
    }
    const boost::json::value part = protocol::to_json(*reply);
    for (const auto& each : part.as_object()) {
        all[each.key()] = each.value();
    }
}

boost::json::object collect(Connection& connection) {
    boost::json::object all;
    all["format"] = report_format;
    add_part<protocol::GetSystem>(all, connection);
    add_part<protocol::GetState>(all, connection);
    add_part<protocol::GetReport>(all, connection);
    add_part<protocol::GetTimes>(all, connection);
    add_part<protocol::ListAttempts>(all, connection);
    add_part<protocol::GetSettings>(all, connection);
    add_part<protocol::ListDevices>(all, connection);
    add_part<protocol::ListOptions>(all, connection);
    add_part<protocol::ListClients>(all, connection);
    add_part<protocol::GetLog>(all, connection);
    return all;
}

Result<void> write_to(const std::string& path, const std::string& text) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) {
        return Error::from_errno(errno, "base.open_failed", {{"path", path}});
    }
    return write_all(file.get(), text, path);
}

ExitCode make_report(const Context& context, const std::optional<std::string>& path) {
    auto connection = Connection::open(context);
    if (!connection) {
        return report(context, connection.error());
    }
    boost::json::value all = collect(*connection);
    leave_out_secrets(all);
    if (!path) {
        Context as_json = context;
        as_json.json = context.wants_json() ? context.json : JsonForm::pretty;
        print_json(as_json, all);
        return ExitCode::done;
    }
    if (const auto written = write_to(*path, pretty(all) + "\n"); !written) {
        return report(context, written.error());
    }
    context.line(Message("cli.report_written", {{"path", *path}}).sentence());
    return ExitCode::done;
}

}  // namespace

void add_bug_report(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("report", "Everything for a bug report in one file, without secrets");
    auto path = std::make_shared<std::optional<std::string>>();
    verb->add_option("FILE", *path, "Where to write it; without it, the standard output");
    verb->callback(
        [&context, &action, path] { action = [&context, path] { return make_report(context, *path); }; });
}

}  // namespace stillboot::cli
