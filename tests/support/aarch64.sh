#!/bin/sh
# Builds csvfeed for aarch64 and runs it on this machine, in a Debian of its own. "make test-aarch64" calls this.
#
#   aarch64.sh make ROOT            makes that Debian in the folder ROOT: cross compiler, Rust and qemu (3 GB)
#   aarch64.sh run ROOT COMMAND...  runs a command there, with this checkout as the working directory
#   aarch64.sh python ROOT CODE     runs Python code there, with the extension that "cargo build" has put into $PROFILE
#
# Both need the rights of root, and "make" a Debian or Ubuntu. Debian's packages come from where this machine has its
# own, crates from what "cargo fetch" has put into this machine's CARGO_HOME.
set -eu

. "$(dirname "$0")/debian.sh"

PACKAGES="cargo rustc gcc gcc-aarch64-linux-gnu libc6-dev libc6-dev:arm64 libstd-rust-dev:arm64 qemu-user"
FOR_AARCH64="python3-minimal:arm64 python3-numpy:arm64"
FOR_TARGET="CARGO_TARGET_DIR=/csvfeed/target/aarch64 CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64
    CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc"

case ${1:-} in
make)
    make_root "$2" arm64 "$PACKAGES"
    # Python for aarch64 cannot run its own installation here, so it is unpacked only.
    inside "$2" apt-get install -qq -y --no-install-recommends --download-only $FOR_AARCH64
    # shellcheck disable=SC2016
    inside "$2" sh -euc 'for file in /var/cache/apt/archives/*.deb; do dpkg-deb --extract "$file" /python; done'
    inside "$2" apt-get clean
    ;;
run)
    shift
    inside "$@"
    ;;
python)
    # shellcheck disable=SC2016
    inside "$2" PROFILE="${PROFILE:-release}" sh -euc '
        built=target/aarch64/aarch64-unknown-linux-gnu/$PROFILE package=target/aarch64/package
        rm -rf $package && mkdir -p $package && cp -r python/csvfeed $package && rm -f $package/csvfeed/*.so
        cp $built/lib_core.so $package/csvfeed/_core.abi3.so
        mkdir $package/csvfeed-0.dist-info
        printf "Name: csvfeed\\nVersion: 0\\n" >$package/csvfeed-0.dist-info/METADATA
        libraries=/python/usr/lib/aarch64-linux-gnu
        export LD_LIBRARY_PATH=$libraries:$libraries/blas:$libraries/lapack PYTHONPATH=$package PYTHONDONTWRITEBYTECODE=1
        exec qemu-aarch64 /python/usr/bin/python3 -W ignore -c "$1"
    ' sh "$3"
    ;;
*)
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
