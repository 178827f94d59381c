# What scripts/test, scripts/demo and scripts/bench share. Sourced by bash, from the root of the source tree.

sources=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# build PRESET: configures and builds.
build() {
    local launcher=()
    command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    cmake --preset "$1" -DBUILD_TESTING=ON "${launcher[@]}" >/dev/null
    cmake --build --preset "$1"
}

# What rootless podman and the SSH endpoint need of the host; all of it is harmless where it is there already.
prepare_host() {
    [ -c /dev/net/tun ] && chmod 666 /dev/net/tun # slirp4netns opens it as the user
    id pgod >/dev/null 2>&1 ||
        useradd --system --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin pgod
}

# make_user NAME: an ordinary user for whom rootless podman works, on a host with or without systemd.
make_user() {
    useradd --create-home --shell /bin/bash "$1"
    local uid home=/home/$1
    uid=$(id -u "$1")
    install -d -m 700 -o "$1" -g "$1" "/run/user/$uid"
    install -d -o "$1" -g "$1" "$home/.config" "$home/.config/containers"
    # crun refuses hybrid cgroups; runc, where it is installed, takes every layout.
    {
        printf '[engine]\ncgroup_manager = "cgroupfs"\n'
        ! command -v runc >/dev/null || echo 'runtime = "runc"'
    } >"$home/.config/containers/containers.conf"
    chown "$1:$1" "$home/.config/containers/containers.conf"
}

# remove_user NAME: with its containers, processes, files and runtime directory.
remove_user() {
    local uid
    uid=$(id -u "$1" 2>/dev/null) || return 0
    setpriv --reuid "$1" --regid "$1" --clear-groups env -i HOME="/home/$1" PATH=/usr/bin:/bin \
        XDG_RUNTIME_DIR="/run/user/$uid" timeout 120 podman system reset -f >/dev/null 2>&1
    # Not pkill: in containers of the machine, others may have the same number.
    PYTHONPATH=$sources/tests/system python3 -B -c \
        'import sys, harness; harness.end_processes_of(int(sys.argv[1]))' "$uid"
    userdel -r "$1" >/dev/null 2>&1
    rm -rf "/run/user/$uid"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_for WHAT COMMAND…: until the command succeeds; fails after three minutes.
wait_for() {
    local what=$1 end=$((SECONDS + 180))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "waited three minutes in vain for $what" >&2; return 1; }
        sleep 0.1
    done
}
