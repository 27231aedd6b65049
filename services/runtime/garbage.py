"""The garbage collector of a process that runs for long: seldom, and not over what never goes.

What commands and events leave behind is freed by counting references; only cycles need the
collector, and they are few. At Python's own thresholds it walks the heap after every few
commands: 7 % of the time to decide a command, and pauses that a client notices.
"""

import gc

_YOUNG_OBJECTS = 50_000
"""How many more objects than before start a collection: those of some batches."""
_OLDER_AFTER = 20


def collect_seldom() -> None:
    """Call once, when everything is imported: what exists now is never looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _OLDER_AFTER, _OLDER_AFTER)
