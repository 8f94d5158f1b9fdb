"""What people put behind a broker: images of all devices, put by eight threads. subscriber.py MQTT_PORT S3_ENDPOINT"""
import queue
import sys
import threading

import boto3
import paho.mqtt.client as mqtt
from botocore.config import Config

THREADS = 8

mqtt_port, endpoint = int(sys.argv[1]), sys.argv[2]
waiting = queue.Queue(maxsize=200)


def put_images():
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=config,
                      aws_access_key_id="a", aws_secret_access_key="b")
    while True:
        topic, payload = waiting.get()
        s3.put_object(Bucket="images", Key=topic, Body=payload)


def create_client():
    if hasattr(mqtt, "CallbackAPIVersion"):  # paho 2
        return mqtt.Client(mqtt.CallbackAPIVersion.VERSION1, client_id="bench-subscriber", clean_session=False)
    return mqtt.Client(client_id="bench-subscriber", clean_session=False)


for _ in range(THREADS):
    threading.Thread(target=put_images, daemon=True).start()
client = create_client()
client.on_message = lambda _client, _user, message: waiting.put((message.topic, message.payload))
client.on_subscribe = lambda *_: print("subscribed", flush=True)
client.connect("127.0.0.1", mqtt_port)
client.subscribe("devices/#", 1)
client.loop_forever()
