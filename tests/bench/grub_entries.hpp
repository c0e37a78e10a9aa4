// SPDX-License-Identifier: Apache-2.0
// The two configurations by which the GRUB evaluator is measured.
#pragma once

#include <string>

namespace stillboot::test {

/// An entry with nothing but what it must have.
inline std::string minimal_grub_entry(int number) {
    const std::string n = std::to_string(number);
    return "menuentry 'Entry " + n + "' {\n\tlinux /boot/vmlinuz-" + n +
           " root=/dev/sda1 ro\n\tinitrd /boot/initrd-" + n + "\n}\n";
}

/// An entry as Ubuntu's 10_linux writes it, about 850 bytes.
inline std::string ubuntu_grub_entry(int number) {
    const std::string uuid = "7a1e3c52-94b0-4a3d-8c86-2f6f0b9d5e11";
    const std::string version = "5.15.0-" + std::to_string(number) + "-generic";
    return "menuentry 'Ubuntu, with Linux " + version +
           "' --class ubuntu --class gnu-linux --class gnu --class os $menuentry_id_option 'gnulinux-" + version +
           "-advanced-" + uuid +
           "' {\n"
           "\trecordfail\n"
           "\tload_video\n"
           "\tgfxmode $linux_gfx_mode\n"
           "\tinsmod gzio\n"
           "\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi\n"
           "\tinsmod part_gpt\n"
           "\tinsmod ext2\n"
           "\tset root='hd0,gpt2'\n"
           "\tif [ x$feature_platform_search_hint = xy ]; then\n"
           "\t  search --no-floppy --fs-uuid --set=root --hint-bios=hd0,gpt2 --hint-efi=hd0,gpt2 "
           "--hint-baremetal=ahci0,gpt2  " +
           uuid +
           "\n"
           "\telse\n"
           "\t  search --no-floppy --fs-uuid --set=root " +
           uuid +
           "\n"
           "\tfi\n"
           "\techo\t'Loading Linux " +
           version +
           " ...'\n"
           "\tlinux\t/boot/vmlinuz-" +
           version + " root=UUID=" + uuid + " ro  quiet splash $vt_handoff\n" +
           "\techo\t'Loading initial ramdisk ...'\n"
           "\tinitrd\t/boot/initrd.img-" +
           version + "\n}\n";
}

/// What Ubuntu's 00_header and 10_linux write before the entries.
inline std::string ubuntu_grub_header() {
    return "if [ -s $prefix/grubenv ]; then\n  set have_grubenv=true\n  load_env\nfi\n"
           "if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\n   set next_entry=\n"
           "   save_env next_entry\n   set boot_once=true\nelse\n   set default=\"0\"\nfi\n"
           "if [ x\"${feature_menuentry_id}\" = xy ]; then\n  menuentry_id_option=\"--id\"\nelse\n"
           "  menuentry_id_option=\"\"\nfi\nexport menuentry_id_option\n"
           "function recordfail {\n  set recordfail=1\n"
           "  if [ -n \"${have_grubenv}\" ]; then if [ -z \"${boot_once}\" ]; then save_env recordfail; fi; "
           "fi\n}\n"
           "function load_video {\n  if [ x$feature_all_video_module = xy ]; then\n    insmod all_video\n  else\n"
           "    insmod efi_gop\n    insmod efi_uga\n  fi\n}\n"
           "set timeout_style=menu\nset timeout=5\n"
           "function gfxmode {\n\tset gfxpayload=\"${1}\"\n\tif [ \"${1}\" = \"keep\" ]; then\n"
           "\t\tset vt_handoff=vt.handoff=7\n\telse\n\t\tset vt_handoff=\n\tfi\n}\n"
           "if [ \"${recordfail}\" != 1 ]; then\n  set linux_gfx_mode=keep\nelse\n  set linux_gfx_mode=text\nfi\n"
           "export linux_gfx_mode\n";
}

inline std::string grub_configuration(int entries, bool ubuntu) {
    std::string text = ubuntu ? ubuntu_grub_header() : "set timeout=5\n";
    for (int number = 0; number < entries; ++number) {
        text += ubuntu ? ubuntu_grub_entry(number) : minimal_grub_entry(number);
    }
    return text;
}

}  // namespace stillboot::test
