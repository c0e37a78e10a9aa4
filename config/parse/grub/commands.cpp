// SPDX-License-Identifier: Apache-2.0
// The table of commands.
#include "config/parse/grub/evaluator.hpp"

namespace stillboot::grub {

const boost::unordered_flat_map<std::string_view, Evaluator::Handler>& Evaluator::commands() {
    static const boost::unordered_flat_map<std::string_view, Handler> table = [] {
        boost::unordered_flat_map<std::string_view, Handler> all{
            {"set", &Evaluator::do_set},
            {"unset", &Evaluator::do_unset},
            {"export", &Evaluator::do_export},
            {"break", &Evaluator::do_break},
            {"continue", &Evaluator::do_continue},
            {"return", &Evaluator::do_return},
            {"shift", &Evaluator::do_shift},
            {"setparams", &Evaluator::do_setparams},
            {"eval", &Evaluator::do_eval},
            {"echo", &Evaluator::do_echo},
            {"true", &Evaluator::do_true},
            {"false", &Evaluator::do_false},
            {"test", &Evaluator::do_test},
            {"[", &Evaluator::do_test},
            {"regexp", &Evaluator::do_regexp},
            {"read", &Evaluator::do_read},
            {"cpuid", &Evaluator::do_cpuid},
            {"source", &Evaluator::do_source},
            {".", &Evaluator::do_source},
            {"extract_entries_source", &Evaluator::do_source},
            {"configfile", &Evaluator::do_configfile},
            {"extract_entries_configfile", &Evaluator::do_configfile},
            {"normal", &Evaluator::do_normal},
            {"load_env", &Evaluator::do_load_env},
            {"save_env", &Evaluator::do_save_env},
            {"search", &Evaluator::do_search},
            {"search.file", &Evaluator::do_search},
            {"search.fs_uuid", &Evaluator::do_search},
            {"search.fs_label", &Evaluator::do_search},
            {"probe", &Evaluator::do_probe},
            {"cat", &Evaluator::do_cat},
            {"ls", &Evaluator::do_ls},
            {"devicetree", &Evaluator::do_devicetree},
            {"boot", &Evaluator::do_boot},
            {"menuentry", &Evaluator::do_menuentry},
            {"submenu", &Evaluator::do_menuentry},
            {"blscfg", &Evaluator::do_blscfg},
        };
        // Whatever loads something that is not a Linux kernel.
        for (const char* name : {"chainloader",
                                 "multiboot",
                                 "multiboot2",
                                 "module",
                                 "module2",
                                 "xen_hypervisor",
                                 "xen_linux",
                                 "xen_module",
                                 "xen_initrd",
                                 "ntldr",
                                 "freedos",
                                 "plan9",
                                 "truecrypt",
                                 "kfreebsd",
                                 "knetbsd",
                                 "kopenbsd",
                                 "xnu_kernel",
                                 "xnu_kernel64",
                                 "appleloader",
                                 "legacy_kernel",
                                 "uki",
                                 "legacy_configfile",
                                 "syslinux_configfile",
                                 "pxechainloader"}) {
            all.emplace(name, &Evaluator::do_other_loader);
        }
        for (const char* name : {"halt", "reboot", "exit", "fwsetup", "normal_exit"}) {
            all.emplace(name, &Evaluator::do_power);
        }
        for (const char* name : {"hashsum",      "md5sum",    "sha1sum",     "sha256sum",       "sha512sum",
                                 "crc",          "keystatus", "cmostest",    "verify_detached", "cryptomount",
                                 "authenticate", "mdraid",    "hwmatch",     "loopback",        "testspeed",
                                 "cmp",          "file",      "lsefisystab", "net_bootp",       "net_dhcp"}) {
            all.emplace(name, &Evaluator::do_unknowable);
        }
        // Screens, sounds, modules and the like have no bearing on what can be booted. A name that is no command
        // of GRUB's does not belong here: a script may have a function of that name, as Ubuntu's gfxmode is.
        for (const char* name : {"insmod",
                                 "rmmod",
                                 "lsmod",
                                 "terminal_input",
                                 "terminal_output",
                                 "terminal",
                                 "terminfo",
                                 "serial",
                                 "loadfont",
                                 "lsfonts",
                                 "background_image",
                                 "background_color",
                                 "play",
                                 "sleep",
                                 "videoinfo",
                                 "videotest",
                                 "clear",
                                 "help",
                                 "date",
                                 "password",
                                 "password_pbkdf2",
                                 "acpi",
                                 "drivemap",
                                 "parttool",
                                 "hdparm",
                                 "hexdump",
                                 "pcidump",
                                 "lspci",
                                 "setpci",
                                 "cutmem",
                                 "badram",
                                 "keymap",
                                 "gettext",
                                 "trust",
                                 "distrust",
                                 "list_trusted",
                                 "list_env",
                                 "nativedisk",
                                 "net_add_addr",
                                 "net_add_route",
                                 "net_add_dns",
                                 "net_ls_addr",
                                 "net_nslookup",
                                 "lsacpi",
                                 "lsmmap",
                                 "lsapm",
                                 "cbmemc",
                                 "time",
                                 "outb",
                                 "outw",
                                 "outl",
                                 "inb",
                                 "inw",
                                 "inl",
                                 "write_byte",
                                 "write_word",
                                 "write_dword",
                                 "read_byte",
                                 "read_word",
                                 "read_dword",
                                 "increment",
                                 "decrement",
                                 "vbeinfo",
                                 "vbetest",
                                 "version",
                                 "smbios",
                                 "cmosclean",
                                 "cmosset",
                                 "cmosdump",
                                 "getenv",
                                 "gptsync",
                                 "xnu_splash",
                                 "efitextmode",
                                 "rdmsr",
                                 "wrmsr"}) {
            all.emplace(name, &Evaluator::do_true);
        }
        return all;
    }();
    return table;
}

// linux16, linuxefi, linux_bls, initrd16, initrdefi: distributions' own names for the same two commands.
Evaluator::Handler Evaluator::find_command(std::string_view name) {
    const auto& table = commands();
    if (const auto found = table.find(name); found != table.end()) {
        return found->second;
    }
    if (name.substr(0, 5) == "linux" && name.find('=') == name.npos) {
        return &Evaluator::do_linux;
    }
    if (name.substr(0, 6) == "initrd" && name.find('=') == name.npos) {
        return &Evaluator::do_initrd;
    }
    return nullptr;
}

}  // namespace stillboot::grub
