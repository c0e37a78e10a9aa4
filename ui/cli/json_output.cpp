// SPDX-License-Identifier: Apache-2.0
// Writing of JSON for people.
#include "ui/cli/json_output.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <ostream>

#include "config/base/utf8.hpp"

namespace stillboot::cli {
namespace {

namespace json = boost::json;

void write(const json::value& value, std::size_t depth, std::string& out);

void new_line(std::size_t depth, std::string& out) {
    out.append(1, '\n').append(2 * depth, ' ');
}

void write_array(const json::array& array, std::size_t depth, std::string& out) {
    out += '[';
    for (std::size_t at = 0; at < array.size(); ++at) {
        out += at == 0 ? "" : ",";
        new_line(depth + 1, out);
        write(array[at], depth + 1, out);
    }
    new_line(depth, out);
    out += ']';
}

void write_object(const json::object& object, std::size_t depth, std::string& out) {
    out += '{';
    bool first = true;
    for (const json::key_value_pair& member : object) {
        out += first ? "" : ",";
        first = false;
        new_line(depth + 1, out);
        out += json::serialize(json::value(member.key())) + ": ";
        write(member.value(), depth + 1, out);
    }
    new_line(depth, out);
    out += '}';
}

void write(const json::value& value, std::size_t depth, std::string& out) {
    if (value.is_array() && !value.get_array().empty()) {
        write_array(value.get_array(), depth, out);
    } else if (value.is_object() && !value.get_object().empty()) {
        write_object(value.get_object(), depth, out);
    } else {
        out += json::serialize(value);
    }
}

// Names from outside may be any bytes.
std::string in_one_line(const json::value& value) {
    return valid_utf8(json::serialize(value));
}

}  // namespace

std::string pretty(const json::value& value) {
    std::string out;
    write(value, 0, out);
    return valid_utf8(out);
}

void print_json(const Context& context, const json::value& value) {
    context.out << (context.json == JsonForm::pretty ? pretty(value) : in_one_line(value)) << '\n';
    context.out.flush();
}

void print_json_line(const Context& context, const json::value& value) {
    context.out << in_one_line(value) << '\n';
    context.out.flush();
}

}  // namespace stillboot::cli
