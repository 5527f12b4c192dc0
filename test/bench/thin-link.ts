/**
 * `node thin-link.ts LISTEN TARGET MEGABITS DELAY`: stands between two Unix sockets as a link of little bandwidth would, or of
 * any (`Infinity`), whose other end is so many milliseconds away.
 */
import net from "node:net";

const [listenPath = "", targetPath = "", megabits = "", delay = ""] = process.argv.slice(2);
const bytesPerMs = (Number(megabits) * 1e6) / 8 / 1000;
const delayMs = Number(delay);
/** What a router would queue before it lets the sender wait, in time. */
const queueMsMax = (256 * 1024) / bytesPerMs;
/** Timers know whole milliseconds: what is due sooner than half of one goes at once. */
const soonMs = 0.5;

interface Held {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

function pass(from: net.Socket, to: net.Socket): void {
  const held: Held[] = [];
  let freeMs = 0;
  // One at a time and in their order: two timers may change places.
  const deliver = (): void => {
    for (let next = held[0]; next !== undefined; next = held[0]) {
      const waitMs = next.dueMs - performance.now();
      if (waitMs > soonMs) {
        setTimeout(deliver, waitMs);
        return;
      }
      held.shift();
      to.write(next.bytes);
    }
  };
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroy());
  from.on("data", (bytes: Buffer) => {
    const nowMs = performance.now();
    freeMs = Math.max(freeMs, nowMs) + bytes.length / bytesPerMs;
    const overMs = freeMs - nowMs - queueMsMax;
    if (overMs > 0) {
      from.pause();
      setTimeout(() => from.resume(), overMs);
    }
    // At the other end so much later than it was put onto the line.
    held.push({ bytes, dueMs: freeMs + delayMs });
    if (held.length === 1) deliver();
  });
}

const server = net.createServer((near) => {
  const far = net.connect(targetPath);
  pass(near, far);
  pass(far, near);
});
server.listen(listenPath, () => process.stdout.write("listening\n"));
