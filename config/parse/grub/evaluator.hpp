// SPDX-License-Identifier: Apache-2.0
// Executes the tree of a GRUB script: flow, expansion, commands, menus.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/parse/grub/arena.hpp"
#include "config/parse/grub/diagnostics.hpp"
#include "config/parse/grub/environment.hpp"
#include "config/parse/grub/grub.hpp"
#include "config/parse/grub/menu.hpp"
#include "config/parse/grub/parser.hpp"
#include "config/parse/grub/script.hpp"
#include "config/parse/grub/syntax.hpp"

namespace stillboot::grub {

/// What GRUB leaves in $? (its error numbers; scripts ask only for 0 or not 0).
namespace status {
inline constexpr int ok = 0;
inline constexpr int failed = 1;
inline constexpr int no_device = 5;
inline constexpr int no_file = 7;
inline constexpr int bad_argument = 18;
}  // namespace status

using Arguments = std::span<const std::string_view>;

/// A command about to run: its words after expansion and the place where it stands.
struct Call {
    Arguments arguments;  ///< the name of the command first
    const Node& node;
    const Script& script;
};

/// One evaluation. Its commands are member functions, spread over the files command_*.cpp by what they are about.
class Evaluator {
public:
    Evaluator(FileSource& source, const GrubOptions& options);
    GrubResult run(std::string_view path);

private:
    using Handler = int (Evaluator::*)(const Call&);
    enum class Flow : std::uint8_t { go_on, break_loop, continue_loop, return_function, stop };

    struct Function {
        const Script* script = nullptr;
        Range range;
        const Node* body = nullptr;
    };
    /// Positional parameters; `shift` moves their start.
    struct Parameters {
        Arguments arguments;
    };
    /// What the commands of one entry have loaded by its end.
    struct Loaded {
        bool kernel = false;
        BootOption option;
        std::string_view other;  ///< the command that loaded something that is not Linux
        bool explained = false;  ///< a diagnostic has said why there is no kernel
        bool menu = false;       ///< the entry opened a menu of its own
        bool is_default = false;
    };
    struct OpenFile {
        DeviceRef device;
        std::string path;
        std::string url;
    };

    // evaluator.cpp: flow
    void run_script(const Script& script, Range range);
    void run_list(const Script& script, const Node* first);
    void run_node(const Script& script, const Node& node);
    static std::string_view block_text(const Script& script, const Node& node);
    void run_simple(const Script& script, const Node& node);
    void run_if(const Script& script, const Node& node);
    void run_for(const Script& script, const Node& node);
    void run_loop(const Script& script, const Node& node);
    bool loop_goes_on();
    bool run_round(const Script& script, const Node* body, std::uint32_t round, const Node& node);
    void define_function(const Script& script, const Node& node);
    void call_function(const Call& call, Function function);
    int call_command(const Call& call);
    bool count_step(const Script& script, const Node& node);
    void give_up(const Script& script, std::uint32_t offset, Message message);

    // expand.cpp
    Arguments expand(const Script& script, std::span<const Word> words, std::string_view block = {});
    void expand_word(const Script& script, const Word& word);
    void append(std::string_view text);
    void append_split(std::string_view text);
    void append_variable(const Part& part);
    void end_word();
    bool expand_glob(const Script& script, const Word& word);
    std::string glob_pattern(const Word& word) const;
    std::string_view variable(std::string_view name, std::string& space) const;
    int set_variable(const Call& call, std::string_view name, std::string_view value);

    // command table
    static const boost::unordered_flat_map<std::string_view, Handler>& commands();
    [[nodiscard]] static Handler find_command(std::string_view name);

    // command_script.cpp: variables, functions, flow
    int do_assignment(const Call& call);
    int do_set(const Call& call);
    int do_unset(const Call& call);
    int do_export(const Call& call);
    int do_break(const Call& call);
    int do_continue(const Call& call);
    int do_return(const Call& call);
    int do_shift(const Call& call);
    int do_setparams(const Call& call);
    int do_eval(const Call& call);
    int do_echo(const Call& call);
    int do_true(const Call& call);
    int do_false(const Call& call);
    int do_test(const Call& call);
    int do_regexp(const Call& call);
    int do_unknowable(const Call& call);
    int do_read(const Call& call);
    int do_cpuid(const Call& call);
    int leave_flow(const Call& call, Flow flow);

