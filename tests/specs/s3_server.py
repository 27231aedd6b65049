"""A real S3 server, as a process: moto's, with buckets in its memory."""

import asyncio
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import botocore.session

_PATIENCE_S = 30


class S3Server(NamedTuple):
    """One that answers."""

    url: str

    def variables(self) -> dict[str, str]:
        """The variables that lead to it."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }

    def client(self) -> Any:
        """A client that looks from outside."""
        return _client_of(self.url)

    async def new_bucket(self) -> str:
        """A bucket of the test's own; its name."""
        name = f"bucket-{secrets.token_hex(4)}"
        await asyncio.to_thread(lambda: self.client().create_bucket(Bucket=name))
        return name

    async def keys(self, bucket: str) -> list[str]:
        """What is in a bucket."""
        page = await asyncio.to_thread(lambda: self.client().list_objects_v2(Bucket=bucket))
        return [each["Key"] for each in page.get("Contents", ())]

    async def uploads(self, bucket: str) -> list[str]:
        """Which uploads are neither finished nor aborted."""
        page = await asyncio.to_thread(lambda: self.client().list_multipart_uploads(Bucket=bucket))
        return [each["Key"] for each in page.get("Uploads", ())]


@cache
def _client_of(url: str) -> Any:
    # To make one is to read the whole description of S3 first.
    return botocore.session.Session().create_client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="somebody",
        aws_secret_access_key="secret",
    )


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """A server for as long as the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield S3Server(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert process.poll() is None, "the S3 server has ended"
            assert time.monotonic() < deadline, "the S3 server does not listen"
            time.sleep(0.05)
        else:
            return
