"""A device as its firmware might be written with paho: one image after the other, each kept until its PUBACK.

usage: paho-device.py HOST PORT DEVICE QOS PHOTO...

Prints what it has done as JSON: {"published": {imageId: sha256}, "notes": {imageId: status}}. It waits for the note
about each image, and ends with 1 where a PUBACK or a note does not come in time.
"""
import hashlib
import json
import os
import sys
import threading

import paho.mqtt.client as mqtt

SECONDS_MAX = 20

host, port, device, qos = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
photos = sys.argv[5:]
published = {}
notes = {}
subscribed = threading.Event()
told = threading.Event()


def on_message(client, userdata, message):
    note = json.loads(message.payload)
    notes[note["id"]] = note["status"]
    if len(notes) == len(photos):
        told.set()


# paho 2 wants to be told which signature its callbacks have; paho 1 knows one only.
versioned = hasattr(mqtt, "CallbackAPIVersion")
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, device) if versioned else mqtt.Client(device)
client.on_message = on_message
client.on_subscribe = lambda *args: subscribed.set()
client.connect(host, port)
client.loop_start()
client.subscribe(f"devices/{device}/acks", qos=1)
if not subscribed.wait(SECONDS_MAX):
    sys.exit("no SUBACK")

for path in photos:
    image_id = os.path.splitext(os.path.basename(path))[0]
    with open(path, "rb") as file:
        image = file.read()
    info = client.publish(f"devices/{device}/images/{image_id}", image, qos=qos)
    info.wait_for_publish(SECONDS_MAX)
    if not info.is_published():
        sys.exit(f"no {'PUBACK' if qos == 1 else 'PUBCOMP'} for {image_id}")
    published[image_id] = hashlib.sha256(image).hexdigest()

if not told.wait(SECONDS_MAX):
    sys.exit(f"notes about {len(notes)} of {len(photos)} images")
client.disconnect()
client.loop_stop()
print(json.dumps({"published": published, "notes": notes}))
