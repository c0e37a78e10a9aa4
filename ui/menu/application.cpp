// SPDX-License-Identifier: Apache-2.0
// The coroutines of the menu. Parameters of calls are named locals: see style on g++ 12 and coroutines.
#include "ui/menu/application.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

namespace stillboot::menu {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds retry_after{1};
constexpr std::chrono::seconds shell_look{1};
/// A daemon that takes the connection and says nothing is as good as none.
constexpr std::chrono::milliseconds first_answer_within{10'000};

ViewModel::Instant now() {
    return std::chrono::steady_clock::now();
}

/// Standard input opened once more: Asio makes what it waits for non-blocking, and the description that curses
/// writes to must not be.
int reopen_input() {
    const int fd = ::open("/proc/self/fd/0", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 ? fd : ::dup(STDIN_FILENO);
}

}  // namespace

Application::Application(asio::io_context& context, asio::signal_set& signals, Terminal& terminal,
                         const MenuSettings& settings)
    : context_(context),
      signals_(signals),
      terminal_(terminal),
      settings_(settings),
      keyboard_(context, reopen_input()),
      tick_(context),
      request_came_(context),
      shell_ended_(context),
      shell_look_(context),
      kernel_log_(context.get_executor()),
      session_(context.get_executor()),
      view_(terminal.look(), settings.begins_locked) {}

void Application::spawn(awaitable<void> task) {
    // An exception is a defect: it leaves the loop's run, the terminal is given back, and the program ends with
    // it.
    asio::co_spawn(context_, std::move(task), [](const std::exception_ptr& failure) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    });
}

void Application::start() {
    spawn(watch_keys());
    spawn(watch_signals());
    spawn(watch_daemon());
    spawn(watch_log());
    spawn(watch_kernel());
    spawn(send_requests());
    paint();
}

void Application::quit() {
    quitting_ = true;
    // What was asked before must still go out: the key that leaves the menu stops the clock, too.
    if (requests_.empty() && !request_under_way_) {
        context_.stop();
    }
}

void Application::paint() {
    tick_.cancel();
    if (plain_ || shell_use_) {
        return;
    }
    terminal_.paint(view_.screen(now()));
    if (const auto wait = view_.until_tick(now())) {
        tick_.expires_after(*wait);
        tick_.async_wait([this](boost::system::error_code failure) {
            if (!failure) {
                perform_and_paint(view_.on_tick(now()));
            }
        });
    }
}

void Application::perform(const Actions& actions) {
    for (const auto& what : actions) {
        perform_one(what);
    }
}

void Application::perform_and_paint(const Actions& actions) {
    perform(actions);
    paint();
}

void Application::perform_one(const Action& what) {
    if (std::holds_alternative<action::Quit>(what)) {
        quit();
    } else if (std::holds_alternative<action::Redraw>(what)) {
        terminal_.redraw();
    } else if (std::holds_alternative<action::OpenShell>(what)) {
        spawn(run_shell());
    } else if (std::holds_alternative<action::LeaveScreen>(what)) {
        if (!shell_use_) {
            terminal_.leave_for_lines();
        }
        plain_ = true;
    } else if (std::holds_alternative<action::EnterScreen>(what)) {
        plain_ = false;
        if (!shell_use_) {
            terminal_.enter();
        }
    } else if (const auto* line = std::get_if<action::Print>(&what)) {
        terminal_.print(line->line, line->passing);
    } else {
        requests_.push_back(what);
        request_came_.cancel();
    }
}

// Events in

asio::awaitable<void> Application::watch_keys() {
    while (true) {
        boost::system::error_code failure;
        co_await keyboard_.async_wait(asio::posix::stream_descriptor::wait_read,
                                      asio::redirect_error(asio::use_awaitable, failure));
        if (failure) {
            quit();
            co_return;
        }
        if (shell_use_) {
            co_await shell_ended_.async_wait(asio::redirect_error(asio::use_awaitable, failure));
            continue;
        }
        // What came at once is drawn once: a line pasted over a slow serial port would otherwise crawl.
        const auto keys = plain_ ? terminal_.read_plain_keys() : terminal_.read_keys();
        for (const auto& press : keys) {
            perform(view_.on_key(press, now()));
        }
        paint();
    }
}

asio::awaitable<void> Application::watch_signals() {
    while (true) {
        boost::system::error_code failure;
        const int number = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, failure));
        if (failure || number != SIGWINCH) {
            context_.stop();
            co_return;
        }
        if (!plain_ && !shell_use_) {
            terminal_.resize();
            const Look look = terminal_.look();
            view_.on_resize(look.rows, look.columns);
            paint();
        }
    }
}

