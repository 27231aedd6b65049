"""Forms that are refused: the body, and the status, words and fields that it gets."""

from services.gateway.baas.multipart import MAX_FIELD_BYTES, MAX_FIELDS
from tests.specs.form_server import BOUNDARY, END, field, file, part

BILL = b"a bill"
BILL_PART = file(BILL)
REFUSED: dict[str, tuple[bytes, int, str, dict[str, str]]] = {
    "no body": (b"", 400, "the form is broken off", {}),
    "no parts": (END, 400, "Validation", {"utility_bill_image": "is required, as a file"}),
    "no file": (
        field("bvn", "1") + END,
        400,
        "Validation",
        {"utility_bill_image": "is required, as a file"},
    ),
    "an empty file": (
        file(b"") + END,
        400,
        "Validation",
        {"utility_bill_image": "must not be empty"},
    ),
    "a path in place of the file": (
        field("utility_bill_image", "bill.png") + END,
        400,
        "Validation",
        {"utility_bill_image": "must be a file"},
    ),
    "two files": (
        BILL_PART * 2 + END,
        400,
        "Validation",
        {"utility_bill_image": "must be given once"},
    ),
    "another file": (
        BILL_PART + file(BILL, "selfie") + END,
        400,
        "only utility_bill_image may be a file",
        {},
    ),
    "a field twice": (
        field("bvn", "1") * 2 + BILL_PART + END,
        400,
        "Validation",
        {"bvn": "must be given once"},
    ),
    "a long field": (
        field("address", "x" * (MAX_FIELD_BYTES + 1)) + BILL_PART + END,
        413,
        "Payload too large",
        {"address": f"must not be over {MAX_FIELD_BYTES} bytes"},
    ),
    "many fields": (
        b"".join(field(f"f{number}", "") for number in range(MAX_FIELDS + 1)) + BILL_PART + END,
        400,
        f"the form has more than {MAX_FIELDS} fields",
        {},
    ),
    "a field that is not UTF-8": (
        field("city", b"\xff") + BILL_PART + END,
        400,
        "Malformed request",
        {"city": "must be UTF-8"},
    ),
    "a part without headers": (part("", b"x") + END, 400, "no name", {}),
    "a part without a name": (
        part("Content-Disposition: form-data", b"x") + END,
        400,
        "no name",
        {},
    ),
    "a part of another disposition": (
        part('Content-Disposition: attachment; name="a"', b"x") + END,
        400,
        "no name",
        {},
    ),
    "a disposition that cannot be read": (
        part('Content-Disposition: form-data; name="a"; "', b"x") + END,
        400,
        "Malformed request",
        {},
    ),
    "a name of the file that cannot be read": (
        part('Content-Disposition: form-data; name="utility_bill_image"; filename*0="a\'b"', BILL)
        + END,
        400,
        "cannot be read",
        {},
    ),
    "a name that no field has": (field("x" * 65, "x") + END, 400, "name that no field has", {}),
    "a name with a line break": (field("a%0Ab\x7f", "x") + END, 400, "Malformed request", {}),
    "an encoded part": (
        part(
            'Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64', b"eA=="
        )
        + END,
        400,
        "a part of the form is encoded",
        {},
    ),
    "a compressed part": (
        part('Content-Disposition: form-data; name="a"\r\nContent-Encoding: gzip', b"x") + END,
        400,
        "a part of the form is encoded",
        {},
    ),
    "a form in the form": (
        part("Content-Type: multipart/mixed; boundary=inner", b"--inner\r\n\r\n\r\n--inner--")
        + END,
        400,
        "a form itself",
        {},
    ),
    "a form in the form without a boundary": (
        part("Content-Type: multipart/mixed", b"x") + END,
        400,
        "cannot be read",
        {},
    ),
    "a header without a colon": (part("nonsense", b"x") + END, 400, "cannot be read", {}),
    "a header without end": (
        f"--{BOUNDARY}\r\nX: {'x' * 9000}".encode(),
        400,
        "a line that is too long",
        {},
    ),
    "many headers": (
        part("\r\n".join(f"X-{number}: x" for number in range(20)), b"x") + END,
        400,
        "cannot be read",
        {},
    ),
    "a default charset": (
        field("_charset_", "x" * 64) + BILL_PART + END,
        400,
        "cannot be read",
        {},
    ),
    "a boundary that goes on": (f"--{BOUNDARY}nonsense\r\n".encode(), 400, "broken off", {}),
    "a preamble without end": (
        b"nothing\r\n" * 1_001,
        400,
        "too many lines outside of its parts",
        {},
    ),
    "a line without end before the form": (b"x" * 20_000, 400, "a line that is too long", {}),
}
