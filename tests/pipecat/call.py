"""A caller, the daemon, and Pipecat: the caller talks, Pipecat hears it, answers, is interrupted, and hangs up."""

import asyncio
import json
import math
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import numpy
from pipecat.frames.frames import EndFrame, InputAudioRawFrame, InputDTMFFrame, InterruptionFrame, OutputAudioRawFrame
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from websockets.asyncio.server import serve

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
HEARD, ANSWER = 440.0, 700.0  # what the caller says, what Pipecat says


def tone(hertz, rate, seconds):
    return (8000 * numpy.sin(math.tau * hertz * numpy.arange(int(rate * seconds)) / rate)).astype("<i2")


def level(samples, rate, hertz):
    wave = numpy.exp(-2j * math.pi * hertz * numpy.arange(len(samples)) / rate)
    return 2 * abs((samples * wave).sum()) / len(samples)


def mu_law_decode(payload):
    bits = ~numpy.frombuffer(payload, numpy.uint8).astype(numpy.int32)
    magnitude = ((((bits & 0x0F) << 3) + 132) << ((bits >> 4) & 7)) - 132
    return numpy.where(bits & 0x80, -magnitude, magnitude)


def mu_law(sample):
    sign, magnitude = (0, min(-sample, 32635)) if sample < 0 else (0x80, min(sample, 32635))
    magnitude += 132
    exponent = magnitude.bit_length() - 8
    return (sign | 0x7F) - (exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F) & 0xFF


class FastApiLike:
    """What Pipecat's runner reads of a FastAPI WebSocket."""

    def __init__(self, websocket):
        self.websocket = websocket

    async def iter_text(self):
        async for text in self.websocket:
            yield text