asio::awaitable<void> Application::pause() {
    asio::steady_timer timer(context_, retry_after);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<void> Application::watch_daemon() {
    while (true) {
        const Error reason = co_await follow_changes();
        session_.close();
        perform_and_paint(view_.on_unreachable(reason, now()));
        co_await pause();
    }
}

asio::awaitable<Error> Application::follow_changes() {
    client::Client client(context_.get_executor());
    auto connected = co_await client.connect(settings_.daemon);
    if (!connected) {
        co_return connected.error();
    }
    protocol::Watch::Parameters parameters = changes_place_.begin();
    auto opened = co_await client::open<protocol::Watch>(client, parameters);
    if (!opened) {
        co_return opened.error();
    }
    perform_and_paint(view_.on_connected());
    std::optional<std::chrono::milliseconds> patience = first_answer_within;
    while (true) {
        auto event = co_await client::next<protocol::Watch>(client, patience);
        if (!event) {
            co_return event.error();
        }
        patience.reset();
        changes_place_.take(event->reply);
        perform_and_paint(view_.on_change(event->reply.change, now()));
        if (event->last) {
            co_return Error("daemon.connection_ended");
        }
    }
}

asio::awaitable<void> Application::watch_log() {
    while (true) {
        const Error reason = co_await follow_log();
        co_await pause();
    }
}

// What the kernel has to say stands in the middle of the menu until it is drawn anew.
asio::awaitable<void> Application::watch_kernel() {
    while (true) {
        co_await kernel_log_.written_to_consoles();
        if (!plain_ && !shell_use_) {
            terminal_.redraw();
            paint();
        }
    }
}

asio::awaitable<Error> Application::follow_log() {
    client::Client client(context_.get_executor());
    auto connected = co_await client.connect(settings_.daemon);
    if (!connected) {
        co_return connected.error();
    }
    protocol::GetLog::Parameters parameters = log_place_.begin();
    auto opened = co_await client::open<protocol::GetLog>(client, parameters);
    if (!opened) {
        co_return opened.error();
    }
    while (true) {
        auto event = co_await client::next<protocol::GetLog>(client);
        if (!event) {
            co_return event.error();
        }
        const bool anew = log_place_.take(event->reply);
        perform_and_paint(view_.on_log(event->reply.lines, anew));
        if (event->last) {
            co_return Error("daemon.connection_ended");
        }
    }
}

// Requests out: one after the other, so that a cancel typed before a boot is also answered before it.

asio::awaitable<void> Application::send_requests() {
    while (true) {
        if (requests_.empty()) {
            if (quitting_) {
                context_.stop();
            }
            request_came_.expires_at(asio::steady_timer::time_point::max());
            boost::system::error_code ignored;
            co_await request_came_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
            continue;
        }
        Action next = std::move(requests_.front());
        requests_.pop_front();
        request_under_way_ = true;
        auto done = co_await request(std::move(next));
        request_under_way_ = false;
        if (!done) {
            perform_and_paint(view_.on_failure(done.error()));
        }
    }
}

template <class Method>
asio::awaitable<Result<typename Method::Reply>> Application::call(typename Method::Parameters parameters) {
    auto ready = co_await open_session();
    if (!ready) {
        co_return ready.error();
    }
    auto reply = co_await client::call<Method>(session_, parameters);
    co_return reply;
}

// A console that is to be locked locks its connection before anything else goes over it: from there on the daemon
// sees to it, too.
asio::awaitable<Result<void>> Application::open_session() {
    const bool locks = view_.lock().wanted() || view_.lock().unknown();
    if (session_.is_open() && session_locks_ == locks) {
        co_return Result<void>();
    }
    auto connected = co_await session_.connect(settings_.daemon);
    if (!connected || !locks) {
        session_locks_ = false;
        co_return connected;
    }
    session_locks_ = true;
    view_.on_new_connection();
    protocol::LockConsole::Parameters nothing;
    auto locked = co_await client::call<protocol::LockConsole>(session_, nothing);
    if (!locked) {
        session_.close();
        co_return locked.error();
    }
    co_return Result<void>();
}

template <class Method>
asio::awaitable<Result<void>> Application::call_once(typename Method::Parameters parameters) {
    auto reply = co_await call<Method>(parameters);
    if (!reply) {
        co_return reply.error();
    }
    co_return Result<void>();
}

asio::awaitable<Result<void>> Application::ask_settings() {
    protocol::GetSettings::Parameters nothing;
    auto reply = co_await call<protocol::GetSettings>(nothing);
    if (!reply) {
        co_return reply.error();
    }
    perform_and_paint(view_.on_settings(std::move(reply->settings)));
    co_return Result<void>();
}

asio::awaitable<Result<void>> Application::change_setting(action::Set order) {
    protocol::SetSetting::Parameters parameters;
    parameters.key = order.key;
    parameters.value = order.value;
    parameters.once = order.once;
    parameters.console = terminal_.look().console;
    auto set = co_await call_once<protocol::SetSetting>(parameters);
    if (!set) {
        co_return set;
    }
    co_return co_await ask_settings();
}

asio::awaitable<Result<void>> Application::unlock(std::string password) {
    protocol::UnlockConsole::Parameters parameters;
    parameters.password = std::move(password);
    auto unlocked = co_await call_once<protocol::UnlockConsole>(parameters);
    if (unlocked) {
        perform_and_paint(view_.on_unlocked(now()));
    } else {
        view_.on_unlock_refused(unlocked.error(), now());
        paint();
    }
    co_return Result<void>();
}

// The next connection begins locked.
asio::awaitable<Result<void>> Application::give_up() {
    session_.close();
    co_return Result<void>();
}

asio::awaitable<Result<void>> Application::ask_system() {
    protocol::GetSystem::Parameters nothing;
    auto reply = co_await call<protocol::GetSystem>(nothing);
    if (!reply) {
        co_return reply.error();
    }
    perform_and_paint(view_.on_system(reply->system));
    co_return Result<void>();
}

asio::awaitable<Result<void>> Application::request(Action what) {
    if (const auto* order = std::get_if<action::Boot>(&what)) {
        return boot(*order);
    }
    if (auto* given = std::get_if<action::Unlock>(&what)) {
        return unlock(std::move(given->password));
    }
    if (std::holds_alternative<action::Lock>(what)) {
        return give_up();
    }
    if (std::holds_alternative<action::Cancel>(what)) {
        protocol::Cancel::Parameters parameters;
        parameters.console = terminal_.look().console;
        return call_once<protocol::Cancel>(parameters);
    }
    if (std::holds_alternative<action::Rescan>(what)) {
        return call_once<protocol::Rescan>({});
    }
    if (const auto* set = std::get_if<action::Set>(&what)) {
        return change_setting(*set);
    }
    if (std::holds_alternative<action::AskSettings>(what)) {
        return ask_settings();
    }
    if (std::holds_alternative<action::AskSystem>(what)) {
        return ask_system();
    }
    if (std::holds_alternative<action::Restart>(what)) {
        protocol::Reboot::Parameters parameters;
        parameters.console = terminal_.look().console;
        return call_once<protocol::Reboot>(parameters);
    }
    protocol::PowerOff::Parameters parameters;
    parameters.console = terminal_.look().console;
    return call_once<protocol::PowerOff>(parameters);
}

// What becomes of it is in the state, which every client is told.
asio::awaitable<Result<void>> Application::boot(action::Boot order) {
    protocol::Boot::Parameters parameters;
    parameters.option = order.option;
    parameters.args = order.args;
    parameters.console = terminal_.look().console;
    return call_once<protocol::Boot>(parameters);
}

asio::awaitable<void> Application::run_shell() {
    shell_ended_.expires_at(asio::steady_timer::time_point::max());
    terminal_.leave_for_program();
    auto shell = start_shell(settings_.shell);
    if (shell) {
        shell_use_.emplace(shell->pid, now());
        spawn(watch_shell());
        asio::posix::stream_descriptor ended(context_, shell->ended.get());
        boost::system::error_code ignored;
        co_await ended.async_wait(asio::posix::stream_descriptor::wait_read,
                                  asio::redirect_error(asio::use_awaitable, ignored));
        (void)ended.release();
        view_.on_used(shell_use_->look(now()));
        shell_use_.reset();
        shell_look_.cancel();
        finish_shell(*shell);
    }
    shell_ended_.cancel();
    if (!plain_) {
        terminal_.enter();
        const Look look = terminal_.look();
        view_.on_resize(look.rows, look.columns);
    }
    perform_and_paint(shell ? Actions() : view_.on_failure(shell.error()));
}

// A shell that was left open is ended; the console then locks itself, for no key was pressed.
asio::awaitable<void> Application::watch_shell() {
    while (shell_use_) {
        boost::system::error_code ignored;
        shell_look_.expires_after(shell_look);
        co_await shell_look_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        if (!shell_use_) {
            co_return;
        }
        const auto unused = now() - shell_use_->look(now());
        const auto limit = view_.lock().idle_limit();
        if (limit.count() > 0 && unused >= limit) {
            shell_use_->hang_up();
        }
    }
}

}  // namespace stillboot::menu
