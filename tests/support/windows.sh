#!/bin/sh
# Builds csvfeed for Windows and runs the core's tests under Wine, in a Debian of its own. "make test-windows" calls this.
#
#   windows.sh make ROOT            makes that Debian in the folder ROOT: MinGW, Rust with its library for Windows, and
#                                   Wine (4 GB)
#   windows.sh run ROOT COMMAND...  runs a command there, with this checkout as the working directory
#
# Both need the rights of root, and "make" a Debian or Ubuntu. Debian's packages come from where this machine has its
# own, crates from what "cargo fetch" has put into this machine's CARGO_HOME.
set -eu

. "$(dirname "$0")/debian.sh"

TARGET=x86_64-pc-windows-gnu
FOR_TARGET="CARGO_TARGET_DIR=/csvfeed/target/windows CARGO_BUILD_TARGET=$TARGET
    CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
    CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine
    WINEDEBUG=-all WINEPREFIX=/wine XDG_RUNTIME_DIR=/tmp CSVFEED_WINE=1"

case ${1:-} in
make)
    make_root "$2" "" "cargo rustc rust-src gcc libc6-dev gcc-mingw-w64-x86-64-win32 wine64 wine"
    # Debian has the source of Rust's standard library for Windows and what it depends on, but no build of it.
    # shellcheck disable=SC2016
    inside "$2" RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zforce-unstable-if-unmarked CARGO_HOME=/std sh -euc '
        library=$(echo /usr/src/rustc-*/library) into=$(rustc --print sysroot)/lib/rustlib/$1/lib
        mkdir -p "$into"
        cd "$library"
        cargo build --release --manifest-path sysroot/Cargo.toml --features panic-unwind --target-dir /std
        cp /std/"$1"/release/deps/*.rlib "$into"
        for part in rsbegin rsend; do
            rustc --target "$1" -C panic=abort --emit=obj -o "$into/$part.o" rtstartup/$part.rs
        done
        rm -rf /std
    ' sh $TARGET
    inside "$2" wineboot --init
    inside "$2" apt-get clean
    ;;
run)
    shift
    inside "$@"
    ;;
*)
    sed -n '2,10s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
