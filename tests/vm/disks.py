# SPDX-License-Identifier: Apache-2.0
"""Disk images made from files, without root and without loop devices."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import uuid as uuids

MIB = 1024 * 1024
LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
ENVIRONMENT = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}


def run(*command, **options):
    """Runs a program; its output is shown when it fails."""
    done = subprocess.run([str(word) for word in command], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command} failed: {done.stdout.decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


def digest(image):
    """Of every byte of an image: read it while no machine writes."""
    with open(image, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def new_uuid():
    return str(uuids.uuid4())


def tree(directory, files):
    """Makes a directory tree. files: path -> str, bytes, or a pathlib.Path to copy."""
    directory = pathlib.Path(directory)
    for name, content in files.items():
        path = directory / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pathlib.Path):
            shutil.copyfile(content, path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def empty(image, size_mib):
    image = pathlib.Path(image)
    image.unlink(missing_ok=True)
    with open(image, "wb") as file:
        file.truncate(int(size_mib * MIB))
    return image


def size_for(directory, spare_mib):
    used = sum(path.stat().st_size for path in pathlib.Path(directory).rglob("*") if path.is_file())
    return used // MIB + spare_mib


def ext4(image, directory, uuid=None, label="", size_mib=None, options=()):
    empty(image, size_mib or size_for(directory, 24))
    run("mke2fs", "-q", "-F", "-t", "ext4", "-U", uuid or new_uuid(), "-L", label, "-d", directory, *options, image)
    return pathlib.Path(image)


def vfat(image, directory, serial="12345678", label="BOOT", size_mib=None):
    empty(image, size_mib or size_for(directory, 40))
    run("mkfs.vfat", "-i", serial, "-n", label, image)
    names = sorted(pathlib.Path(directory).iterdir())
    if names:
        run("mcopy", "-s", "-Q", "-i", image, *names, "::/")
    return pathlib.Path(image)


def xfs(image, directory, uuid=None, label="", size_mib=None):
    """Directories and files alone; names without spaces (mkfs.xfs reads a prototype file)."""
    directory = pathlib.Path(directory)
    lines = ["/", "0 0", "d--755 0 0"]

    def describe(folder):
        for path in sorted(folder.iterdir()):
            if path.is_dir():
                lines.append(f"{path.name} d--755 0 0")
                describe(path)
            else:
                lines.append(f"{path.name} ---644 0 0 {path}")
        lines.append("$")

    describe(directory)
    prototype = pathlib.Path(str(image) + ".proto")
    prototype.write_text("\n".join(lines) + "\n")
    empty(image, max(size_mib or 0, 320))  # mkfs.xfs refuses smaller ones
    run("mkfs.xfs", "-q", "-f", "-m", f"uuid={uuid or new_uuid()}", *(["-L", label] if label else []),
        "-p", prototype, image)
    return pathlib.Path(image)


def btrfs(image, directory, uuid=None, label="", size_mib=None):
    empty(image, max(size_mib or 0, size_for(directory, 160)))
    run("mkfs.btrfs", "-q", "-U", uuid or new_uuid(), *(["-L", label] if label else []), "--rootdir", directory, image)
    return pathlib.Path(image)


def f2fs(image, directory, label="", size_mib=None):
    empty(image, max(size_mib or 0, size_for(directory, 120)))
    run("mkfs.f2fs", "-q", "-f", *(["-l", label] if label else []), image)
    run("sload.f2fs", "-f", directory, image)
    return pathlib.Path(image)


def iso9660(image, directory, label="CDROM"):
    run("xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", "-V", label, "-o", image, directory)
    return pathlib.Path(image)


def squashfs(image, directory):
    pathlib.Path(image).unlink(missing_ok=True)
    run("mksquashfs", directory, image, "-quiet", "-no-progress", "-comp", "zstd", "-all-root")
    return pathlib.Path(image)


def gpt(image, partitions, disk_id=None):
    """A disk with a GUID partition table. partitions: (image of a file system, type, name)."""
    table = ["label: gpt"] + ([f"label-id: {disk_id}"] if disk_id else [])
    place = 1
    for part, kind, name in partitions:
        size = -(-pathlib.Path(part).stat().st_size // MIB)
        table.append(f"start={place}MiB, size={size}MiB, type={kind}, name={name}")
        place += size
    empty(image, place + 1)
    done = subprocess.run(["sfdisk", "-q", "--no-reread", "--no-tell-kernel", str(image)], env=ENVIRONMENT,
                          input="\n".join(table).encode() + b"\n", capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"sfdisk failed: {done.stderr.decode(errors='replace')}")
    place = 1
    for part, _, _ in partitions:
        run("dd", f"if={part}", f"of={image}", "bs=1M", f"seek={place}", "conv=notrunc,sparse", "status=none")
        place += -(-pathlib.Path(part).stat().st_size // MIB)
    return pathlib.Path(image)


def cpio(archive, directory):
    """An initramfs, uncompressed, all files owned by root."""
    directory = pathlib.Path(directory)
    names = "".join(f"{path.relative_to(directory)}\n" for path in sorted(directory.rglob("*")))
    with open(archive, "wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], input=names.encode(), cwd=directory,
                       stdout=out, check=True)
    return pathlib.Path(archive)
