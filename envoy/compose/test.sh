#!/usr/bin/env bash
# Brings compose.yaml up under a name and on ports of its own, with images of what make has built, asks there what scenario rows ask, and takes everything
# down again: make compose-test
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() {
    echo "compose-test: skipped, $1"
    exit 0
}
timeout 20 docker version >/dev/null 2>&1 || skip "no container engine answers"
if docker compose version >/dev/null 2>&1; then
    compose() { docker compose "$@"; }
elif command -v docker-compose >/dev/null; then
    compose() { docker-compose "$@"; }
else
    skip "there is neither docker compose nor docker-compose"
fi

work=$(mktemp -d)
images=()
clean_up() {
    compose down --volumes --remove-orphans --timeout 2 >"$work/down" 2>&1 || cat "$work/down"
    [ ${#images[@]} = 0 ] || docker rmi "${images[@]}" >/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# An image FROM scratch: programs, and the C libraries that they are linked with.
image() {
    local name=$1 root=$work/$1 file library
    mkdir -p "$root/usr/local/bin" "$root/tmp" "$root/prometheus"
    chmod 1777 "$root/tmp" "$root/prometheus"
    for file in "${@:2}"; do
        cp "$file" "$root/usr/local/bin/"
        for library in $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*'); do
            mkdir -p "$root${library%/*}"
            cp -L "$library" "$root$library"
        done
    done
    printf 'FROM scratch\nCOPY . /\n' >"$work/Dockerfile"
    docker build --quiet --tag "$COMPOSE_PROJECT_NAME-$name" --file "$work/Dockerfile" "$root" >/dev/null 2>"$work/build" ||
        { cat "$work/build" >&2; exit 1; }
    images+=("$COMPOSE_PROJECT_NAME-$name")
}

export COMPOSE_FILE=envoy/compose.yaml COMPOSE_PROJECT_NAME=switchyard-test-$$ COMPOSE_PROFILES=
# Any port that is free.
export BOOKINFO_PORT='' KIM_PORT='' CATALOG_PORT='' HTTPBIN_PORT='' ADMIN_PORT='' READY_PORT='' PROMETHEUS_PORT=''
export CONCURRENCY=1 RULES=$work/rules COMPOSE_RULES=$work/rules
chmod 755 "$work"
mkdir "$RULES"

image switchyard "$ENVOY" target/debug/{switchyard,sample-services} target/wasm32-wasip1/release/switchyard.wasm
export SWITCHYARD_IMAGE=$COMPOSE_PROJECT_NAME-switchyard
rows=(containers:: k2_ k5_ k8_v1_ b3_ h1_)
if prometheus=$(command -v prometheus); then
    image prometheus "$prometheus"
    export PROMETHEUS_IMAGE=$COMPOSE_PROJECT_NAME-prometheus COMPOSE_PROFILES=prometheus
else
    echo "compose-test: without Prometheus, which is not installed"
    rows+=(--skip prometheus)
fi

warnings=$(compose config --quiet 2>&1) || true
[ -z "$warnings" ] || { echo "compose.yaml: $warnings"; exit 1; }
compose up --detach --no-build >"$work/up" 2>&1 || { cat "$work/up"; exit 1; }
cargo test --test e2e -- --include-ignored --test-threads 1 "${rows[@]}"
