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

PACKAGES="cargo rustc gcc gcc-aarch64-linux-gnu libc6-dev libc6-dev:arm64 libstd-rust-dev:arm64 qemu-user"
FOR_AARCH64="python3-minimal:arm64 python3-numpy:arm64"

make_root() {
    missing=
    for tool in debootstrap:debootstrap debian-archive-keyring:/usr/share/keyrings/debian-archive-keyring.gpg; do
        [ -e "${tool#*:}" ] || command -v "${tool#*:}" >/dev/null || missing="$missing ${tool%%:*}"
    done
    if [ -n "$missing" ]; then
        apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing
    fi
    # The first mirror of Debian's main archive, or debootstrap's own choice; and the machine's proxies.
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
    settings=$(apt-config dump Acquire | grep -E -i '::(Proxy|Check-Valid-Until|Verify-Peer)' || true)
    eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
    if [ -n "${http_proxy:-}" ]; then export http_proxy; fi
    if [ -n "${https_proxy:-}" ]; then export https_proxy; fi
    rm -rf "$1" && mkdir -p "$1"
    echo "making a Debian in $1; $1.log has what its installation says"
    exec >"$1.log" 2>&1
    debootstrap --variant=minbase --include=ca-certificates sid "$1" $mirror
    echo "$settings" >"$1/etc/apt/apt.conf.d/90machine"
    if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
        cp -L /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/"
    fi
    chroot "$1" dpkg --add-architecture arm64
    inside "$1" apt-get update -qq
    inside "$1" apt-get install -qq -y --no-install-recommends $PACKAGES
    # Python for aarch64 cannot run its own installation here, so it is unpacked only.
    inside "$1" apt-get install -qq -y --no-install-recommends --download-only $FOR_AARCH64
    # shellcheck disable=SC2016
    inside "$1" sh -euc 'for file in /var/cache/apt/archives/*.deb; do dpkg-deb --extract "$file" /python; done'
    inside "$1" apt-get clean
}

# Mounts end with the command, so that nothing but the root's own files is ever below it.
inside() {
    root=$1
    shift
    mkdir -p "$root/csvfeed" "$root/cargo"
    cargo=${CARGO_HOME:-$HOME/.cargo}
    # shellcheck disable=SC2016
    unshare --mount sh -euc '
        root=$1 cargo=$2
        shift 2
        mount --make-rprivate /
        mount --rbind /proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount --bind . "$root/csvfeed"
        [ ! -d "$cargo" ] || mount --bind "$cargo" "$root/cargo"
        for file in resolv.conf hosts; do
            [ ! -e "$root/etc/$file" ] || mount --bind "/etc/$file" "$root/etc/$file"
        done
        exec chroot "$root" env -i --chdir=/csvfeed "$@"
    ' sh "$root" "$cargo" \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        CARGO_HOME=/cargo CARGO_NET_OFFLINE=true CARGO_TARGET_DIR=/csvfeed/target/aarch64 \
        CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu \
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64 \
        CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc \
        PYO3_BUILD_EXTENSION_MODULE=1 PYO3_CROSS_PYTHON_VERSION=3.10 \
        ${CARGO_BUILD_JOBS+CARGO_BUILD_JOBS="$CARGO_BUILD_JOBS"} \
        ${CSVFEED_SWEEP+CSVFEED_SWEEP="$CSVFEED_SWEEP"} \
        ${PROPTEST_RNG_SEED+PROPTEST_RNG_SEED="$PROPTEST_RNG_SEED"} \
        ${PROPTEST_CASES+PROPTEST_CASES="$PROPTEST_CASES"} \
        "$@"
}

case ${1:-} in
make) make_root "$2" ;;
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
