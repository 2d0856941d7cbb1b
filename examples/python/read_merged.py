"""Follows events.merged with confluent-kafka, fastavro and the schema registry. See ../README.md."""

import io
import json
import os
import struct
import sys

import requests
from confluent_kafka import Consumer, KafkaError, KafkaException
from fastavro import parse_schema, schemaless_reader

REGISTRY_URL = os.environ.get("SCHEMA_REGISTRY_URL", "http://127.0.0.1:8081").rstrip("/")
TOPIC = os.environ.get("READ_TOPIC", "events.merged")
COUNT_MAX = int(os.environ.get("READ_COUNT", sys.maxsize))
REQUEST_SECONDS_MAX = 10
POLL_SECONDS = 1.0

schemas = {}


def schema_of(schema_id):
    """The schema under which a value was written; schemas never change, so each is asked for once."""
    if schema_id not in schemas:
        answer = requests.get(f"{REGISTRY_URL}/schemas/ids/{schema_id}", timeout=REQUEST_SECONDS_MAX)
        answer.raise_for_status()
        schemas[schema_id] = parse_schema(json.loads(answer.json()["schema"]))
    return schemas[schema_id]


def decode(value):
    """A value in Confluent's wire format: a zero byte, the schema's id (4 bytes, big-endian), the record."""
    magic, schema_id = struct.unpack(">bI", value[:5])
    if magic != 0:
        raise ValueError("not a value in Confluent's wire format")
    return schemaless_reader(io.BytesIO(value[5:]), schema_of(schema_id))


def main():
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ.get("KAFKA_BROKERS", "127.0.0.1:9092"),
            "group.id": os.environ.get("READ_GROUP", "example-python"),
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([TOPIC])
    count = 0
    try:
        while count < COUNT_MAX:
            message = consumer.poll(POLL_SECONDS)
            if message is None:
                continue
            if message.error() is not None:
                if message.error().code() == KafkaError._PARTITION_EOF:
                    continue
                raise KafkaException(message.error())
            if message.value() is None:
                continue
            record = decode(message.value())
            if record["kind"] == "event" and record["event"] is not None:
                event = record["event"]
                line = {
                    "partition": message.partition(),
                    "offset": message.offset(),
                    "person_id": record["person_id"],
                    "message_id": event["message_id"],
                    "type": event["type"],
                    "name": event["name"],
                    "previously_anonymous": record["previously_anonymous"],
                    "properties": json.loads(event["properties"] or "{}"),
                }
                print(json.dumps(line, ensure_ascii=False), flush=True)
                count += 1
            # The effect above is done: what follows may be read twice after a crash, never left out.
            consumer.commit(message, asynchronous=False)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
