"""Keeps a copy of Rollcall's users. docs/consumers.md explains each step.

Every failure that is not the message's own fault ends the connection. The loop in `main` connects again after a pause,
and the broker delivers again what was not acknowledged. So this process may also be killed at any moment.
"""

import json
import logging
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pika
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from pika.adapters.blocking_connection import BlockingChannel

from store import Store

AMQP_URL = os.environ.get("AMQP_URL", "amqp://guest:guest@127.0.0.1:5673")
EXCHANGE = os.environ.get("EXCHANGE", "user_events")
QUEUE = os.environ.get("QUEUE", "newsletter.users")
RECEIPTS_QUEUE = os.environ.get("RECEIPTS_QUEUE", "rollcall.receipts")
HOLDER = os.environ.get("HOLDER", "newsletter")
DATABASE = os.environ.get("DATABASE", "newsletter.db")
SCHEMAS = Path(os.environ.get("SCHEMAS", "docs/events/schemas"))

DEAD_LETTERS = f"{QUEUE}.dead_letters"
TYPES = ["user.created", "user.updated", "user.deleted", "user.erasure_requested", "user.export_requested"]
PREFETCH = 20
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1, 30

Validators = dict[str, Draft202012Validator]

log = logging.getLogger("newsletter")


class PoisonError(Exception):
    """No attempt can help: the message is a dead letter. Its text must not quote the message."""


def load_validators() -> Validators:
    return {name: Draft202012Validator(load_schema(name), format_checker=FormatChecker()) for name in TYPES}


def load_schema(name: str) -> dict:
    return json.loads((SCHEMAS / f"{name}.v1.json").read_text())


def parse(body: bytes, validators: Validators) -> dict:
    try:
        event = json.loads(body.decode())
        # Fails for half a surrogate pair, which no database stores as text.
        json.dumps(event, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise PoisonError("Not JSON") from None
    name = event.get("type") if isinstance(event, dict) else None
    validator = validators.get(name) if isinstance(name, str) else None
    if validator is None:
        raise PoisonError("Unknown type")
    error = best_match(validator.iter_errors(event))
    if error is not None:
        # Not `error.message`, which quotes the value.
        raise PoisonError(f"Against the schema of {name}: {error.json_path} ({error.validator})")
    return event


def declare(channel: BlockingChannel) -> None:
    """Declares both queues. The exchange is Rollcall's: until it exists, the binding fails, and `main` tries again."""
    # In effect no limit, because `remove_dead_letters` returns them again and again.
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000_000}
    channel.queue_declare(DEAD_LETTERS, durable=True, arguments=arguments)
    arguments = {
        "x-queue-type": "quorum",
        # A message that came back so often, because it ends the process perhaps, becomes a dead letter by itself.
        "x-delivery-limit": 100,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": DEAD_LETTERS,
        # Of several instances one consumes and the others wait, so that events stay in order.
        "x-single-active-consumer": True,
    }
    channel.queue_declare(QUEUE, durable=True, arguments=arguments)
    for name in TYPES:
        channel.queue_bind(QUEUE, EXCHANGE, name)


def send(channel: BlockingChannel, queue: str, body: bytes, headers: dict | None = None) -> None:
    """Returns once the broker has stored the message. Raises UnroutableError if there is no such queue."""
    properties = pika.BasicProperties(
        content_type="application/json", delivery_mode=pika.spec.PERSISTENT_DELIVERY_MODE, headers=headers
    )
    channel.basic_publish("", queue, body, properties, mandatory=True)


def remove_dead_letters(connection: pika.BlockingConnection, subject: str) -> None:
    """Removes the dead letters that mention the user. Closing the channel returns the others to their places."""
    with connection.channel() as channel:
        while True:
            method, _, body = channel.basic_get(DEAD_LETTERS)
            if method is None:
                return
            if subject.encode() in body:
                channel.basic_ack(method.delivery_tag)


def handle(connection: pika.BlockingConnection, channel: BlockingChannel, store: Store, event: dict) -> None:
    subject, data = event["subject"], event["data"]
    was_known = store.has_known(subject)
    outcome = store.apply(event)
    # Repeated requests are answered again, because the process may have ended before the first answer.
    if event["type"] == "user.erasure_requested":
        remove_dead_letters(connection, subject)
        store.scrub()
        answer(channel, data["caseId"], {"outcome": "erased" if was_known else "nothing_held"})
    elif event["type"] == "user.export_requested":
        held = store.data_of(subject)
        answer(channel, data["caseId"], {"outcome": "exported", "data": held} if held else {"outcome": "nothing_held"})
    log.info("%s %s %s", outcome, event["type"], event["id"])


def answer(channel: BlockingChannel, case_id: str, result: dict) -> None:
    send(channel, RECEIPTS_QUEUE, json.dumps({"caseId": case_id, "holder": HOLDER, **result}).encode())


def consume(store: Store, validators: Validators) -> Iterator[None]:
    """Consumes until the connection ends. Yields after each acknowledgement."""
    parameters = pika.URLParameters(AMQP_URL)
    parameters.heartbeat = 30
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_qos(prefetch_count=PREFETCH)
        declare(channel)
        log.info("consuming %s", QUEUE)
        for method, _, body in channel.consume(QUEUE):
            try:
                handle(connection, channel, store, parse(body, validators))
            except PoisonError as error:
                send(channel, DEAD_LETTERS, body, {"reason": str(error)})
                log.warning("dead letter: %s", error)
            channel.basic_ack(method.delivery_tag)
            yield


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    store, validators = Store(DATABASE), load_validators()
    pause = FIRST_PAUSE_S
    while True:
        try:
            for _ in consume(store, validators):
                pause = FIRST_PAUSE_S
            reason = "the broker cancelled the consumer"
        except Exception as error:  # also the database's: the message waits in the queue meanwhile
            reason = repr(error)
        log.error("connecting again in up to %d s: %s", pause, reason)
        time.sleep(pause * random.uniform(0.5, 1))
        pause = min(2 * pause, LONGEST_PAUSE_S)


if __name__ == "__main__":
    main()
