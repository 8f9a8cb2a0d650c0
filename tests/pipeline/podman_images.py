"""Podman for the tests: images are made where they are absent, also without a registry and by a restricted root."""

import os
import shutil
import subprocess
from pathlib import Path

from conftest import PROJECT

BASE = "docker.io/library/debian:bookworm-slim"
PULL_SECONDS = 120
BUILD_SECONDS = 1500
# The older runtime, and limits that a root without every right may set
CONFIGURATION = """\
[engine]
runtime="runc"
[containers]
default_ulimits=["nofile=1000:1000","nproc=1000:1000"]
"""


def why_not() -> str:
    """Return why podman cannot run here, or an empty text if it can."""
    return (
        "" if shutil.which("podman") else "podman is not on PATH: containers are not tried (`make testbed` installs it)"
    )


def call(*command, environment=None, timeout=300) -> subprocess.CompletedProcess:
    """Run a command and return its exit status and its whole output."""
    return subprocess.run(
        list(map(str, command)),
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )


def make_base_image(folder: Path) -> None:
    """Pull the base image; where no registry can be reached, make one of Debian's packages in `folder`."""
    if call("podman", "image", "exists", BASE).returncode == 0:
        return
    try:
        if call("podman", "pull", BASE, timeout=PULL_SECONDS).returncode == 0:
            return
    except subprocess.TimeoutExpired:
        pass
    script = (
        f"set -eo pipefail; debootstrap --variant=minbase bookworm '{folder}' >&2; "
        f"tar -C '{folder}' --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' -c . | "
        f"podman import - {BASE}"
    )
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    done = call("bash", "-c", script, environment={"PATH": path}, timeout=BUILD_SECONDS)
    assert done.returncode == 0, f"there is no base image, by registry or by debootstrap:\n{done.stdout[-4000:]}"
    shutil.rmtree(folder)


def podman_environment(folder: Path) -> dict[str, str]:
    """Return the variables with which podman runs containers here: none, or the name of a configuration."""
    probe = ("podman", "run", "--rm", "--pull=never", BASE, "true")
    if call(*probe).returncode == 0:
        return {}
    configuration = folder / "containers.conf"
    configuration.write_text(CONFIGURATION)
    environment = {"CONTAINERS_CONF": str(configuration)}
    done = call(*probe, environment=environment)
    assert done.returncode == 0, f"podman cannot run a container:\n{done.stdout}"
    return environment


def build_options() -> str:
    """Return the options of a build on this machine: its network, its index of packages and its certificates."""
    options = ["--isolation", "chroot", "--network", "host"]
    certificates = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    if certificates:
        options += ["-v", f"{certificates}:/run/host-ca.crt:ro", "--build-arg", "PIP_CERT=/run/host-ca.crt"]
    if "PIP_INDEX_URL" in os.environ:
        options += ["--build-arg", f"PIP_INDEX_URL={os.environ['PIP_INDEX_URL']}"]
    return " ".join(options)


def build(environment: dict[str, str], folder: Path = PROJECT / "containers", **settings: str):
    """Run build.sh of `folder` and return its exit status and its output; images that are current stay."""
    settings = {"KEEP": "1", "BUILD_ARGS": build_options(), **settings}
    engine = "buildah" if shutil.which("buildah") else "podman"
    return call(
        folder / "build.sh", environment={"ENGINE": engine, **settings, **environment}, timeout=BUILD_SECONDS
    )  # fmt: skip
