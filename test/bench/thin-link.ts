/** `node thin-link.ts LISTEN TARGET MEGABITS DELAY`: stands between two Unix sockets as a link of little bandwidth would. */
import net from "node:net";

const [listenPath = "", targetPath = "", megabits = "", delay = ""] = process.argv.slice(2);
const bytesPerMs = (Number(megabits) * 1e6) / 8 / 1000;
const delayMs = Number(delay);
/** What a router would queue before it lets the sender wait. */
const queueBytesMax = 256 * 1024;

function pass(from: net.Socket, to: net.Socket): void {
  let freeMs = 0;
  let queuedBytes = 0;
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroy());
  from.on("data", (bytes: Buffer) => {
    const nowMs = performance.now();
    freeMs = Math.max(freeMs, nowMs) + bytes.length / bytesPerMs;
    queuedBytes += bytes.length;
    if (queuedBytes > queueBytesMax) from.pause();
    // Out of the queue when it was put onto the line, at the other end so much later.
    setTimeout(() => {
      queuedBytes -= bytes.length;
      if (queuedBytes <= queueBytesMax) from.resume();
    }, freeMs - nowMs);
    setTimeout(() => to.write(bytes), freeMs - nowMs + delayMs);
  });
}

const server = net.createServer((near) => {
  const far = net.connect(targetPath);
  pass(near, far);
  pass(far, near);
});
server.listen(listenPath, () => process.stdout.write("listening\n"));
