"""Documents in a bucket of S3, or of what speaks as it does. Needs the extra `ledger[s3]`.

An upload goes in parts of 5 MiB, of which one at a time is in memory. Endpoint, region and
credentials come from the usual variables (`AWS_ENDPOINT_URL_S3`, `AWS_ACCESS_KEY_ID` …).
"""

import asyncio
import io
import os
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime
from typing import Any, Final

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from services.vault.document_store import check_name
from services.vault.errors import DocumentMissingError, DocumentsUnavailableError

PART_BYTES: Final = 5 * 1024 * 1024
"""The least that S3 takes as a part that is not the last."""
_READ_BYTES: Final = 64 * 1024
_URL: Final = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>/.*)?")
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_TAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
# Refused where the name is taken. A server that does not know this header overwrites; as names
# are random, nothing is ever there.
_ONLY_IF_NEW: Final = "*"


class S3DocumentStore:
    """Raises `DocumentsUnavailableError`, an `OSError`, where the bucket cannot be used."""

    def __init__(self, url: str) -> None:
        """`url` is `s3://bucket` or `s3://bucket/prefix`; another is a `ValueError`."""
        found = _URL.fullmatch(url)
        if found is None:
            message = f"{url} is not s3://bucket/prefix"
            raise ValueError(message)
        self._bucket = found["bucket"]
        prefix = (found["prefix"] or "").strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._stack = AsyncExitStack()
        self._client: Any = None
        self._opening = asyncio.Lock()

    async def write(self, name: str, content: AsyncIterable[bytes]) -> None:
        """In parts, which become a document together or not at all."""
        key = self._key(name)
        with _errors_of(name):
            client = await self._opened()
            waiting = io.BytesIO()
            upload: _Upload | None = None
            try:
                async for piece in content:
                    waiting.write(piece)
                    while waiting.tell() >= PART_BYTES:
                        part, waiting = _cut(waiting)
                        upload = upload or await _Upload.begin(client, self._bucket, key)
                        await upload.add(part)
                waiting.seek(0)
                if upload is None:
                    await client.put_object(
                        Bucket=self._bucket, Key=key, Body=waiting, IfNoneMatch=_ONLY_IF_NEW
                    )
                    return
                if waiting.getbuffer().nbytes:
                    await upload.add(waiting)
                await upload.complete()
            except BaseException:
                if upload is not None:
                    # Also where this call is cancelled: the parts would be kept, and paid for.
                    await asyncio.shield(upload.abort())
                raise

    async def read(self, name: str) -> AsyncGenerator[bytes, None]:
        """In pieces of 64 KiB."""
        key = self._key(name)
        with _errors_of(name):
            client = await self._opened()
            answer = await client.get_object(Bucket=self._bucket, Key=key)
        async with answer["Body"] as body:
            while piece := await _read(body, name):
                yield piece

    async def delete(self, name: str) -> bool:
        """Remove it; says whether it was there."""
        key = self._key(name)
        with _errors_of(name):
            client = await self._opened()
            try:
                # The removal itself does not say.
                await client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if _code_of(error) in _MISSING:
                    return False
                raise
            await client.delete_object(Bucket=self._bucket, Key=key)
        return True

    async def names(self, before: datetime) -> AsyncIterator[str]:
        """In order, page by page, by the bucket's own clock."""
        with _errors_of("the list"):
            client = await self._opened()
            pages = client.get_paginator("list_objects_v2")
            async for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for each in page.get("Contents", ()):
                    name = each["Key"].removeprefix(self._prefix)
                    if each["LastModified"] < before and _is_name(name):
                        yield name

    async def remove_unfinished(self, before: datetime) -> int:
        """Abort uploads that were begun before a moment."""
        removed = 0
        with _errors_of("the list"):
            client = await self._opened()
            pages = client.get_paginator("list_multipart_uploads")
            async for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for each in page.get("Uploads", ()):
                    name = each["Key"].removeprefix(self._prefix)
                    if each["Initiated"] < before and _is_name(name):
                        upload = _Upload(client, self._bucket, each["Key"], each["UploadId"])
                        await upload.abort()
                        removed += 1
        return removed

    async def close(self) -> None:
        """Close the connections."""
        self._client = None
        await self._stack.aclose()

    def _key(self, name: str) -> str:
        check_name(name)
        return self._prefix + name

    async def _opened(self) -> Any:
        async with self._opening:
            if self._client is None:
                self._client = await self._stack.enter_async_context(
                    get_session().create_client("s3", config=_config())
                )
            return self._client


class _Upload:
    """One upload in parts."""

    def __init__(self, client: Any, bucket: str, key: str, upload_id: str) -> None:
        self._client = client
        self._of = {"Bucket": bucket, "Key": key, "UploadId": upload_id}
        self._parts: list[dict[str, Any]] = []

    @classmethod
    async def begin(cls, client: Any, bucket: str, key: str) -> "_Upload":
        begun = await client.create_multipart_upload(Bucket=bucket, Key=key)
        return cls(client, bucket, key, begun["UploadId"])

    async def add(self, content: io.BytesIO) -> None:
        number = len(self._parts) + 1
        answer = await self._client.upload_part(**self._of, PartNumber=number, Body=content)
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    async def complete(self) -> None:
        await self._client.complete_multipart_upload(
            **self._of, MultipartUpload={"Parts": self._parts}, IfNoneMatch=_ONLY_IF_NEW
        )

    async def abort(self) -> None:
        try:
            await self._client.abort_multipart_upload(**self._of)
        except (ClientError, BotoCoreError):
            # The first error is the one to tell; what is left is swept by its age.
            return


def _cut(waiting: io.BytesIO) -> tuple[io.BytesIO, io.BytesIO]:
    """A part, and what is over. Some servers want parts of one size; and a part is not copied."""
    waiting.seek(PART_BYTES)
    rest = io.BytesIO()
    rest.write(waiting.read())
    waiting.truncate(PART_BYTES)
    waiting.seek(0)
    return waiting, rest


def _config() -> AioConfig:
    own_endpoint = any(os.environ.get(f"AWS_ENDPOINT_URL{end}") for end in ("_S3", ""))
    return AioConfig(
        connect_timeout=5,
        read_timeout=20,
        retries={"mode": "standard", "max_attempts": 3},
        # What only speaks as S3 does has often no names of hosts for buckets, and does not know
        # the newer checksums. Whether a document is whole, its seal says.
        s3={"addressing_style": "path"} if own_endpoint else None,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


@contextmanager
def _errors_of(name: str) -> Iterator[None]:
    """What the library raises, as what the port says."""
    try:
        yield
    except ClientError as error:
        code = _code_of(error)
        if code in _MISSING:
            message = f"there is no document {name}"
            raise DocumentMissingError(message) from error
        if code in _TAKEN:
            raise FileExistsError(name) from error
        message = f"the bucket of documents refuses: {code}"
        raise DocumentsUnavailableError(message) from error
    except BotoCoreError as error:
        message = f"the bucket of documents cannot be reached: {type(error).__name__}"
        raise DocumentsUnavailableError(message) from error


async def _read(body: Any, name: str) -> bytes:
    try:
        piece: bytes = await body.read(_READ_BYTES)
    except Exception as error:
        # The HTTP client's own errors come through here, too, and it is not known here.
        message = f"document {name} breaks off: {type(error).__name__}"
        raise DocumentsUnavailableError(message) from error
    return piece


def _is_name(text: str) -> bool:
    try:
        check_name(text)
    except ValueError:
        return False
    return True


def _code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
