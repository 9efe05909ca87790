"""Stand-ins for the base images of the stack, under their own names, for a machine that reaches no image registry.

    python3 tests/stack/images.py            makes those that the engine does not have

Made from Debian's and Python's packages; entry points, users, folders and `wget` are those of the real images, so that the
project's Dockerfile and compose files are used as they are. Grafana is in no registry of packages: its stand-in answers
on its health page and nowhere else. Where image registries can be reached, nobody needs this file.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEBIAN = "debian:bookworm-slim"

# A machine behind a proxy that opens TLS has certificates of its own: builds need them, the project's files do not.
CERTIFICATES = pathlib.Path("/usr/local/share/ca-certificates")

TRUST = """ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt \\
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt CARGO_HTTP_CAINFO=/etc/ssl/certs/ca-certificates.crt
"""


def apt(*packages):
    return (f"RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "
            f"{' '.join(packages)} >/dev/null && rm -rf /var/lib/apt/lists/*\n")


# Debian's service packages start nothing here.
QUIET = "RUN printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d\n"
WGET = "RUN ln -sf /bin/busybox /usr/bin/wget\n"


def program(package, binary, folder, port):
    """An image of Prometheus' family: one program, user nobody, a data folder."""
    return (f"FROM {DEBIAN}\n{QUIET}{apt(package, 'busybox')}{WGET}"
            f"RUN install -d -o nobody -g nogroup /{folder} && [ -e /bin/{binary} ] || ln -s /usr/bin/{package} /bin/{binary}\n"
            f"USER nobody\nWORKDIR /{folder}\nEXPOSE {port}\nENTRYPOINT [\"/bin/{binary}\"]\n")


POSTGRES = f"""FROM {DEBIAN}
{QUIET}{apt('postgresql', 'locales')}
COPY entrypoint /usr/local/bin/docker-entrypoint.sh
RUN install -d -o postgres -g postgres /var/lib/postgresql/data /var/run/postgresql
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
USER postgres
ENTRYPOINT ["sh", "/usr/local/bin/docker-entrypoint.sh"]
"""
POSTGRES_ENTRYPOINT = """set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
    initdb --username="$POSTGRES_USER" --pwfile=/tmp/password --auth-host=scram-sha-256 --auth-local=trust >/dev/null
    rm /tmp/password
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    pg_ctl -w -o "-c listen_addresses=" start >/dev/null
    [ "$POSTGRES_DB" = postgres ] || createdb --username="$POSTGRES_USER" "$POSTGRES_DB" || true
    pg_ctl -m fast -w stop >/dev/null
fi
exec postgres -c listen_addresses='*'
"""

GRAFANA = f"""FROM {DEBIAN}
{apt('busybox')}{WGET}
RUN mkdir -p /srv/api /var/lib/grafana && echo '{{"database": "ok"}}' > /srv/api/health \\
    && groupadd -g 472 grafana && useradd -u 472 -g grafana grafana && chown grafana /var/lib/grafana
USER grafana
EXPOSE 3000
ENTRYPOINT ["busybox", "httpd", "-f", "-p", "3000", "-h", "/srv"]
"""

AIRFLOW = f"""FROM {DEBIAN}
{apt('python3', 'python3-venv', 'python-is-python3', 'curl', 'libpq5', 'git')}{TRUST}
RUN useradd --uid 50000 --gid 0 --create-home airflow && install -d -o airflow -g root /opt/airflow /opt/airflow/logs
COPY entrypoint /entrypoint
USER airflow
WORKDIR /opt/airflow
ENV AIRFLOW_HOME=/opt/airflow PATH=/home/airflow/.local/bin:$PATH
COPY requirements.txt /tmp/requirements.txt
RUN python3 -m venv /home/airflow/.local && /home/airflow/.local/bin/pip install -q --no-cache-dir \\
    --disable-pip-version-check -r /tmp/requirements.txt psycopg2-binary
ENTRYPOINT ["sh", "/entrypoint"]
"""
AIRFLOW_ENTRYPOINT = """set -e
case "$1" in
    bash|sh|python|airflow) exec "$@" ;;
    *) exec airflow "$@" ;;
esac
"""

