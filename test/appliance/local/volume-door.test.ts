/** Interceptors of other processes at a local appliance whose spool fails. */
import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { VolumeLinkClient } from "#src/wire/volume-link-client.ts";
import { VolumeLinkServer } from "#src/wire/volume-link-server.ts";
import { systemError } from "#test/sim/system-error.ts";
import { portsOf, token } from "#test/wire/group-world.ts";
import { RecordingReceiver, socketAddress } from "#test/wire/volume-world.ts";
import { Bench, identity } from "./appliance-bench.ts";

test("fault 13: flushes that waited behind a write whose spool fails are lost with the link, and nothing else ends", async () => {
  const it = new Bench();
  await it.open();
  const server = new VolumeLinkServer({ ...portsOf(it.host), token }, it.appliance);
  await it.done(server.listen(socketAddress));
  const client = new VolumeLinkClient({ ...portsOf(it.host), token, address: socketAddress });
  const receiver = new RecordingReceiver();
  const { link } = await it.done(client.attach(identity, 0, receiver));
  await it.rest();
  const answers: (string | undefined)[] = [];
  const write = (block: number): void => {
    expect(link.hasRoomFor(1)).toBe(true);
    link.addWrite(block, 1, Buffer.alloc(blockBytes, 1), 0);
    link.commit();
  };
  const { disk } = it.host;
  const writeNow = disk.writeNow.bind(disk);
  // The first write finds the disk full, and gets its place when it is tried again; the one behind it does not.
  const outcomes = ["ENOSPC", undefined, "EIO"];
  disk.writeNow = (...call) => {
    const code = outcomes.shift();
    if (code !== undefined) throw systemError(code, "write");
    writeNow(...call);
  };
  write(1);
  await it.rest(10);
  expect(it.figures.why).toContain("disk is full");
  write(2);
  for (let count = 0; count < 2; count++) link.flush((error) => answers.push(error?.message));
  await it.rest(10);
  expect(outcomes).toHaveLength(2);
  await it.rest(1_000);
  expect(receiver.losses).toMatchObject([{ name: "StopError", message: expect.stringContaining("EIO") }]);
  expect(answers).toEqual([expect.stringContaining("EIO"), expect.stringContaining("EIO")]);
  expect(it.figures.state).toBe("stopped");
});
