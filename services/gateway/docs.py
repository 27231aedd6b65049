"""The documentation page and the document that it shows, as they are served to anyone.

Everything is read once, at the start, and the page asks for nothing outside this server.
It is our own: packages that ship Swagger UI 5 exist, but weigh megabytes, and have no place
for a problem's `type` to lead to.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

from msgspec import Struct

import schemas

DOCS_FOLDER: Final = Path(__file__).with_name("docs_page")
_PUBLISHED: Final = Path(next(iter(schemas.__path__))) / "published"
OPENAPI_FILE: Final = _PUBLISHED / "openapi-credit-wallets.json"
BAAS_OPENAPI_FILE: Final = _PUBLISHED / "openapi-baas-wallets.json"

_CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    ("Content-Security-Policy", _POLICY),
    ("Cache-Control", "no-cache"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)


class PublicDocument(Struct, frozen=True, kw_only=True):
    """A file as it is served. `headers` include its type and its strong `ETag`."""

    body: bytes
    etag: str
    headers: tuple[tuple[str, str], ...]


def public_documents() -> dict[str, PublicDocument]:
    """What is served without credentials, by path: a page and a document for each API."""
    documents = {
        f"/docs/{file.name}": _document(file)
        for file in sorted(DOCS_FOLDER.iterdir())
        if file.suffix in _CONTENT_TYPES
    }
    # The page's links are relative to `/docs`, so that it also works under a path prefix.
    documents["/docs"] = documents.pop("/docs/index.html")
    # The same page beside the other document, which it finds by the same relative link.
    documents |= {f"/baas{path}": document for path, document in documents.items()}
    documents["/v1/openapi.json"] = _document(OPENAPI_FILE)
    documents["/baas/v1/openapi.json"] = _document(BAAS_OPENAPI_FILE)
    return documents


def _document(file: Path) -> PublicDocument:
    body = file.read_bytes()
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = (("Content-Type", _CONTENT_TYPES[file.suffix]), ("ETag", etag), *_HEADERS)
    return PublicDocument(body=body, etag=etag, headers=headers)
