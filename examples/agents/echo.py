#!/usr/bin/env python3
"""An agent that says what it hears. `pip install websockets`, then `python3 echo.py [PORT]`."""

import asyncio
import json
import sys

from websockets.asyncio.server import serve


async def call(socket):
    async for text in socket:
        message = json.loads(text)
        if message["event"] == "start":
            print("a call from", message["start"]["customParameters"]["from_number"], flush=True)
        elif message["event"] == "media":
            await socket.send(json.dumps({
                "event": "media",
                "streamSid": message["streamSid"],
                "media": {"payload": message["media"]["payload"]},
            }))
    print("the call is over", flush=True)


async def main(port):
    async with serve(call, "127.0.0.1", port) as server:
        print(f"ws://127.0.0.1:{port}", flush=True)
        await server.serve_forever()


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8765))
