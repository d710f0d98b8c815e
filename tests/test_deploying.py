"""The ready files under docs/deploy: they run the Procfile's lines, and the proxy's log tells on nobody."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from newsletter.config import Settings
from tests.conftest import COMPANY
from tests.journeys.service import wait_until
from tests.patience import PATIENCE
from tests.ports import free_port

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "docs" / "deploy"
LINES = dict(
    line.split(": ", 1) for line in (ROOT / "Procfile").read_text("utf-8").splitlines() if line
)
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

TOKEN = "apaXUG8dDJ5bekg4osTh_aSECRETtoken-0kdfH2wB"


@pytest.mark.parametrize("line", LINES)
def test_a_unit_runs_what_the_procfile_says(line: str) -> None:
    unit = (DEPLOY / "systemd" / f"newsletter-{line}.service").read_text("utf-8")
    found = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)

    assert found
    assert shlex.split(found[1].removeprefix("/opt/newsletter/current/bin/")) == shlex.split(
        LINES[line]
    )


def test_the_container_runs_what_the_procfile_says() -> None:
    commands = re.findall(r"^CMD (\[.*\])$", (ROOT / "Containerfile").read_text("utf-8"), re.M)

    assert json.loads(commands[-1]) == shlex.split(LINES["web"])


def test_what_the_container_copies_is_all_that_a_release_needs(tmp_path: Path) -> None:
    """The Containerfile's last step with what its COPY lines name; then a release where nothing of this checkout is."""
    let_in = (ROOT / ".containerignore").read_text("utf-8").split()
    copied = re.findall(
        r"^COPY ([^-].*) /build/", (ROOT / "Containerfile").read_text("utf-8"), re.M
    )
    context, site, home = tmp_path / "build", tmp_path / "site", tmp_path / "home"
    for folder in (context, home):
        folder.mkdir()
    for source in " ".join(copied).split():
        assert f"!{source}" in let_in
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, context / source)
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    step = ("--no-index", "--no-deps", "--no-build-isolation", "--target", str(site), str(context))
    subprocess.run((*pip, *step), check=True)

    environ = {**COMPANY, "PATH": f"{site / 'bin'}", "PYTHONPATH": str(site)}
    subprocess.run(("newsletter", "release"), cwd=home, env=environ, check=True)
    page = subprocess.check_output((sys.executable, "-c", SHOW_FORM), cwd=home, env=environ)
    assert page.decode().splitlines() == [str(site / "newsletter" / "__init__.py"), "200"]


SHOW_FORM = """
import newsletter
form = newsletter.create_app().test_client().get("/", headers={"Accept": "text/html"})
print(newsletter.__file__, form.status_code, sep="\\n")
"""

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
OURS = {name: COMPOSE["services"][name] for name in LINES}


@pytest.mark.parametrize("line", LINES)
def test_compose_runs_what_the_procfile_says(line: str) -> None:
    assert OURS[line]["command"] == shlex.split(LINES[line])


@pytest.mark.parametrize("line", LINES)
def test_compose_names_settings_that_there_are_and_secrets_that_are_handed_in(line: str) -> None:
    environment, secrets = OURS[line]["environment"], OURS[line]["secrets"]
    files = {name: value for name, value in environment.items() if name.endswith("_FILE")}

    assert {name.removesuffix("_FILE").lower() for name in environment} <= set(
        Settings.model_fields
    )
    assert files == {f"{secret.upper()}_FILE": f"/run/secrets/{secret}" for secret in secrets}
    # What is secret comes from a file alone.
    assert set(environment) - set(files) == {"PUBLIC_URL", "TRUSTED_PROXIES", "LEDGER_CHECKPOINTS"}


def test_compose_takes_every_secret_from_a_file_that_the_page_makes() -> None:
    page = (DEPLOY / "compose.md").read_text("utf-8")
    used = {secret for each in COMPOSE["services"].values() for secret in each.get("secrets", ())}

    assert {name: each["file"] for name, each in COMPOSE["secrets"].items()} == {
        name: f"secrets/{name}" for name in used
    }
    assert {name for name in used if not re.search(rf"\b{name}\b", page)} == set()


def test_compose_names_files_volumes_and_networks_that_there_are() -> None:
    build = OURS["web"]["build"]
    mounts = [mount for each in COMPOSE["services"].values() for mount in each.get("volumes", ())]
    sources = [mount.partition(":")[0] for mount in mounts]
    networks = {name for each in COMPOSE["services"].values() for name in each["networks"]}

    assert (ROOT / build["context"] / build["dockerfile"]).is_file()
    assert {source for source in sources if not source.startswith(".")} == set(COMPOSE["volumes"])
    assert all((ROOT / source).exists() for source in sources if source.startswith("."))
    assert networks == set(COMPOSE["networks"])


def test_in_compose_the_proxy_alone_is_reached_and_only_the_worker_reaches_out() -> None:
    services = COMPOSE["services"]
    outside = {name for name, it in COMPOSE["networks"].items() if not (it or {}).get("internal")}

    assert [name for name, it in services.items() if "ports" in it] == ["proxy"]
    assert {name for name, it in services.items() if outside & set(it["networks"])} == {
        *("worker", "proxy")
    }


