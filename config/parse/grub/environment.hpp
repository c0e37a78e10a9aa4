// SPDX-License-Identifier: Apache-2.0
// GRUB's variables, with the means to take back whatever was done to them.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace stillboot::grub {

class Environment {
public:
    struct Limits {
        std::size_t variables = 10'000;
        std::size_t value_bytes = 64U << 10;
        std::size_t total_bytes = 16U << 20;
    };
    enum class Outcome : std::uint8_t { done, too_many, too_large };

    explicit Environment(const Limits& limits) : limits_(limits) {}

    /// The value, or an empty view. Lifetime: until the variable changes.
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] bool is_set(std::string_view name) const;
    Outcome set(std::string_view name, std::string_view value);
    void unset(std::string_view name);
    /// Seen in submenus and other configurations too. A variable need not have a value for that.
    void export_variable(std::string_view name);

    /// Whatever is done while one of these lives is undone with it. They end in the reverse order of their making.
    class Scope {
    public:
        explicit Scope(Environment& environment);
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        ~Scope();

    private:
        Environment& environment_;
        std::size_t journal_size_;
        std::uint64_t outer_;
    };
    /// As a new context begins: only what is exported stays.
    void hide_unexported();

private:
    struct Variable {
        std::string value;
        bool set = false;
        bool exported = false;
        std::uint64_t saved_in = 0;  ///< the scope that already holds the state before its own changes
    };
    struct Undo {
        Variable* variable;
        Variable before;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };

    [[nodiscard]] Variable* find(std::string_view name) const;
    Variable* find_or_make(std::string_view name);
    void remember(Variable& variable);

    Limits limits_;
    std::deque<Variable> variables_;  ///< never fewer, for the journal points to them
    boost::unordered_flat_map<std::string, Variable*, Hash, std::equal_to<>> by_name_;
    std::vector<Undo> journal_;
    std::uint64_t scope_ = 0;
    std::uint64_t last_scope_ = 0;
    std::size_t total_bytes_ = 0;
};

/// True for a name that `set` takes: letters, digits and '_', no digit first.
[[nodiscard]] bool is_variable_name(std::string_view name);

}  // namespace stillboot::grub
