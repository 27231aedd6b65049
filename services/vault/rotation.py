"""Rotating the master key: a new one for all that is wrapped, while everyone goes on.

It may be stopped at any moment and begun again: each key is wrapped by one of two master keys,
and both are at hand until the last one is wrapped anew.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from services.vault.key_store import KeptKey, KeyStore, Rewrapped
from services.vault.master_keys import MasterKeys
from services.vault.vault import WRAPPING

PAGE = 500

Progress = Callable[[int, int], None]
"""Is told how many keys are done, of how many."""


class Rotation(Struct, frozen=True, kw_only=True):
    """What came of it."""

    active_id: str
    retired_ids: tuple[str, ...]
    """Master keys that wrapped something before, and nothing now."""
    rewrapped: int
    continued: bool
    """Whether it finished an earlier rotation rather than begin one."""


async def rotate(
    store: KeyStore, master_keys: MasterKeys, new_id: str, progress: Progress
) -> Rotation:
    """Wrap every key by a new master key `new_id`, or finish a rotation that was stopped.

    Raises `RotationError` where no key can be added, `VaultBusyError`, and where a key cannot
    be unwrapped `MasterKeyUnknownError` or `SealBrokenError`; what was done until then stays.
    """
    async with store.maintenance():
        at_hand = await master_keys.active_id()
        wrapping = await store.count_by_master_key()
        in_store = await store.active_id()
        continued = in_store not in (None, at_hand) or any(used != at_hand for used in wrapping)
        if not continued:
            await master_keys.add(new_id)
        active_id = await master_keys.active_id()
        # From here on nobody stores a key under another master key, so the pages have an end.
        await store.activate(active_id)
        rewrapped = await rewrap_all(store, master_keys, active_id, progress)
        retired = {*wrapping, in_store or active_id} - {active_id}
        return Rotation(
            active_id=active_id,
            retired_ids=tuple(sorted(retired)),
            rewrapped=rewrapped,
            continued=continued,
        )


async def rewrap_all(
    store: KeyStore, master_keys: MasterKeys, active_id: str, progress: Progress
) -> int:
    """Wrap by the active master key whatever another one wraps, page by page."""
    counts = await store.count_by_master_key()
    total = sum(count for used, count in counts.items() if used != active_id)
    done = 0
    after = None
    progress(done, total)
    while page := await store.outdated(after, active_id, PAGE):
        done += await store.rewrap(await _wrapped_anew(page, master_keys, active_id))
        after = page[-1].customer
        progress(done, max(done, total))
    left = {used for used in await store.count_by_master_key() if used != active_id}
    assert not left, "nothing is stored under a retired master key"
    return done


async def _wrapped_anew(
    page: Sequence[KeptKey], master_keys: MasterKeys, active_id: str
) -> list[Rewrapped]:
    anew = []
    for each in page:
        context = each.customer.context(WRAPPING)
        key = await master_keys.unwrap(each.key, context)
        anew.append(
            Rewrapped(
                customer=each.customer,
                was=each.key,
                now=await master_keys.wrap(key, context, active_id),
            )
        )
    return anew
