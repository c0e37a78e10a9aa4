// SPDX-License-Identifier: Apache-2.0
// How a type is described once, and read and written from that description. Included by json.cpp, and by the test
// that holds it against the interface.
#pragma once

#include <boost/json.hpp>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "config/base/utf8.hpp"
#include "daemon/protocol/json.hpp"

namespace stillboot::protocol {

/// One field: its name on the wire and the member that holds it.
template <class Owner, class Member>
struct Field {
    std::string_view name;
    Member Owner::* member;
};

template <class Owner, class Member>
constexpr Field<Owner, Member> field(std::string_view name, Member Owner::* member) {
    return {name, member};
}

/// Specialised for each struct: `static constexpr auto fields = std::make_tuple(field(…), …)`.
template <class T>
struct Description;

/// Specialised for each enumeration: `static constexpr std::string_view words[]`, in the order of its values.
template <class T>
struct Words;

/// Specialised where the JSON is not field by field: `write(const T&)`, and `read(Reader&, const value&, T&)`.
template <class T>
struct Custom;

template <class T>
concept Described = requires { Description<T>::fields; };
template <class T>
concept Worded = requires { Words<T>::words; };

/// Reads JSON into values and keeps the first thing that was wrong, with the path that leads to it.
class Reader {
public:
    explicit Reader(UnknownFields unknown) : unknown_(unknown) {}

    template <class T>
    bool read(const boost::json::value& json, T& out);
    template <class T>
    bool read_field(const boost::json::object& object, std::string_view name, T& out);
    bool refuse_unknown(const boost::json::object& object, const std::string_view* names, std::size_t count);

    bool fail(std::string_view code) {
        error_ = Error(code, {{"field", path_.empty() ? "(all)" : path_}});
        return false;
    }
    [[nodiscard]] const Error& error() const { return error_; }

private:
    template <class T>
    bool read_described(const boost::json::value& json, T& out);
    template <class T>
    bool read_list(const boost::json::value& json, std::vector<T>& out);
    template <class T>
    bool read_integer(const boost::json::value& json, T& out);
    template <class T>
    bool read_word(const boost::json::value& json, T& out);
    bool read_text(const boost::json::value& json, std::string& out);

    std::size_t enter(std::string_view part) {
        const std::size_t before = path_.size();
        if (!path_.empty()) {
            path_ += '.';
        }
        path_ += part;
        return before;
    }

    UnknownFields unknown_;
    std::string path_;
    Error error_;
};

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};

template <class T>
bool Reader::read(const boost::json::value& json, T& out) {
    if constexpr (std::is_same_v<T, std::string>) {
        return read_text(json, out);
    } else if constexpr (std::is_same_v<T, bool>) {
        out = json.is_bool() && json.get_bool();
        return json.is_bool() || fail("daemon.field_invalid");
    } else if constexpr (std::is_integral_v<T>) {
        return read_integer(json, out);
    } else if constexpr (is_optional<T>::value) {
        return json.is_null() || read(json, out.emplace());
    } else if constexpr (is_vector<T>::value) {
        return read_list(json, out);
    } else if constexpr (Worded<T>) {
        return read_word(json, out);
    } else if constexpr (Described<T>) {
        return read_described(json, out);
    } else {
        return Custom<T>::read(*this, json, out);
    }
}

template <class T>
bool Reader::read_field(const boost::json::object& object, std::string_view name, T& out) {
    const std::size_t before = enter(name);
    const auto* found = object.if_contains(name);
    const bool good = found != nullptr ? read(*found, out) : is_optional<T>::value || fail("daemon.field_missing");
    path_.resize(good ? before : path_.size());
    return good;
}

template <class T>
bool Reader::read_described(const boost::json::value& json, T& out) {
    const auto* object = json.if_object();
    if (object == nullptr) {
        return fail("daemon.field_invalid");
    }
    return std::apply(
        [&](const auto&... each) {
            const std::string_view names[] = {each.name..., std::string_view()};
            return refuse_unknown(*object, names, sizeof...(each)) &&
                   (read_field(*object, each.name, out.*(each.member)) && ...);
        },
        Description<T>::fields);
}

template <class T>
bool Reader::read_list(const boost::json::value& json, std::vector<T>& out) {
    const auto* array = json.if_array();
    if (array == nullptr) {
        return fail("daemon.field_invalid");
    }
    out.reserve(array->size());
    for (const auto& element : *array) {
        const std::size_t before = enter(std::to_string(out.size()));
        if (!read(element, out.emplace_back())) {
            return false;
        }
        path_.resize(before);
    }
    return true;
}

template <class T>
bool Reader::read_integer(const boost::json::value& json, T& out) {
    const bool fits = json.is_int64() ? std::in_range<T>(json.get_int64())
                                      : json.is_uint64() && std::in_range<T>(json.get_uint64());
    if (!fits) {
        return fail("daemon.field_invalid");
    }
    out = json.is_int64() ? static_cast<T>(json.get_int64()) : static_cast<T>(json.get_uint64());
    return true;
}

template <class T>
bool Reader::read_word(const boost::json::value& json, T& out) {
    const auto* text = json.if_string();
    for (std::size_t i = 0; text != nullptr && i < std::size(Words<T>::words); ++i) {
        if (Words<T>::words[i] == std::string_view(*text)) {
            out = static_cast<T>(i);
            return true;
        }
    }
    return fail("daemon.field_invalid");
}

template <class T>
boost::json::value write(const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
        return boost::json::value(valid_utf8(value));
    } else if constexpr (std::is_integral_v<T>) {
        return boost::json::value(value);
    } else if constexpr (is_optional<T>::value) {
        return value ? write(*value) : boost::json::value();
    } else if constexpr (is_vector<T>::value) {
        boost::json::array array;
        array.reserve(value.size());
        for (const auto& element : value) {
            array.push_back(write(element));
        }
        return boost::json::value(std::move(array));
    } else if constexpr (Worded<T>) {
        return boost::json::value(Words<T>::words[static_cast<std::size_t>(value)]);
    } else if constexpr (Described<T>) {
        boost::json::object object;
        std::apply([&](const auto&... each) { (object.emplace(each.name, write(value.*(each.member))), ...); },
                   Description<T>::fields);
        return boost::json::value(std::move(object));
    } else {
        return Custom<T>::write(value);
    }
}

}  // namespace stillboot::protocol
