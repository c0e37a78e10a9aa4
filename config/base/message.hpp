// SPDX-License-Identifier: Apache-2.0
// What went wrong or is worth saying: a code with named parameters, made a sentence only at the edge.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stillboot {

/// A code of the catalogue with its parameters, such as
/// `Message("kexec.image_truncated", {{"path", path}, {"missing_bytes", 4096}})`.
/// Codes read `room.what_happened`; each stands in `config/base/catalogue/<room>.inc`, which a test checks.
class Message {
public:
    struct Param {
        Param(std::string_view param_name, std::string_view text) : name(param_name), value(text) {}
        Param(std::string_view param_name, const char* text) : name(param_name), value(text) {}
        Param(std::string_view param_name, const std::string& text) : name(param_name), value(text) {}
        Param(std::string_view param_name, std::int64_t number)
            : name(param_name), value(std::to_string(number)) {}
        Param(std::string_view param_name, std::uint64_t number)
            : name(param_name), value(std::to_string(number)) {}
        Param(std::string_view param_name, int number) : Param(param_name, std::int64_t{number}) {}
        Param(std::string_view param_name, unsigned number) : Param(param_name, std::uint64_t{number}) {}

        bool operator==(const Param&) const = default;

        std::string name;
        std::string value;
    };

    Message() = default;
    explicit Message(std::string_view code, std::initializer_list<Param> params = {})
        : code_(code), params_(params) {}
    Message(std::string code, std::vector<Param> params) : code_(std::move(code)), params_(std::move(params)) {}

    [[nodiscard]] const std::string& code() const { return code_; }
    [[nodiscard]] const std::vector<Param>& params() const { return params_; }
    /// The value of a parameter, or an empty view where there is none.
    [[nodiscard]] std::string_view param(std::string_view name) const;
    /// The same message with one more parameter.
    [[nodiscard]] Message with(Param param) const;
    /// The sentence a person reads, from the catalogue. A code that is not in it reads as itself with its
    /// parameters, so that a message of a newer peer still says something.
    [[nodiscard]] std::string sentence() const;

    bool operator==(const Message&) const = default;

private:
    std::string code_;
    std::vector<Param> params_;
};

/// The template of a code, with `{name}` for parameters, or an empty view. Lifetime: static.
[[nodiscard]] std::string_view catalogue_template(std::string_view code);

/// The words for an errno, as strerror gives them, with its symbolic name: "EPERM (Operation not permitted)".
[[nodiscard]] std::string errno_words(int error_number);

}  // namespace stillboot
