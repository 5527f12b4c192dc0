/** A start that finds the spool full: what a source lacks is in there, and no link comes that would make room. */
import { expect, test } from "vitest";
import { countersOver, shareCounters } from "#src/host/node/counters.ts";
import { DeviceSource } from "#src/interceptor/device-source.ts";
import { type InterceptedVolume, openVolume } from "#src/interceptor/intercepted-volume.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import type { Attachment, VolumeIdentity, VolumeLinks } from "#src/wire/volume-link.ts";
import { VolumeLinkClient } from "#src/wire/volume-link-client.ts";
import { VolumeLinkServer } from "#src/wire/volume-link-server.ts";
import { RecordedRequest } from "#test/nbd/recorded-request.ts";
import { Bench, policy } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

const other: VolumeIdentity = { id: "bb", name: "other", group: "g", sizeBytes: 1024 * 4096 };
const overflowed = "the spool was full for too long";

/** Filled to this share of its limit, and killed, while the source had got nothing of it durably. */
async function foundWith(share: number): Promise<Bench> {
  const it = new Bench();
  it.policy = { ...policy, overflow: "track" };
  await it.start();
  it.remote.go();
  while (it.figures.spoolBytes < policy.spoolLimitBytes * share) {
    it.write(5, 1);
    it.link.commit();
  }
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  return it;
}

test("a volume that was protected until its end gets what its source lacks, and is let go of then", async () => {
  const it = await foundWith(0.96);
  expect(it.figures.state).toBe("tracking");
  await expect(it.attach()).rejects.toMatchObject({ name: "OverflowError" });
  await it.attachSaying(0, { needsRedo: true });
  expect(it.redone).toHaveLength(it.attachment.lastOrdinal);
  await it.rest(1_000);
  expect(it.lost).toEqual([]);
  it.link.reportDurable(it.attachment.lastOrdinal);
  await it.rest(1_000);
  expect(it.lost).toEqual([expect.stringContaining(overflowed)]);
  // From then on it needs nothing of the spool, and has to wait for room there.
  await expect(it.attach(it.attachment.lastOrdinal)).rejects.toMatchObject({ name: "OverflowError" });
});

test("one that is at it when the spool overflows gets all of it", async () => {
  const it = await foundWith(0.5);
  let goOn = (): void => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  it.redo = () => held;
  const attaching = it.attachSaying(0, { needsRedo: true });
  const { link } = await attachOther(it);
  while (link.hasRoomFor(1)) {
    link.addWrite(5, 1, Buffer.alloc(4096, 1), 0);
    link.commit();
  }
  await it.rest(15_000);
  expect(it.figures.state).toBe("tracking");
  goOn();
  await attaching;
  expect(it.redone).toHaveLength(it.attachment.lastOrdinal);
});

function attachOther(it: Bench): Promise<Attachment> {
  const receiver = { redo: async () => {}, acknowledged() {}, roomAgain() {}, remoteDurable() {}, lost() {} };
  return it.done(it.appliance.attach(other, 0, receiver));
}

const sizeBytes = 4096 * 1024;
const counters = countersOver(
  shareCounters(["writes_total", "write_bytes_total", "reads_total", "read_bytes_total"], []),
);

/** A whole interceptor, in the same thread or behind a socket. */
async function opened(it: Bench, isApart: boolean): Promise<InterceptedVolume> {
  const { host } = it;
  const volume = openVolume({
    identity: { id: "aa".repeat(16), name: "disk", group: "g", sizeBytes },
    ...{ files: host.files, folder: "/volume", wasEmpty: true, counters, clock: host.clock, log: host.log },
    openSource: async () => new DeviceSource(host.openBlockDevice("/source", { readOnly: false }), host.clock),
    links: isApart ? await linksApart(it) : it.appliance,
    // Nothing is told to be durable in the source before the program is killed.
    options: { checkpointMs: 1e9, checkpointBytes: 1e9, whenLost: "stall" },
  });
  return it.done(volume);
}

async function linksApart({ host, appliance }: Bench): Promise<VolumeLinks> {
  const { sockets, clock, randomness, log } = host;
  const address = { kind: "unix", path: "/door" } as const;
  const token = "its token";
  await new VolumeLinkServer({ sockets, clock, randomness, log, token }, appliance).listen(address);
  return new VolumeLinkClient({ sockets, clock, randomness, log, token, address });
}

test.each([
  ["in the same thread", false],
  ["behind a socket", true],
])(
  "a volume whose spool is full opens with what its source lacks, and goes on unprotected (%s)",
  async (_where, isApart) => {
    const it = new Bench();
    it.policy = { ...policy, overflow: "track" };
    await it.open();
    const file = it.host.files.create("/source");
    file.truncateNow(sizeBytes);
    file.close();
    it.host.files.makeFolder("/volume");
    const write = (volume: InterceptedVolume, block: number): RecordedRequest => {
      const payload = Buffer.alloc(4096, 1 + (block % 250));
      const request = new RecordedRequest({ command: command.write, offset: block * 4096, payload });
      volume.submit(request);
      volume.endBatch();
      return request;
    };
    const before = await opened(it, isApart);
    for (let block = 0; it.figures.spoolBytes < policy.spoolLimitBytes * 0.96; block++) {
      write(before, block);
      await it.rest(1);
    }
    const { addedOrdinal } = before.status();
    it.host.kill();
    it.remote = new ScriptedRemote();
    await it.open();
    const volume = await opened(it, isApart);
    expect(volume.status()).toMatchObject({ durableOrdinal: addedOrdinal });
    await it.rest(5_000);
    expect(volume.status()).toMatchObject({ state: "tracking", why: expect.stringContaining(overflowed) });
    const late = write(volume, 900);
    await it.rest(5_000);
    expect(late.error).toBe(nbdError.ok);
  },
);
