"""The machine that stands in for a 1 GB board: a 64-bit Arm Linux in QEMU, with Arm wheels.

    python bench/estimate/machine.py FOLDER

needs debootstrap, dpkg-deb, mke2fs, cpio, qemu-system-aarch64 and about 3 GB in FOLDER. Resident
memory does not depend on the board but on the instruction set, the page size, the kernel's handling
of pages, the C library and the wheels: these are real. Times under emulation mean nothing.
"""

from __future__ import annotations

import compileall
import shutil
import subprocess
import sys
from pathlib import Path

SUITE = "bookworm"
PACKAGES = "python3,libstdc++6,libgomp1,linux-image-cloud-arm64,busybox-static"
MIRROR = "http://deb.debian.org/debian"
WHEELS = ("numpy==2.4.6", "onnxruntime==1.32.0", "ai-edge-litert==2.3.0", "torch==2.9.1")
NEEDED = (
    *("typing_extensions", "sympy", "mpmath", "networkx", "jinja2", "markupsafe"),
    *("fsspec", "filelock", "flatbuffers", "protobuf", "packaging", "psutil"),
)
"""What the wheels need. PyTorch's wheel of 2.10 ends with an illegal instruction on a Cortex-A53,
and later ones draw in CUDA on 64-bit Arm."""
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")
MODULES = (
    *("virtio/virtio", "virtio/virtio_ring", "virtio/virtio_mmio", "block/virtio_blk"),
    "char/hw_random/virtio-rng",
)
"""Of the kernel, in the order in which they load."""
INIT = """#!/bin/busybox sh
export PATH=/bin
busybox mount -t proc proc /proc; busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
for m in {modules}; do busybox insmod /$m.ko 2>/dev/null; done
busybox sleep 1
busybox mount -t ext4 -o ro,noatime /dev/vda /root || echo NO ROOT
busybox mount -t ext4 -o ro,noatime /dev/vdb /root/job || echo NO JOB
for d in proc sys dev; do busybox mount -o bind /$d /root/$d; done
busybox mount -t tmpfs tmp /root/tmp
echo "MACHINE $(busybox head -3 /proc/meminfo | busybox tr -s ' \\n' ' ')" \\
     "thp $(busybox cat /sys/kernel/mm/transparent_hugepage/enabled)" \\
     "kernel $(busybox uname -r)"
export PYTHONPATH=/opt/site PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
while read -r line; do
  echo "$line" | busybox chroot /root /usr/bin/python3 /job/probe.py || echo "DIED $line"
done < /root/job/cells
echo ALL DONE
busybox poweroff -f
"""


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True)


def build(folder: Path) -> None:
    """Make ``root.ext4``, ``vmlinuz`` and ``initrd`` in a folder; finished parts are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / "rootfs"
    if not (root / "boot").is_dir() or not any((root / "boot").glob("vmlinuz*")):
        run(
            *("debootstrap", "--foreign", "--arch=arm64", "--variant=minbase"),
            *(f"--include={PACKAGES}", SUITE, root, MIRROR),
        )
        for package in sorted((root / "var/cache/apt/archives").glob("*.deb")):
            tar = (
                f"dpkg-deb --fsys-tarfile '{package}' | tar -x --keep-directory-symlink -C '{root}'"
            )
            run("sh", "-c", tar)
    if (root / "proc").is_symlink():  # debootstrap leaves it, and it points at itself here
        (root / "proc").unlink()
    for name in ("proc", "sys", "dev", "tmp", "job", "opt/site"):
        (root / name).mkdir(parents=True, exist_ok=True)
    site = root / "opt/site"
    if not (site / "numpy").is_dir():
        platforms = [part for name in PLATFORMS for part in ("--platform", name)]
        target = ("--target", site, "--only-binary=:all:", "--python-version", "3.11")
        pip = (sys.executable, "-m", "pip", "install", "--no-deps", *target, *platforms)
        run(*pip, *WHEELS, *NEEDED)
    compileall.compile_dir(root / "usr/lib/python3.11", stripdir=root, quiet=2)
    _pack(folder, root)


def _pack(folder: Path, root: Path) -> None:
    """The disk, the kernel, and a first file system that loads the disk's driver."""
    (kernel,) = (root / "boot").glob("vmlinuz*")
    shutil.copy(kernel, folder / "vmlinuz")
    image = folder / "root.ext4"
    image.unlink(missing_ok=True)
    run("mke2fs", "-q", "-t", "ext4", "-O", "^metadata_csum", "-d", root, image, "3G")
    first = folder / "first"
    shutil.rmtree(first, ignore_errors=True)
    for name in ("bin", "proc", "sys", "dev", "root"):
        (first / name).mkdir(parents=True)
    shutil.copy(root / "bin/busybox", first / "bin/busybox")
    (drivers,) = (root / "lib/modules").glob("*/kernel/drivers")
    for module in MODULES:
        shutil.copy(drivers / f"{module}.ko", first)
    names = " ".join(Path(module).name for module in MODULES)
    (first / "init").write_text(INIT.format(modules=names), encoding="ascii")
    (first / "init").chmod(0o755)
    command = f"cd '{first}' && find . | cpio -o -H newc --quiet > '{folder.resolve()}/initrd'"
    run("sh", "-c", command)


def command(folder: Path, job: Path) -> list[str]:
    """How the machine is started; its console is standard output."""
    drives = [
        part
        for number, image in enumerate((folder / "root.ext4", job))
        for part in (
            *("-drive", f"if=none,format=raw,readonly=on,id=d{number},file={image}"),
            *("-device", f"virtio-blk-device,drive=d{number}"),
        )
    ]
    # virtio-mmio slots are filled from the last one: the kernel sees the second drive first.
    drives = drives[4:] + drives[:4]
    return [
        *("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53"),
        *(
            "-smp",
            "1",
            "-m",
            "1024",
            "-accel",
            "tcg,tb-size=512",
            "-nographic",
            "-no-reboot",
            "-nic",
            "none",
        ),
        *("-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd")),
        *("-device", "virtio-rng-device", *drives),
        *("-append", "console=ttyAMA0 quiet loglevel=2 panic=1 random.trust_bootloader=on"),
    ]


if __name__ == "__main__":
    build(Path(sys.argv[1]))
