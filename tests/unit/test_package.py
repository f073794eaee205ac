"""What is shipped: the wheel, the container files, the scripts."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.absent import absent

ROOT = Path(__file__).parents[2]
SCRIPTS = [ROOT / ".ci" / "run", *sorted((ROOT / "scripts").iterdir())]


@pytest.mark.slow
def test_the_wheel_carries_every_module_and_all_its_data(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0 and ("No matching distribution" in built.stderr or "Could not find" in built.stderr):
        absent("the build backend is neither installed nor reachable")
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("dyad_bridge-*.whl")
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("bridge/")}
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "bridge").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped == ours


def test_every_service_is_asked_whether_it_is_well() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    assert set(services) == {"bridge", "postgres", "ehr", "ehr-health"}
    unasked = {name for name, service in services.items() if "healthcheck" not in service}
    assert unasked == {"ehr"}, "its image has nothing to ask with; ehr-health asks from inside its network"
    assert services["ehr-health"]["network_mode"] == "service:ehr"


def test_containers_get_secrets_by_file_and_only_this_machine_reaches_them() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert "USER bridge" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_docker_compose_takes_the_file() -> None:
    command = shutil.which("docker-compose")
    if command is None:
        absent("docker-compose")
    done = subprocess.run([command, "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_executable_and_well_formed(script: Path) -> None:
    assert os.stat(script).st_mode & stat.S_IXUSR
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n# ")
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
