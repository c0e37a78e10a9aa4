// SPDX-License-Identifier: Apache-2.0
// Coroutines whose faults are heard.
#include "daemon/loop/spawn.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace stillboot {
namespace {

// A coroutine that was told to end may do so by throwing operation_aborted: that is no fault.
bool is_cancellation(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
        return error.code() == boost::asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

class Listen {
public:
    Listen(std::string name, std::shared_ptr<Spawner::OnFault> on_fault)
        : name_(std::move(name)), on_fault_(std::move(on_fault)) {}
    void operator()(const std::exception_ptr& thrown) const {
        if (thrown && !is_cancellation(thrown)) {
            (*on_fault_)(name_, describe(thrown));
        }
    }

private:
    std::string name_;
    std::shared_ptr<Spawner::OnFault> on_fault_;
};

}  // namespace

void Spawner::spawn(std::string name, boost::asio::awaitable<void> work) const {
    boost::asio::co_spawn(executor_, std::move(work), Listen(std::move(name), on_fault_));
}

void Spawner::spawn(std::string name, boost::asio::awaitable<void> work,
                    boost::asio::cancellation_slot slot) const {
    boost::asio::co_spawn(executor_, std::move(work),
                          boost::asio::bind_cancellation_slot(slot, Listen(std::move(name), on_fault_)));
}

std::string describe(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "an exception of an unknown type";
    }
}

}  // namespace stillboot