def test_in_compose_what_is_ours_may_write_nowhere_but_to_its_volume() -> None:
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["volumes"] == ["checkpoints:/var/lib/newsletter/checkpoints"]
        assert "user" not in service  # it is the image's


class Proxy:
    """nginx with the configuration under docs/deploy, with nobody behind it; `logged` is what it wrote."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._log = folder / "newsletter.log"
        self._main_log = folder / "error.log"
        settings = folder / "nginx.conf"
        settings.write_text(self._around(self._ours(), folder), "utf-8")
        command = [str(NGINX), "-p", str(folder), "-c", str(settings), "-e", str(self._main_log)]
        subprocess.run([*command, "-t", "-q"], check=True)
        self._process = subprocess.Popen([*command, "-g", "daemon off;"])
        wait_until(self._listens, "nginx listens")

    def _ours(self) -> str:
        """As it lies there, but for TLS, the port and where the log is."""
        ours = (DEPLOY / "nginx.conf").read_text("utf-8")
        map_and_log, upstream, rest = ours.partition("upstream newsletter")
        behind, _, servers = rest.partition("\nserver {")
        encrypted = servers[servers.index("\nserver {") :]
        plain = re.sub(r"^ *(listen|ssl_).*$", "", encrypted, flags=re.MULTILINE)
        plain = plain.replace("server {", f"server {{\n    listen 127.0.0.1:{self.port};", 1)
        return map_and_log + (upstream + behind).replace(":8000", f":{free_port()}") + plain

    def _around(self, ours: str, folder: Path) -> str:
        temporary = "".join(
            f"{name}_temp_path {folder}/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
        )
        ours = ours.replace("/var/log/nginx/newsletter.log", str(self._log))
        user = "user root;\n" if os.geteuid() == 0 else ""
        pid = f"pid {folder}/nginx.pid;\n"
        return (
            f"{user}{pid}error_log {self._main_log};\nevents {{}}\nhttp {{\n{temporary}{ours}\n}}\n"
        )

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def say(self, line: str, host: str = "news.example.com") -> str:
        """The first line of what is answered to a request of this first line."""
        told = f"Host: {host}\r\nUser-Agent: Curious/1\r\nReferer: https://a.example/{TOKEN}\r\n"
        with socket.create_connection(("127.0.0.1", self.port), 30) as connection:
            connection.sendall(f"{line}\r\n{told}Connection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        return answer.partition(b"\r\n")[0].decode()

    def end(self) -> str:
        """Ask it to end; all that it logged."""
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(PATIENCE)
        return self._log.read_text("utf-8") + self._main_log.read_text("utf-8")


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    if NGINX is None:
        pytest.skip("there is no nginx here")
    running = Proxy(tmp_path)
    yield running
    running.end()


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/", "/"),
        ("/?email=ada@example.com", "/"),
        ("/subscriptions", "/subscriptions"),
        (f"/confirm/{TOKEN}", "/confirm/[redacted]"),
        (f"/not-me/{TOKEN}?block=1", "/not-me/[redacted]"),
        (f"/unsubscribe/{TOKEN}", "/unsubscribe/[redacted]"),
        (f"/my-data/{TOKEN}/erase", "/my-data/[redacted]"),
        ("/my-data?email=ada@example.com", "/my-data"),
        (f"/receipts/{TOKEN}", "/receipts/[redacted]"),
        (f"/webhooks/mailchimp/{TOKEN}", "/webhooks/mailchimp/[redacted]"),
        (f"/%63onfirm/{TOKEN}", "/confirm/[redacted]"),
        (f"/under/confirm/{TOKEN}", "/confirm/[redacted]"),
        ("/static/newsletter.css?v=1", "/static/*"),
        ("/docs/swagger-ui.css", "/docs/*"),
        ("/problems?locale=en", "/problems"),
        ("/admin/access", "/admin/access"),
        ("/admin/holds", "/admin/holds"),
        (f"/admin/erasures/{TOKEN}", "/admin/erasures/[redacted]"),
        (f"/confirm{TOKEN}", "(other)"),
        ("/ada@example.com", "(other)"),
    ],
)
def test_the_proxys_log_names_the_endpoint_without_token_and_query(
    proxy: Proxy, path: str, logged: str
) -> None:
    assert proxy.say(f"GET {path} HTTP/1.1").endswith("502 Bad Gateway")

    assert f" GET {logged} 502 " in proxy.end()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (f"POST /confirm/{TOKEN}?email=ada@example.com HTTP/1.1", 502),
        (f"GET /confirm/{TOKEN}{'x' * 3000} HTTP/1.1", 414),
        (f"GET /confirm/{TOKEN}{'x' * 20000} HTTP/1.1", 414),
        (f"GET /confirm/{TOKEN} ada@example.com HTTP/1.1", 400),
        (f"ada@example.com /confirm/{TOKEN}", 400),
        (f"GET /confirm/{TOKEN} HTTP/7.0", 505),
    ],
)
def test_what_goes_wrong_at_the_proxy_tells_on_nobody(proxy: Proxy, line: str, status: int) -> None:
    answer = proxy.say(line)
    logged = proxy.end()

    assert f" {status} " in answer
    assert f" {status} " in logged
    for told in (TOKEN[:12], "ada@", "127.0.0.1", "Curious", "a.example"):
        assert told not in logged
