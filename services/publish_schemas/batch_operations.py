"""The call of the Credit Wallets API that takes many commands at once, as a row."""

from schemas.http.batches import MAX_BATCH_LINES
from services.publish_schemas import http_examples as examples
from services.publish_schemas.operation import COMMAND, FIELDS, Operation

BATCH_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="sendBatch",
        method="post",
        path="/v1/batch",
        group="Batches",
        summary="Send many commands",
        description=(
            "Each command is the body of its own call, plus its `type` and the ids that "
            "its own call has in the path. They are decided in order. Each has a result with "
            "the status and the body that its own call would have answered; one that is "
            "refused does not stop the others.\n\n"
            "With `atomic` all of them are applied, or none: if one is declined, the answer is "
            "409 `batch_declined`, with each command's own problem in `results`; an unreadable "
            "one is a 422 or 400 whose `param` is like `commands[3].amount`.\n\n"
            "With an `Idempotency-Key` of K, at most 248 characters, the command at place i, "
            "counted from 0, has the key `K/i`. Each command's `reference` makes it safe to "
            "repeat too.\n\n"
            f"As `application/x-ndjson` the body has one command a line, up to {MAX_BATCH_LINES}, "
            "each by itself. The results come as lines in the same order, while the body is "
            "still being sent: read them meanwhile, or the gateway stops reading the body. A "
            "line that is too long or cannot be read gets a result too. If the credentials "
            "are revoked meanwhile, or nothing comes for 30 seconds, the last result says so.\n\n"
            "Each command takes a unit of the rate limit, in addition to the one for the call. A "
            "JSON batch takes all of them at once, before any command is decided, or the whole "
            "batch is 429. Lines wait instead.\n\n"
            "The body may have 8 MiB, or any size as lines; each command 128 KiB. A transfer also "
            "needs the scope `transfers:write`, and `allow_negative` needs `admin`."
        ),
        scope="wallets:write",
        parameters=("idempotency_key",),
        request=examples.BATCH_REQUEST,
        answer=examples.BATCH,
        answer_description="The outcome of each command, in order.",
        lines="One `BatchCommand` a line.",
        lines_answer="One `BatchResult` a line, in order.",
        problems=(
            *(code for code in COMMAND if code != "reference_reused"),
            *FIELDS,
            "batch_declined",
        ),
    ),
)
