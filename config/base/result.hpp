// SPDX-License-Identifier: Apache-2.0
// A value or an error. Written over std::variant so that error() is a reference and nothing here needs Boost;
// the names are those of std::expected, so that it can become that.
#pragma once

#include <cerrno>
#include <utility>
#include <variant>

#include "config/base/message.hpp"

namespace stillboot {

/// Why something failed: a message, and the errno where a system call said no (0 otherwise).
class [[nodiscard]] Error {
public:
    Error() = default;
    explicit Error(Message message, int error_number = 0) : message_(std::move(message)), errno_(error_number) {}
    explicit Error(std::string_view code, std::initializer_list<Message::Param> params = {})
        : message_(code, params) {}
    /// An error from a system call: adds the parameter `errno` in words.
    static Error from_errno(int error_number, std::string_view code,
                            std::initializer_list<Message::Param> params = {}) {
        return Error(Message(code, params).with({"errno", errno_words(error_number)}), error_number);
    }

    [[nodiscard]] const Message& message() const { return message_; }
    [[nodiscard]] const std::string& code() const { return message_.code(); }
    [[nodiscard]] int error_number() const { return errno_; }
    [[nodiscard]] std::string sentence() const { return message_.sentence(); }

private:
    Message message_;
    int errno_ = 0;
};

template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() & { return std::get<0>(state_); }
    const T& value() const& { return std::get<0>(state_); }
    T&& value() && { return std::get<0>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

    template <class U>
    [[nodiscard]] T value_or(U&& fallback) const& {
        return has_value() ? value() : static_cast<T>(std::forward<U>(fallback));
    }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool has_value() const { return error_.index() == 0; }
    explicit operator bool() const { return has_value(); }
    [[nodiscard]] const Error& error() const { return std::get<1>(error_); }

private:
    std::variant<std::monostate, Error> error_;
};

}  // namespace stillboot
