// SPDX-License-Identifier: Apache-2.0
// Starting coroutines so that no exception of theirs is lost.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <string>

namespace stillboot {

/// Starts coroutines on one loop; what one of them throws goes to `on_fault` with the coroutine's name, never
/// into nothing. Cheap to copy. Thread: the loop's alone.
class Spawner {
public:
    using OnFault = std::function<void(const std::string& name, const std::string& what)>;

    Spawner(boost::asio::any_io_executor executor, OnFault on_fault)
        : executor_(std::move(executor)), on_fault_(std::make_shared<OnFault>(std::move(on_fault))) {}

    void spawn(std::string name, boost::asio::awaitable<void> work) const;
    /// The same, ended early by a signal on the slot.
    void spawn(std::string name, boost::asio::awaitable<void> work, boost::asio::cancellation_slot slot) const;
    [[nodiscard]] const boost::asio::any_io_executor& executor() const { return executor_; }

private:
    boost::asio::any_io_executor executor_;
    std::shared_ptr<OnFault> on_fault_;
};

/// What a caught exception says.
[[nodiscard]] std::string describe(const std::exception_ptr& thrown);

}  // namespace stillboot
