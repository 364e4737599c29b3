#!/bin/sh
# install.sh PYTHON NAME [cpu]: the versions of NAME.lock into the environment of PYTHON; where these
# do not fit this Python or this platform, the newest ones in the ranges of NAME.txt. With "cpu",
# PyTorch comes from its own index without the GPU packages. The Makefile and the images use it.
set -eu
python=$1 name=$2 kind=${3:-}
pip() { "$python" -m pip install --disable-pip-version-check "$@"; }

skipped='^$'
if [ "$kind" = cpu ]; then
    skipped='^(cuda-|nvidia-|triton=)'
    # shellcheck disable=SC2046  # two words: torch and torchvision
    pip $(grep -hoE '^torch(vision)?==[^ ;]+' requirements.lock) \
        --index-url https://download.pytorch.org/whl/cpu
fi
lock=$(mktemp)
trap 'rm -f "$lock"' EXIT
grep -vE "$skipped" "$name.lock" > "$lock"
pip --only-binary :all: -r "$lock" || {
    echo "The versions of $name.lock do not fit here; taking the ranges of $name.txt."
    pip -r "$name.txt"
}
