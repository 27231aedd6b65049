"""The commands that run a process until it is stopped; `up` runs them all."""

import sys

import click

from services.command_line.options import PROJECTIONS
from services.command_line.running import run_process, settings_now


@click.command()
def up() -> None:
    """Start everything on this machine; Ctrl-C stops it.

    An embedded PostgreSQL and Kafka, or those that are configured, and all processes, under one
    supervisor.
    """
    from services.supervisor.main import run

    sys.exit(run_process("supervisor", run(settings_now(own_servers=True)), logs=False) or 0)


@click.command()
def gateway() -> None:
    """Serve both APIs by HTTP."""
    from services.gateway.main import run

    run_process("gateway", run(settings_now("gateway")))


@click.command()
def intake() -> None:
    """Apply commands from Kafka, and answer there."""
    from services.intake.main import run

    run_process("intake", run(settings_now("intake")))


@click.command()
def relay() -> None:
    """Publish the log to Kafka. One is active, others stand by."""
    from services.relay.main import run

    run_process("relay", run(settings_now("relay")))


@click.command()
@click.argument("name", type=PROJECTIONS)
def projector(name: str) -> None:
    """Keep the read model NAME up with Kafka."""
    from services.projector.main import run

    run_process(f"projector-{name}", run(settings_now("projector"), name))


@click.command()
def scheduler() -> None:
    """Let credits, holds and top-ups end when they are due."""
    from services.scheduler.main import run

    run_process("scheduler", run(settings_now("scheduler")))


@click.command("sandbox-provider")
def sandbox_provider() -> None:
    """Run a payment provider that moves no real money."""
    from services.sandbox_provider.main import run

    run_process("sandbox-provider", run(settings_now()))
