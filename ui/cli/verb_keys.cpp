// SPDX-License-Identifier: Apache-2.0
// stillboot keys: the certificates of this machine and of those who may reach it.
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>

#include "config/base/root.hpp"
#include "daemon/tls/keys.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

constexpr std::string_view directory = "/etc/stillboot/tls";
constexpr std::size_t max_pem_bytes = 64 * 1024;
constexpr int machine_days = 3650;
constexpr int default_client_days = 365;
constexpr mode_t secret = 0600;
constexpr mode_t open_to_all = 0644;

tls::Lifetime days(int count) {
    return std::chrono::hours(24) * count;
}

std::string path_of(std::string_view name) {
    return std::string(directory) + "/" + std::string(name);
}

std::string host_name() {
    std::array<char, 256> name = {};
    return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "localhost";
}

/// A certificate and its key, the key first: one without the other is then a certificate that nobody has.
Result<void> write(const Root& root, const std::string& base, const tls::Issued& issued) {
    auto written = root.replace_file(base + ".key", issued.key, secret);
    return written ? root.replace_file(base + ".pem", issued.certificate, open_to_all) : written;
}

Result<void> make_machine(const Root& root, std::vector<std::string> hosts) {
    if (hosts.empty()) {
        hosts = {host_name(), "localhost"};
    }
    const auto authority = tls::make_authority("Stillboot of " + hosts.front(), days(machine_days));
    if (!authority) {
        return authority.error();
    }
    const auto server = tls::make_server(*authority, hosts, days(machine_days));
    if (!server) {
        return server.error();
    }
    auto done = root.make_directories(directory);
    done = done ? write(root, path_of("server"), *server) : done;
    return done ? write(root, path_of("ca"), *authority) : done;
}

ExitCode init(const Context& context, const std::vector<std::string>& hosts, bool again) {
    const auto root = Root::open(context.root);
    if (!root) {
        return report(context, root.error());
    }
    // ca.key may be kept elsewhere: what it has signed counts all the same.
    for (const std::string_view name : {"ca.key", "ca.pem", "server.pem"}) {
        if (!again && root->exists(path_of(name))) {
            (void)report(context, Error("cli.keys_there", {{"path", path_of(name)}}));
            return ExitCode::refused;
        }
    }
    const auto made = make_machine(*root, hosts);
    if (!made) {
        return report(context, made.error());
    }
    context.line("The keys of this machine are in " + std::string(directory) + ".");
    context.line("To be reached by TLS: set `listen` in stillboot.toml(5), and start stillbootd again.");
    return ExitCode::done;
}

struct Client {
    std::string name;
    std::string role;
    std::string out;
    int days = default_client_days;
};

Result<tls::Issued> read_authority(const Root& root) {
    if (!root.exists(path_of("ca.key"))) {
        return Error("cli.keys_none", {{"path", path_of("ca.key")}});
    }
    auto certificate = root.read_file(path_of("ca.pem"), max_pem_bytes);
    auto key = root.read_file(path_of("ca.key"), max_pem_bytes);
    if (!certificate || !key) {
        return certificate ? key.error() : certificate.error();
    }
    tls::Issued authority;
    authority.certificate = std::move(*certificate);
    authority.key = std::move(*key);
    return authority;
}

/// Into a directory that is for its owner alone.
Result<void> deliver(const std::string& out, const tls::Issued& client, const std::string& authority) {
    if (::mkdir(out.c_str(), 0700) != 0 && errno != EEXIST) {
        return Error::from_errno(errno, "base.write_failed", {{"path", out}});
    }
    const auto root = Root::open(out);
    if (!root) {
        return root.error();
    }
    auto written = write(*root, "client", client);
    return written ? root->replace_file("ca.pem", authority, open_to_all) : written;
}

ExitCode make_client(const Context& context, const Client& wanted) {
    const auto root = Root::open(context.root);
    if (!root) {
        return report(context, root.error());
    }
    const auto authority = read_authority(*root);
    if (!authority) {
        return report(context, authority.error());
    }
    const auto role = protocol::role_of_word(wanted.role);
    const auto client = tls::make_client(*authority, wanted.name, *role, days(wanted.days));
    if (!client) {
        return report(context, client.error());
    }
    const std::string out = wanted.out.empty() ? wanted.name : wanted.out;
    const auto delivered = deliver(out, *client, authority->certificate);
    if (!delivered) {
        return report(context, delivered.error());
    }
    context.line("client.pem, client.key and ca.pem are in " + out +
                 "; on the client they belong into ~/.config/stillboot.");
    return ExitCode::done;
}

void add_init(CLI::App& keys, const Context& context, Action& action) {
    CLI::App* verb = keys.add_subcommand("init", "Make the authority of this machine, and its own certificate");
    auto hosts = std::make_shared<std::vector<std::string>>();
    auto again = std::make_shared<bool>(false);
    verb->add_option("--name", *hosts, "A name or address that clients call it by; may be given several times")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    verb->add_flag("--again", *again, "Replace the authority: no certificate of the old one counts any more");
    verb->callback([&context, &action, hosts, again] {
        action = [&context, hosts, again] { return init(context, *hosts, *again); };
    });
}

void add_client(CLI::App& keys, const Context& context, Action& action) {
    CLI::App* verb = keys.add_subcommand("client", "Make a client's key and certificate");
    auto wanted = std::make_shared<Client>();
    verb->add_option("NAME", wanted->name, "Whom it is for: what the log names")->required();
    verb->add_option("--role", wanted->role, "What it may do: look, boot, configure or all")
        ->required()
        ->check(CLI::IsMember({"look", "boot", "configure", "all"}));
    verb->add_option("--days", wanted->days, "How long it counts")->check(CLI::Range(1, machine_days));
    verb->add_option("--out", wanted->out, "The directory for its files (default: NAME)");
    verb->callback(
        [&context, &action, wanted] { action = [&context, wanted] { return make_client(context, *wanted); }; });
}

}  // namespace

void add_keys(CLI::App& app, const Context& context, Action& action) {
    CLI::App* keys = app.add_subcommand("keys", "Keys and certificates for clients over TLS");
    keys->require_subcommand(1);
    add_init(*keys, context, action);
    add_client(*keys, context, action);
}

}  // namespace stillboot::cli
