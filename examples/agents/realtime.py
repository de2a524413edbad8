#!/usr/bin/env python3
"""An agent in the shape of the phone samples for OpenAI's Realtime API, with a model that needs no network.

It greets, answers when the caller has finished, and falls silent when it is interrupted. Replace `LocalModel` by a
WebSocket to your model: the events have the same names. `pip install websockets`, then `python3 realtime.py [PORT]`.
"""

import asyncio
import base64
import json
import math
import sys

from websockets.asyncio.server import serve

FRAME = 160  # bytes of u-law in 20 ms


def mu_law(sample):
    """One linear sample of 16 bits as u-law (G.711)."""
    sign, magnitude = (0x00, min(-sample, 32635)) if sample < 0 else (0x80, min(sample, 32635))
    magnitude += 132
    exponent = magnitude.bit_length() - 8
    return (sign | 0x7F) - (exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F) & 0xFF


def loud(payload):
    """Whether somebody speaks: the segments nearest to zero have the high bits set."""
    return sum(byte & 0x70 < 0x50 for byte in payload) > FRAME // 4


class LocalModel:
    """Says a tone for every turn, and notices speech by its loudness."""

    def __init__(self):
        self.events = asyncio.Queue()
        self.speaking, self.quiet = False, 0

    async def say(self, hertz, seconds):
        tone = bytes(mu_law(int(8000 * math.sin(math.tau * hertz * n / 8000))) for n in range(int(8000 * seconds)))
        for start in range(0, len(tone), 4000):  # half a second each, much faster than they are played
            delta = base64.b64encode(tone[start:start + 4000]).decode()
            await self.events.put({"type": "response.output_audio.delta", "item_id": f"item_{hertz}", "delta": delta})

    async def hear(self, payload):
        if loud(payload):
            self.quiet = 0
            if not self.speaking:
                self.speaking = True
                await self.events.put({"type": "input_audio_buffer.speech_started"})
        elif self.speaking:
            self.quiet += 1
            if self.quiet == 15:  # 300 ms
                self.speaking = False
                await self.say(600, 1.0)


async def call(socket):
    model = LocalModel()
    stream, latest, began, item, marks = None, 0, None, None, []

    async def from_caller():
        nonlocal stream, latest
        async for text in socket:
            message = json.loads(text)
            if message["event"] == "start":
                stream = message["start"]["streamSid"]
                await model.say(500, 3.0)
            elif message["event"] == "media":
                latest = int(message["media"]["timestamp"])
                await model.hear(base64.b64decode(message["media"]["payload"]))
            elif message["event"] == "mark" and marks:
                marks.pop(0)

    async def from_model():
        nonlocal began, item
        while True:
            event = await model.events.get()
            if event["type"] == "response.output_audio.delta":
                if item != event["item_id"] or not marks:
                    began, item = latest, event["item_id"]
                await send({"event": "media", "media": {"payload": event["delta"]}})
                await send({"event": "mark", "mark": {"name": "responsePart"}})
                marks.append("responsePart")
            elif event["type"] == "input_audio_buffer.speech_started" and marks:
                print(f"interrupted after {latest - began} ms of {item}", flush=True)
                await send({"event": "clear"})
                marks.clear()

    async def send(message):
        await socket.send(json.dumps({**message, "streamSid": stream}))

    speaking = asyncio.create_task(from_model())
    try:
        await from_caller()
    finally:
        speaking.cancel()


async def main(port):
    async with serve(call, "127.0.0.1", port) as server:
        print(f"ws://127.0.0.1:{port}", flush=True)
        await server.serve_forever()


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8766))