RUST = f"""FROM {DEBIAN}
{apt('build-essential', 'pkg-config')}{TRUST}
COPY toolchain /usr/local/rust
ENV PATH=/usr/local/rust/bin:$PATH
"""


# The engine's own client: it builds with the engine's BuildKit, where a newer client asks for a plugin.
ENVIRONMENT = {**os.environ, "DOCKER_BUILDKIT": "1", "PATH": f"/usr/bin:{os.environ['PATH']}"}


def docker(*arguments, **options):
    return subprocess.run(["docker", *map(str, arguments)], check=True, env=ENVIRONMENT, **options)


def present(image):
    found = subprocess.run(["docker", "image", "inspect", image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           env=ENVIRONMENT)
    return found.returncode == 0


def debian(image):
    """The base of all others, with the machine's certificates."""
    trust = [f"--customize-hook=copy-in {CERTIFICATES}/{file.name} /usr/local/share/ca-certificates/"
             for file in CERTIFICATES.glob("*.crt")]
    create = ["mmdebstrap", "--variant=minbase", "--include=ca-certificates", *trust,
              "--customize-hook=chroot \"$1\" update-ca-certificates", "bookworm", "-"]
    made = subprocess.Popen(create, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    docker("import", "-", image, stdin=made.stdout, stdout=subprocess.DEVNULL)
    assert made.wait() == 0, f"mmdebstrap ended with {made.returncode}"


def build(image, dockerfile, files=None):
    """`files`: {name in the build's folder: text, or a folder to copy}"""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "Dockerfile").write_text(dockerfile)
        for name, content in (files or {}).items():
            if isinstance(content, pathlib.Path):
                shutil.copytree(content, folder / name, symlinks=True, ignore=shutil.ignore_patterns("doc", "share"))
            else:
                (folder / name).write_text(content)
        docker("build", "-q", "-t", image, folder, stdout=subprocess.DEVNULL)


def toolchain():
    path = subprocess.run(["rustc", "--print", "sysroot"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return pathlib.Path(path.strip())


def make(image):
    name = re.sub(r":.*", "", image)
    if image == DEBIAN:
        debian(image)
    elif name == "prom/prometheus":
        build(image, program("prometheus", "prometheus", "prometheus", 9090))
    elif name == "prom/alertmanager":
        build(image, program("prometheus-alertmanager", "alertmanager", "alertmanager", 9093))
    elif name == "prom/blackbox-exporter":
        build(image, program("prometheus-blackbox-exporter", "blackbox_exporter", "blackbox", 9115))
    elif name == "grafana/grafana":
        build(image, GRAFANA)
    elif name == "postgres":
        build(image, POSTGRES, {"entrypoint": POSTGRES_ENTRYPOINT})
    elif name == "apache/airflow":
        requirements = (ROOT / "airflow/requirements.txt").read_text()
        build(image, AIRFLOW, {"entrypoint": AIRFLOW_ENTRYPOINT, "requirements.txt": requirements})
    elif name == "rust":
        build(image, RUST, {"toolchain": toolchain()})
    else:
        raise SystemExit(f"there is no stand-in for {image}")


def wanted():
    """The base images that the project's files name, Debian first."""
    texts = [(ROOT / file).read_text() for file in ("docker-compose.yml", "docker-compose.monitoring.yml")]
    images = re.findall(r"^ +image: (\S+:\S+)$", "\n".join(texts), re.M)
    dockerfiles = [(ROOT / file).read_text() for file in ("Dockerfile", "airflow/Dockerfile")]
    images += re.findall(r"^FROM (\S+:\S+)", "\n".join(dockerfiles), re.M)
    return sorted(set(images), key=lambda image: (image != DEBIAN, image))


def main():
    for image in wanted():
        if present(image):
            print(f"{image}: there already")
            continue
        begun = time.monotonic()
        make(image)
        print(f"{image}: stand-in made in {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
