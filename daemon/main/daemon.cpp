// SPDX-License-Identifier: Apache-2.0
// Building the daemon, running it and ending it with nothing left behind.
#include "daemon/main/daemon.hpp"

#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <utility>

#include "config/parse/settings/settings.hpp"
#include "daemon/handover/thread_booter.hpp"
#include "daemon/main/restart.hpp"
#include "daemon/main/system_info.hpp"
#include "daemon/state/choice.hpp"
#include "quiesce/load_policy.hpp"

namespace stillboot {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::milliseconds stop_step{20};
constexpr std::chrono::milliseconds store_pause{100};
constexpr std::chrono::milliseconds stop_deadline{8'000};
constexpr std::chrono::milliseconds events_deadline{2'000};
constexpr std::chrono::milliseconds last_reply_deadline{2'000};  ///< of the boot, to those who wait for it
constexpr std::size_t max_group_file_bytes = std::size_t{1024} * 1024;

}  // namespace

Daemon::Daemon(Options options, Root root)
    : options_(std::move(options)),
      root_(std::move(root)),
      log_(options_.log, LogLevel::info, options_.log_format),
      times_(std::chrono::steady_clock::now(), time_since_boot()),
      spawner_(context_.get_executor(),
               [this](const std::string& name, const std::string& what) { on_fault(name, what); }),
      signals_(context_, SIGTERM, SIGINT),
      again_(context_) {}

Daemon::~Daemon() = default;

void Daemon::build() {
    const Settings& settings = settings_->now();
    const auto executor = context_.get_executor();
    registry_ = std::make_unique<registry::Registry>(settings.order.value);
    policy_ = std::make_unique<policy::Policy>(settings.timeout.value,
                                               policy::strict_of(settings, std::chrono::steady_clock::now()));
    probe::RunnerSettings probing;
    probing.scan_deadline = settings.probe_deadline.value;
    scanner_ = std::make_unique<ProbeScanner>(executor, probing);
    scanner_->runner().prepare(settings.probe_parallel.value);
    discover::DiscoverySettings discovering;
    discovering.parallel = settings.probe_parallel.value;
    discovering.settle_deadline = settings.settle_deadline.value;
    discover::DiscoveryEvents events;
    events.on_change = [this] { core_->on_registry_change(); };
    events.on_settled = [this](bool complete) { on_settled(complete); };
    discovery_ = std::make_unique<discover::Discovery>(spawner_, *source_, *scanner_, *registry_, log_,
                                                       std::move(discovering), std::move(events));
    scanner_->runner().on_freed([this](const std::string& node) { discovery_->rescan(node); });
    booter_ = std::make_unique<handover::ThreadBooter>(executor, root_, settings, scan_control());
    CoreHooks hooks;
    hooks.rescan = [this](const std::optional<std::string>& device) { return discovery_->rescan(device); };
    hooks.settle_again = [this] { discovery_->settle_again(); };
    hooks.why_no_restart = [this](bool power_off) { return why_no_restart(power_off, root_); };
    hooks.restart = [this](bool power_off) {
        reporter_->flush(events_deadline);
        restart_machine(power_off, root_, log_);
    };
    hooks.tell = [this](const events::Event& event) { reporter_->tell(event); };
    hooks.ask_for_setup = [this](auto done) { booter_->ask_for_setup(std::move(done)); };
    hooks.clients = [this] { return server_->clients(); };
    hooks.system = [this] {
        protocol::System system = read_system(root_, addresses_of_interfaces());
        system.state_store = state::find_store(root_, settings_->now().state_store.value);
        system.version = STILLBOOT_VERSION;
        return system;
    };
    hooks.why_no_passwords = password::why_none;
    hooks.check_password = [this](const std::string& hash, std::string password, password::OnChecked done) {
        password::check(spawner_, hash, std::move(password), std::move(done));
    };
    hooks.check_hash = [this](const std::string& hash, password::OnChecked done) {
        password::check_hash(spawner_, hash, std::move(done));
    };
    hooks.add = [this](const std::string& device, const std::string& path, auto done) {
        discovery_->add(device, path, std::move(done));
    };
    side_hooks_ =
        std::make_unique<handover::SideHooks>(executor, root_, [this](const Message& line) { log_.info(line); });
    hooks.run_hooks = [this](handover::HookPoint point, handover::HookSubject subject) {
        side_hooks_->run(point, std::move(subject), settings_->now().hooks_deadline.value);
    };
    script_ = std::make_unique<handover::ScriptRunner>(executor, root_,
                                                       [this](const Message& line) { log_.info(line); });
    hooks.run_script = [this](handover::ImageSource source, auto done) {
        script_->start({std::move(source), options_.socket, settings_->now().script_deadline.value},
                       std::move(done));
    };
    core_ = std::make_unique<Core>(executor, *registry_, *policy_, *booter_, log_, std::move(hooks), *settings_,
                                   times_);
    open_reporter();
    settings_->use(*booter_);
    settings_->on_change([this] {
        log_.set_least(settings_->now().log_level.value);
        booter_->set_settings(settings_->now());
        scanner_->runner().set_scan_deadline(settings_->now().probe_deadline.value);
        discovery_->set_parallel(settings_->now().probe_parallel.value);
        core_->on_settings();
    });
    server_ = std::make_unique<server::Server>(spawner_, *core_, server::Limits(), [this](const auto& groups) {
        // Read each time: who is put into a group need not start the daemon again.
        return server::role_of_groups(root_.read_file("/etc/group", max_group_file_bytes).value_or(""), groups);
    });
    gate_ = std::make_unique<gate::Gate>(spawner_, *server_, *core_, log_);
}

// In the middle of a boot that a client wants the store is the hand-over's; if it fails, devices settle again.
void Daemon::on_settled(bool complete) {
    scanner_->runner().prepare(0);
    if (core_->store_was_read() || policy_->phase() == policy::Phase::handover) {
        return core_->on_settled(complete);
    }
    times_.reach("settled", std::chrono::steady_clock::now());
    // The store's own device is there by now, if ever.
    booter_->look_back([this, complete](std::optional<handover::Past> past) {
        if (!past) {
            return settle_later(complete);
        }
        on_past(std::move(*past));
        core_->on_settled(complete);
        // What the scans needed and is free again goes back: most of the time ahead is idle.
        ::malloc_trim(0);
    });
}

// A boot came first, or too many others: the store is still to be read.
void Daemon::settle_later(bool complete) {
    again_.expires_after(store_pause);
    again_.async_wait([this, complete](boost::system::error_code failure) {
        if (!failure && !stopping_) {
            on_settled(complete);
        }
    });
}

void Daemon::on_past(handover::Past past) {
    times_.reach("store-read", std::chrono::steady_clock::now());
    if (!options_.autoboot && past.retry) {
        past.notes.emplace_back("daemon.retry_held",
                                std::initializer_list<Message::Param>{{"title", past.retry->title}});
        past.retry.reset();
    }
    core_->on_past(past);
}

handover::ScanControl Daemon::scan_control() {
    handover::ScanControl control;
    control.stop = [this](auto done) { spawner_.spawn("ending the scans", end_scans(std::move(done))); };
    control.start = [this] {
        if (!stopping_) {
            discovery_->resume();
        }
    };
    control.stuck_nodes = [this] { return stuck_nodes(); };
    control.before_take_down = [this](const handover::Request& request) { tell_jump(request); };
    return control;
}

void Daemon::open_reporter() {
    std::vector<events::Place> places;
    for (const std::string& text : settings_->now().events.value) {
        places.push_back({text, events::open_sink(*parse_event_sink(text))});
    }
    reporter_ = std::make_unique<events::Reporter>(
        std::move(places), events::Origin{core_->session(), events::machine_name(root_)},
        [this](const Message& what) { asio::post(context_, [this, what] { log_.warning(what); }); });
}

// The network and the disks are still there for it. On the hand-over's thread, while the loop goes on.
void Daemon::tell_jump(const handover::Request& request) {
    events::Event event;
    event.kind = events::Kind::jump;
    event.option = request.option_id;
    event.title = request.title;
    event.device = request.kernel.node;
    event.attempt = request.attempt;
    const auto heard = std::make_shared<std::promise<void>>();
    const auto all_heard = heard->get_future();
    asio::post(context_, [this, heard] { spawner_.spawn("leaving who waits", leave_boot_callers(heard)); });
    reporter_->tell(event);
    reporter_->flush(events_deadline);
    all_heard.wait_for(last_reply_deadline);
}

// A reply that is written has not arrived: helpers and a network lie behind the socket. Who goes, or asks the next
// thing, has it.
asio::awaitable<void> Daemon::leave_boot_callers(std::shared_ptr<std::promise<void>> heard) {
    const auto callers = core_->leave_boot_callers();
    asio::steady_timer timer(context_);
    const auto deadline = std::chrono::steady_clock::now() + last_reply_deadline;
    while (std::chrono::steady_clock::now() < deadline &&
           !std::all_of(callers.begin(), callers.end(), [](const auto& caller) { return caller->heard(); })) {
        timer.expires_after(stop_step);
        co_await timer.async_wait(asio::use_awaitable);
    }
    heard->set_value();
}

bool Daemon::is_quiet() const {
    return discovery_->is_quiet() && scanner_->runner().is_idle();
}

// They may hold open what is taken down next: one that hangs is not waited for longer than one may take.
asio::awaitable<void> Daemon::end_hooks() {
    asio::steady_timer timer(context_);
    const auto deadline = std::chrono::steady_clock::now() + settings_->now().hooks_deadline.value;
    while (side_hooks_->busy()) {
        if (std::chrono::steady_clock::now() >= deadline) {
            side_hooks_->stop();
        }
        timer.expires_after(stop_step);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> Daemon::end_scans(std::function<void(std::vector<std::string>)> done) {
    co_await end_hooks();
    discovery_->pause();
    scanner_->runner().prepare(0);
    asio::steady_timer timer(context_);
    const auto deadline = std::chrono::steady_clock::now() + stop_deadline;
    while (std::chrono::steady_clock::now() < deadline && !is_quiet()) {
        timer.expires_after(stop_step);
        co_await timer.async_wait(asio::use_awaitable);
    }
    done(stuck_nodes());
}

std::vector<std::string> Daemon::stuck_nodes() const {
    std::vector<std::string> nodes;
    for (const auto& stuck : scanner_->runner().stuck()) {
        nodes.push_back(stuck.node);
    }
    return nodes;
}

void Daemon::tell_of(const Result<std::optional<handover::Recovery>>& recovery) {
    if (!recovery) {
        log_.error(recovery.error().message());
        return core_->on_recovered("", recovery.error().message());
    }
    if (!recovery->has_value()) {
        return core_->on_recovered("", std::nullopt);  // it was of an earlier boot
    }
    for (const auto& lost : (*recovery)->not_back) {
        log_.error(lost);
    }
    const Message what("daemon.recovered", {{"title", (*recovery)->record.title}});
    log_.warning(what);
    core_->on_recovered((*recovery)->record.option_id, what);
}

Result<void> Daemon::make_socket() {
    std::error_code failure;
    const auto directory = std::filesystem::path(options_.socket).parent_path();
    if (!directory.empty()) {
        std::filesystem::create_directories(directory, failure);
    }
    if (failure) {
        return Error::from_errno(failure.value(), "daemon.listen_failed", {{"path", options_.socket}});
    }
    return server_->listen(options_.socket);
}

// A machine without its keys is still one to boot, from its consoles.
void Daemon::listen_for_tls(const std::vector<std::string>& addresses) {
    const std::string directory = (std::filesystem::path(options_.root) / "etc/stillboot/tls").string();
    gate::Order order;
    order.addresses = addresses;
    order.files = {directory + "/server.pem", directory + "/server.key", directory + "/ca.pem"};
    gate_->open(std::move(order));
}

// What is wrong in the files is said, and the rest counts.
void Daemon::load() {
    ReadSettings read = read_settings(root_);
    if (!options_.autoboot) {
        read.layers.options = {{"timeout", "never"}, {"strict", "false"}, {"script", "none"}};
    }
    settings_ = std::make_unique<SettingsKeeper>(std::move(read.layers));
    log_.set_least(settings_->now().log_level.value);
    const auto rules = quiesce::load_policy(root_, settings_->now());
    for (const auto* diagnostics :
         {&std::as_const(read.diagnostics), &settings_->diagnostics(), &rules.diagnostics}) {
        for (const auto& diagnostic : *diagnostics) {
            log_.warning(Message("daemon.said", {{"text", diagnostic.text()}}));
        }
    }
}

Result<void> Daemon::start() {
    times_.reach("started", std::chrono::steady_clock::now());
    load();
    auto source = discover::UdevSource::open(context_.get_executor());
    if (!source) {
        return source.error();
    }
    source_ = std::move(*source);
    build();
    if (auto listening = make_socket(); !listening) {
        return listening;
    }
    times_.reach("listening", std::chrono::steady_clock::now());
    events::Event started;
    started.what = STILLBOOT_VERSION;
    reporter_->tell(started);
    listen_for_tls(settings_->now().listen.value);
    log_.info(Message("daemon.started", {{"version", STILLBOOT_VERSION}, {"socket", options_.socket}}));
    spawner_.spawn("waiting for signals", wait_for_signal());
    spawner_.spawn("looking for devices", begin());
    return {};
}

// A record of this boot means that a daemon before us was ended in the middle of a hand-over: its devices come
// first. On the loop, where a scan begins as soon as it is asked for.
asio::awaitable<void> Daemon::begin() {
    if (!booter_->has_left_over()) {
        discovery_->start();
        co_return;
    }
    core_->on_recovering();
    booter_->recover([this](const auto& recovery) {
        tell_of(recovery);
        if (!stopping_) {
            discovery_->start();
        }
    });
}

int Daemon::run() {
    ::signal(SIGPIPE, SIG_IGN);
    // One arena: the threads of a hand-over must not double what an idle daemon keeps.
    ::mallopt(M_ARENA_MAX, 1);
    if (auto started = start(); !started) {
        log_.error(started.error().message());
        return 1;
    }
    context_.run();
    return status_;
}

asio::awaitable<void> Daemon::wait_for_signal() {
    co_await signals_.async_wait(asio::use_awaitable);
    co_await stop();
}

void Daemon::on_fault(const std::string& name, const std::string& what) {
    log_.error(Message("daemon.fault", {{"where", name}, {"what", what}}));
    status_ = 1;
    if (stopping_) {
        context_.stop();
        return;
    }
    spawner_.spawn("stopping", stop());
}

// Nothing of ours may outlive us: scans are ended and waited for, and with each its mount goes.
asio::awaitable<void> Daemon::stop() {
    if (std::exchange(stopping_, true)) {
        co_return;
    }
    log_.info(Message("daemon.stopping"));
    core_->on_stop();
    gate_->stop();
    server_->stop();
    source_->close();
    side_hooks_->stop();
    script_->stop();
    discovery_->pause();
    scanner_->runner().stop();
    asio::steady_timer timer(context_);
    const auto deadline = std::chrono::steady_clock::now() + stop_deadline;
    // A hand-over that is being undone has deadlines of its own, and its devices must come back.
    while (booter_->busy() || (std::chrono::steady_clock::now() < deadline && !is_quiet())) {
        timer.expires_after(stop_step);
        co_await timer.async_wait(asio::use_awaitable);
    }
    for (const auto& stuck : scanner_->runner().stuck()) {
        log_.error(Message("daemon.left_stuck", {{"pid", stuck.pid}, {"node", stuck.node}}));
    }
    context_.stop();
}

}  // namespace stillboot
