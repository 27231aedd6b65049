"""Shutdown: SIGTERM and SIGINT cancel a process's work, which then cleans up after itself."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

Result = TypeVar("Result")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def run_until_signalled(main: Coroutine[Any, Any, Result]) -> Result | None:
    """Run `main` to its end, or until a signal; then cancel it and wait until it is done.

    None after a signal. Further signals change nothing: cleaning up is under way.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(main, name="main")
    received: list[str] = []

    def cancel(number: signal.Signals) -> None:
        if not received:
            structlog.get_logger().info("stopping", signal=number.name)
            task.cancel()
        received.append(number.name)

    for number in _SIGNALS:
        loop.add_signal_handler(number, cancel, number)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            return None
        raise
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