    // command_file.cpp: files and devices
    int do_source(const Call& call);
    int do_configfile(const Call& call);
    int do_normal(const Call& call);
    int do_load_env(const Call& call);
    int do_save_env(const Call& call);
    int do_search(const Call& call);
    int do_probe(const Call& call);
    int do_cat(const Call& call);
    int do_ls(const Call& call);
    int search_for(const Call& call, std::string_view kind, std::string_view what, std::string_view variable);
    std::optional<OpenFile> open_file(const Call& call, std::string_view name);
    std::optional<DeviceRef> device_named(std::string_view name) const;
    DeviceRef reference(DeviceRef::Kind kind, std::string_view value) const;
    bool present(const DeviceRef& device);
    const Script* read_script(const Call* call, const DeviceRef& device, std::string_view path);
    void open_menu(const Call& call, const DeviceRef& device, const std::string& path);
    void remember_write(const Call& call, GrubWrite write);

    // command_boot.cpp: what an entry boots
    int do_linux(const Call& call);
    int do_initrd(const Call& call);
    int do_devicetree(const Call& call);
    int do_other_loader(const Call& call);
    int do_boot(const Call& call);
    int do_power(const Call& call);
    bool fill_resource(const Call& call, std::string_view name, Resource& resource);

    // command_menu.cpp: what the menu offers
    int do_menuentry(const Call& call);
    int do_blscfg(const Call& call);
    void add_bls_entries(const Call& call, std::vector<BootOption> options);
    std::string expand_text(std::string_view text);

    // menu.cpp: entries become options
    void finish_menu(Menu& menu, bool is_default, const Script& script);
    void record_menu_settings();
    void finish_submenu(const MenuItem& item, bool is_default, std::string_view rest);
    void finish_entry(const MenuItem& item, bool is_default);
    std::string choose(const MenuItem& item);
    void explain_missing(const MenuItem& item, const Loaded& loaded);
    void explain_protected(const MenuItem& item);
    void add_option(const MenuItem& item, BootOption&& option, bool is_default);
    std::string unique_name(const MenuItem& item);

    void report(Severity severity, const Call& call, Message message);
    void print(std::string_view text);

    FileSource& source_;
    GrubOptions options_;
    GrubLimits limits_;
    Diagnostics diagnostics_;
    Environment environment_;
    Arena scratch_;    ///< trees and words of what runs now
    Arena permanent_;  ///< function bodies, menu items
    std::deque<Script> scripts_;
    boost::unordered_flat_map<std::string_view, Function> functions_;
    std::vector<BootOption> ready_;  ///< of entries that another parser read
    boost::unordered_flat_map<std::string, bool> present_;
    boost::unordered_flat_map<std::string_view, std::uint32_t> names_;  ///< of options, in the permanent arena

    std::string word_;  ///< the argument that expansion is building
    bool word_exists_ = false;
    std::vector<std::string_view> arguments_;

    Menu* menu_ = nullptr;      ///< where menuentry adds
    Loaded* loaded_ = nullptr;  ///< where linux and its like load
    Parameters* parameters_ = nullptr;
    std::vector<std::string> submenus_;
    std::string chosen_;              ///< ids or titles of the submenus around us and of the entry that runs
    bool default_is_inside_ = false;  ///< a configuration that this one opened holds the default
    bool protected_ = false;          ///< a password stands before the menu item at hand

    Flow flow_ = Flow::go_on;
    std::uint32_t flow_count_ = 0;
    int status_ = 0;
    bool in_function_ = false;
    std::uint32_t loops_ = 0;  ///< around us, in this function
    std::uint32_t calls_ = 0;
    std::uint32_t depth_ = 0;  ///< of files, evaluated strings and submenus
    std::uint32_t nesting_ = 0;
    std::uint64_t steps_ = 0;
    std::size_t source_bytes_ = 0;
    std::size_t expansion_bytes_ = 0;
    std::size_t output_bytes_ = 0;
    std::size_t entries_ = 0;
    GrubResult result_;
};

}  // namespace stillboot::grub
