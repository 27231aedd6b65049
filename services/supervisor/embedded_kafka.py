"""A Kafka broker of our own: one KRaft node, run from the jars that `./dev` fetched."""

import base64
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from string import Template

import services
from services.supervisor.ports import RememberedPorts
from services.supervisor.processes import OwnedProcess, ProcessFailedError, own_environment

_FILES = Path(__file__).parent / "kafka"
_START_SECONDS = 120
_POLL_SECONDS = 0.1
# The heap is what `ledger up` is allowed. The serial collector and the first compiler alone take
# the least of two cores: a broker that has just started spends more on compiling than it saves.
_JVM = (
    *("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    "-Djava.awt.headless=true",
)


class EmbeddedKafka:
    """One broker. `start` and `stop` wait; `launch` and `is_ready` do not."""

    def __init__(
        self,
        home: Path,
        *,
        jars: Path | None = None,
        settings: Mapping[str, str] | None = None,
        format_options: Sequence[str] = (),
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`settings` go over those of the template, and may name its ports as it does."""
        self.home = home.resolve()
        self.process = OwnedProcess(self.home, "kafka", stop_seconds=30)
        self._jars = jars or Path(services.__file__).parents[1] / ".cache" / "kafka-jars"
        self._settings = settings or {}
        self._format_options = format_options
        self._say = say
        self._ports = RememberedPorts(self.home)
        self._port: int | None = None

    @property
    def bootstrap(self) -> str:
        """The bootstrap servers: this one."""
        assert self._port is not None, "Kafka was not started"
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it takes connections. Raises `ProcessFailedError`."""
        self.launch()
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise self.process.failure("did not get ready")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop it; it writes what it has."""
        self.process.stop()

    def launch(self) -> None:
        """Start it; the first time, format its data folder, which takes seconds."""
        self.process.stop_leftover()
        self._check_prerequisites()
        folder = self.home / "kafka"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Whoever was told the port once must find the broker there after a restart, too.
        self._port = self._port or self._ports.take("kafka")
        properties = folder / "server.properties"
        # Of two lines for one key, Java takes the later.
        own = (f"{key}={text}\n" for key, text in self._settings.items())
        template = Template((_FILES / "server.properties.template").read_text() + "".join(own))
        properties.write_text(
            template.substitute(
                port=self._port,
                controller_port=self._ports.take("kafka-controller"),
                data=folder / "data",
            )
        )
        if not (folder / "data" / "meta.properties").exists():
            self._say("Kafka: formatting the data folder (first start)")
            self._format(properties)
        self.process.launch([*self._java(), "kafka.Kafka", str(properties)], own_environment())

    def is_ready(self) -> bool:
        """Whether it takes connections. Raises `ProcessFailedError` if it has ended."""
        if not self.process.is_running():
            raise self.process.failure("did not start")
        assert self._port is not None
        try:
            # The broker opens this port last, when it has joined its own cluster.
            with socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return True
        except OSError:
            return False

    def _check_prerequisites(self) -> None:
        if shutil.which("java") is None:
            message = (
                "Kafka needs Java 17 or newer; on Debian: apt-get install default-jre-headless"
            )
            raise ProcessFailedError(message)
        if not any(self._jars.glob("kafka_*.jar")):
            message = f"Kafka's jars are not in {self._jars}; `./dev setup` fetches them"
            raise ProcessFailedError(message)

    def _java(self) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={_FILES / 'log4j2.properties'}"
        return ["java", *_JVM, logging, "-cp", f"{self._jars}/*"]

    def _format(self, properties: Path) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        storage_tool = [*self._java(), "kafka.tools.StorageTool", "format"]
        ended = subprocess.run(
            [
                *(*storage_tool, f"--cluster-id={cluster_id}", "--config", str(properties)),
                *self._format_options,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if ended.returncode != 0:
            said = ended.stdout.decode(errors="replace").strip()
            message = f"Kafka's data folder could not be formatted:\n{said}"
            raise ProcessFailedError(message)
