import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { openRemoteAppliance } from "#src/appliance/remote/remote-appliance.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { openLog } from "#src/host/node/log.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import { batchMagic, batchRecords, getBatchHeader } from "#src/records/batch.ts";
import { realDriver } from "#test/contract/driver.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { payloadOf, wireBatch } from "#test/journals/wire-batch.ts";
import { groupA, hello, LocalPeer } from "./remote-world.ts";

test("on real files what was taken is durable, survives a stop, and comes back", async () => {
  const folder = temporaryFolder();
  const machine = nodeMachine(openLog({ level: "error", format: "text", clock: nodeClock, write: () => {} }));
  for (let life = 1; life <= 3; life++) {
    const appliance = await openRemoteAppliance({ machine, folder });
    const peer = new LocalPeer();
    Object.assign(peer, await appliance.open(hello({ life }), peer));
    expect(peer.welcome.durable).toBe((life - 1) * 2);
    const firstSeq = peer.welcome.received + 1;
    peer.send(wireBatch({ firstSeq }, [{ blockCount: 3, content: life }, {}]));
    peer.owner.askDurable(firstSeq + 1);
    await realDriver.until(() => peer.last.durable === firstSeq + 1);
    peer.owner.fetch(0);
    await realDriver.until(() => peer.hasFetched);
    const payloads = peer.fetched.flatMap((bytes) => {
      const header = getBatchHeader(bytes, 0, batchMagic.records);
      const records = (header && batchRecords(bytes, 0, header)) ?? [];
      return records.map(({ payloadAt, payloadBytes }) => bytes.subarray(payloadAt, payloadAt + payloadBytes));
    });
    expect(payloads.length).toBe(life * 2);
    expect(payloads.at(-2)).toEqual(payloadOf(life, 3));
    await appliance.stop();
  }
  expect(readdirSync(`${folder}/groups/${groupA}`)).toEqual(["group.json", "metadata", "segments"]);
  expect(readdirSync(`${folder}/groups/${groupA}/segments`).length).toBe(6);
});