class Caller(asyncio.DatagramProtocol):
    """SIP and RTP over plain UDP."""

    def __init__(self, daemon):
        self.daemon, self.events = daemon, asyncio.Queue()
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for one in (self.sip, self.rtp):
            one.bind(("127.0.0.1", 0))
            one.setblocking(False)
        self.to = "<sip:+14155550100@127.0.0.1>"

    def send(self, method, body=""):
        here = "%s:%d" % self.sip.getsockname()
        kind = "Content-Type: application/sdp\r\n" if body else ""
        message = (
            f"{method} sip:+14155550100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{method};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:+12125550123@127.0.0.1>;tag=c\r\nTo: {self.to}\r\nCall-ID: pipecat\r\n"
            f"CSeq: 1 {method}\r\nContact: <sip:c@{here}>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self.sip.sendto(message.encode(), self.daemon)

    async def receive(self):
        return (await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sip, 4096), 20)).decode()

    async def answered(self):
        port = self.rtp.getsockname()[1]
        self.send("INVITE", f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                  f"m=audio {port} RTP/AVP 0\r\n")
        while True:
            message = await self.receive()
            if message.startswith("SIP/2.0 200"):
                self.to = re.search(r"^To: (.*?)\r$", message, re.M)[1]
                self.peer = ("127.0.0.1", int(re.search(r"m=audio (\d+)", message)[1]))
                self.send("ACK")
                return
            assert message.startswith("SIP/2.0 1"), message

    async def talk(self):
        audio = bytes(mu_law(int(sample)) for sample in tone(HEARD, 8000, 8))
        for number in range(len(audio) // 160):
            head = b"\x80\x00" + (number & 0xFFFF).to_bytes(2, "big") + (number * 160).to_bytes(4, "big") + b"\0\0\0\1"
            self.rtp.sendto(head + audio[number * 160:][:160], self.peer)
            await asyncio.sleep(0.02)

    async def hear(self):
        packet = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.rtp, 2048), 20)
        return mu_law_decode(packet[12:])

    async def hears(self, hertz):
        for _ in range(100):
            samples = numpy.concatenate([await self.hear() for _ in range(10)])
            if level(samples, 8000, hertz) > 4000:
                return
        raise AssertionError(f"the caller does not hear {hertz} Hz")

    async def hung_up_on(self):
        while True:
            message = await self.receive()
            if message.startswith("BYE "):
                kept = [line for line in message.split("\r\n") if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
                self.sip.sendto(("SIP/2.0 200 OK\r\n" + "\r\n".join(kept) + "\r\nContent-Length: 0\r\n\r\n").encode(), self.daemon)
                return


async def main():
    done = asyncio.get_running_loop().create_future()
    site = pathlib.Path(tempfile.mkdtemp())

    async def agent(websocket):
        try:
            await converse(websocket)
            if not done.done():
                done.set_result(None)
        except BaseException as error:
            if not done.done():
                done.set_exception(error)
            raise

    async def converse(websocket):
        dialect, call = await parse_telephony_websocket(FastApiLike(websocket))
        assert dialect == "twilio", dialect
        assert (call.from_number, call.to_number) == ("+12125550123", "+14155550100"), call
        assert call.body["team"] == "reception", call
        print("Pipecat tells the dialect and the numbers:", dialect, call.from_number, call.to_number)
        serializer = TwilioFrameSerializer(
            call.stream_id, call.call_id, account["account_sid"], account["auth_token"], base_url=f"http://{api}"
        )
        await serializer.setup(SimpleNamespace(audio_in_sample_rate=16000))
        heard, frames, answered = numpy.empty(0), 0, False
        async for text in websocket:
            frame = await serializer.deserialize(text)
            if json.loads(text)["event"] == "media":
                frames += 1
            if isinstance(frame, InputAudioRawFrame):
                heard = numpy.concatenate([heard, numpy.frombuffer(frame.audio, "<i2")])[-8000:]
            if not answered and len(heard) == 8000 and level(heard, 16000, HEARD) > 4000:
                answered = True
                print(f"Pipecat hears {HEARD:.0f} Hz after {frames} frames, and answers at 24 kHz")
                speech = tone(ANSWER, 24000, 5)
                for start in range(0, len(speech), 2400):
                    frame = OutputAudioRawFrame(speech[start:start + 2400].tobytes(), 24000, 1)
                    if (said := await serializer.serialize(frame)) is not None:
                        await websocket.send(said)
            if interrupt.is_set():
                interrupt.clear()
                await websocket.send(await serializer.serialize(InterruptionFrame()))
            if hang_up.is_set():
                hang_up.clear()
                await serializer.serialize(EndFrame())

    interrupt, hang_up = asyncio.Event(), asyncio.Event()
    async with serve(agent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        (site / "strowger.toml").write_text(f"""
[stack]
name = "pipecat"
[gateway.here]
address = "127.0.0.1:5999"
transport = "udp"
[number."+14155550100"]
gateway = "here"
[agent.pipecat]
id = "pipecat"
url = "ws://127.0.0.1:{port}"
[rule.main]
direction = "inbound"
numbers = ["+14155550100"]
agent = "pipecat"
metadata = {{ team = "reception" }}
""")
        daemon = subprocess.Popen(
            [PROGRAM, "daemon", site, "--data-dir", site / "data", "--api", "127.0.0.1:0", "--sip", "udp:127.0.0.1:0",
             "--media-ports", "31000-31099"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            api = sip = None
            for line in daemon.stdout:
                api = line.split("http://")[1].strip() if "  api " in line else api
                sip = int(line.rsplit(":", 1)[1]) if "  sip " in line else sip
                if line.startswith("ready:"):
                    break
            printed = subprocess.run([PROGRAM, "agent", "credentials", "--data-dir", site / "data"],
                                     capture_output=True, text=True, check=True).stdout
            account = dict(line.split("=") for line in printed.split())
            caller = Caller(("127.0.0.1", sip))
            await caller.answered()
            talking = asyncio.create_task(caller.talk())
            await caller.hears(ANSWER)
            print(f"the caller hears {ANSWER:.0f} Hz")
            interrupt.set()
            quiet = 0
            while quiet < 5:
                quiet = quiet + 1 if abs(await caller.hear()).max() < 200 else 0
            print("the caller hears silence after Pipecat's interruption")
            hang_up.set()
            await caller.hung_up_on()
            print("Pipecat's own hang-up ended the call")
            await asyncio.wait_for(done, 20)
            talking.cancel()
        finally:
            daemon.terminate()
            log = daemon.stderr.read()
            if sys.exc_info()[0]:
                print(log, file=sys.stderr)
        assert "it was ended over the API" in log, log


asyncio.run(main())
