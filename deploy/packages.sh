# packages.sh - the Debian packages Muster needs, each with its reason; sourced by deploy/up and
# tests/run. install_packages installs what is missing and says why.

package_reason() {
    case $1 in
    gcc | libc6-dev) echo "the C compiler" ;;
    cmake | ninja-build | pkg-config) echo "the build" ;;
    protobuf-c-compiler) echo "turns proto/ into C" ;;
    libprotobuf-c-dev) echo "the messages" ;;
    libnng-dev) echo "request/reply and publish/subscribe" ;;
    libhiredis-dev) echo "talks to Redis" ;;
    libwebsockets-dev) echo "WebSocket and HTTP for game clients" ;;
    libwebsockets-evlib-ev | libev-dev) echo "its event loop, for many players" ;;
    libjansson-dev) echo "JSON" ;;
    libxxhash-dev) echo "hashing" ;;
    libmicrohttpd-dev) echo "the operators' pages, /metrics" ;;
    libssl-dev) echo "TLS for game clients" ;;
    libcap-dev) echo "headers libwebsockets' own headers need" ;;
    redis-server) echo "holds the journal" ;;
    libcmocka-dev) echo "unit tests" ;;
    prometheus) echo "checks metrics and alert rules, scrapes in tests" ;;
    clang-14 | libclang-rt-14-dev) echo "fuzz targets" ;;
    python3 | python3-venv) echo "test drivers, python-socketio" ;;
    openssl) echo "makes certificates for the tests of TLS" ;;
    chromium) echo "a real browser" ;;
    systemd) echo "systemd-analyze judges the unit" ;;
    nodejs | npm) echo "the official Socket.IO client" ;;
    *) echo "needed" ;;
    esac
}

build_packages="gcc libc6-dev cmake ninja-build pkg-config protobuf-c-compiler libprotobuf-c-dev
    libnng-dev libhiredis-dev libwebsockets-dev libev-dev libssl-dev libcap-dev libjansson-dev
    libxxhash-dev libmicrohttpd-dev"
run_packages="redis-server libwebsockets-evlib-ev"
# what a machine needs that only runs a binary built elsewhere
runtime_packages="$run_packages libprotobuf-c1 libnng1 libhiredis0.14 libwebsockets17 libev4 libcap2
    libssl3 libjansson4 libxxhash0 libmicrohttpd12"

# install_packages NAME...: with apt-get, as root or through sudo. Tools that are on the PATH
# already, from wherever, count as installed.
install_packages() {
    missing=''
    for package in "$@"; do
        case $package in
        nodejs) command -v node >/dev/null && continue ;;
        npm | gcc | cmake | python3 | redis-server) command -v "$package" >/dev/null && continue ;;
        esac
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "installing Debian packages:"
    for package in $missing; do
        echo "  $package ($(package_reason "$package"))"
    done
    as_root=''
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "not root and no sudo: run  apt-get install$missing  as root, then again" >&2
            exit 1
        }
        as_root=sudo
    fi
    log=$(mktemp)
    { $as_root apt-get update -qq &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends $missing; } >"$log" 2>&1 || {
        cat "$log" >&2
        echo "installing$missing failed" >&2
        exit 1
    }
    rm -f "$log"
}
