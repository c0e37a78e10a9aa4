// SPDX-License-Identifier: Apache-2.0
// What joins the view model to the terminal, the daemon and the shell.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <exception>
#include <optional>
#include <string>

#include "daemon/client/client.hpp"
#include "daemon/client/place.hpp"
#include "ui/menu/kernel_log.hpp"
#include "ui/menu/menu.hpp"
#include "ui/menu/shell.hpp"
#include "ui/menu/terminal.hpp"
#include "ui/menu/view_model.hpp"

namespace stillboot::menu {

/// Lifetime: must outlive the run of the loop; holds references to all that it is given.
class Application {
public:
    Application(boost::asio::io_context& context, boost::asio::signal_set& signals, Terminal& terminal,
                const MenuSettings& settings);
    /// Starts everything; the loop ends when the menu is left.
    void start();

private:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    void spawn(awaitable<void> task);
    awaitable<void> watch_keys();
    awaitable<void> watch_signals();
    awaitable<void> watch_daemon();
    awaitable<void> watch_log();
    awaitable<void> watch_kernel();
    awaitable<void> send_requests();
    /// One connection's worth of Watch: ends with the reason.
    awaitable<Error> follow_changes();
    awaitable<Error> follow_log();
    awaitable<Result<void>> boot(action::Boot order);
    awaitable<Result<void>> unlock(std::string password);
    awaitable<Result<void>> give_up();
    awaitable<Result<void>> open_session();
    awaitable<Result<void>> request(Action what);
    awaitable<Result<void>> ask_settings();
    awaitable<Result<void>> ask_system();
    awaitable<Result<void>> change_setting(action::Set order);
    template <class Method>
    awaitable<Result<typename Method::Reply>> call(typename Method::Parameters parameters);
    template <class Method>
    awaitable<Result<void>> call_once(typename Method::Parameters parameters);
    awaitable<void> run_shell();
    awaitable<void> watch_shell();
    awaitable<void> pause();

    void perform(const Actions& actions);
    void perform_and_paint(const Actions& actions);
    void perform_one(const Action& what);
    void paint();
    void quit();

    boost::asio::io_context& context_;
    boost::asio::signal_set& signals_;
    Terminal& terminal_;
    const MenuSettings& settings_;
    boost::asio::posix::stream_descriptor keyboard_;
    boost::asio::steady_timer tick_;
    boost::asio::steady_timer request_came_;
    boost::asio::steady_timer shell_ended_;
    boost::asio::steady_timer shell_look_;
    std::optional<ShellUse> shell_use_;  ///< of the one that has the terminal
    KernelLog kernel_log_;
    std::deque<Action> requests_;
    /// What carries all requests: what the password gives, it gives to this connection alone.
    client::Client session_;
    bool session_locks_ = false;  ///< it began locked
    client::Place changes_place_;
    client::Place log_place_;
    ViewModel view_;
    bool plain_ = false;
    bool quitting_ = false;
    bool request_under_way_ = false;
};

}  // namespace stillboot::menu
