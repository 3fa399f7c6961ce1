# Read by the scripts that build csvfeed for another system in a Debian of its own.

# make_root ROOT ARCHITECTURE PACKAGES makes a Debian in the folder ROOT and installs packages there. It knows those of a
# further architecture, unless that is empty.
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
    if [ -n "$2" ]; then chroot "$1" dpkg --add-architecture "$2"; fi
    inside "$1" apt-get update -qq
    inside "$1" apt-get install -qq -y --no-install-recommends $3
}

# inside ROOT COMMAND... runs a command there, with this checkout as the working directory. FOR_TARGET says what its
# environment has for the system that it builds for. Mounts end with the command, so that nothing but the root's own files
# is ever below it.
inside() {
    root=$1
    shift
    mkdir -p "$root/csvfeed" "$root/cargo"
    cargo=${CARGO_HOME:-$HOME/.cargo}
    # shellcheck disable=SC2016,SC2086
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
        CARGO_HOME=/cargo CARGO_NET_OFFLINE=true $FOR_TARGET \
        PYO3_BUILD_EXTENSION_MODULE=1 PYO3_CROSS_PYTHON_VERSION=3.10 \
        ${CARGO_BUILD_JOBS+CARGO_BUILD_JOBS="$CARGO_BUILD_JOBS"} \
        ${CSVFEED_SWEEP+CSVFEED_SWEEP="$CSVFEED_SWEEP"} \
        ${PROPTEST_RNG_SEED+PROPTEST_RNG_SEED="$PROPTEST_RNG_SEED"} \
        ${PROPTEST_CASES+PROPTEST_CASES="$PROPTEST_CASES"} \
        "$@"
}
