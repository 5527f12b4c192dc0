/** All clocks of both sites jump a year ahead, and back: what is to be kept for days is still there. */
import { expect, test } from "vitest";
import type { JobReport } from "#src/control/job.ts";
import { needPrograms, temporaryFolder } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { temporaryPlaces } from "#test/kill/rounds.ts";
import { settableClock } from "#test/oracle/settable-clock.ts";
import { Sites, volumeName } from "#test/oracle/sites.ts";
import { whenSeen } from "#test/patience.ts";

needPrograms("setpriv");

const yearMs = 365 * 86_400_000;
const blockBytes = 4096;
const writesPerStep = 40;

async function asked(sites: Sites, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${sites.api("remote")}/api/v1${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

/** All of it is sealed then, in pieces of its own. */
async function write(sites: Sites, fill: number): Promise<void> {
  const client = await sites.connect();
  for (let block = 0; block < writesPerStep; block++) {
    await client.write(block * blockBytes, Buffer.alloc(blockBytes, fill));
  }
  await client.flush();
  await client.disconnect();
  await whenSeen(async () => {
    const { lastSeq } = await sites.group();
    expect((await sites.remoteGroup()).stored).toBe(lastSeq);
  });
}

async function collect(sites: Sites): Promise<void> {
  const { id } = (await asked(sites, "POST", "/store/collect", {})) as JobReport;
  await whenSeen(async () => {
    expect(((await asked(sites, "GET", `/jobs/${id}`)) as JobReport).state).toBe("done");
  });
}

/** All records that are points, as views are opened of them. */
async function points(sites: Sites, lastSeq: number): Promise<number[]> {
  const found: number[] = [];
  for (let seq = 1; seq <= lastSeq; seq++) {
    const wish = { volume: volumeName, point: `seq:${seq}`, nearest: true };
    const answer = await asked(sites, "POST", "/views", wish).catch(() => undefined);
    if (answer === undefined) continue;
    const view = answer as { readonly name: string; readonly seq: number };
    if (view.seq === seq) found.push(seq);
    await asked(sites, "DELETE", `/views/${encodeURIComponent(view.name)}`);
  }
  return found;
}

test("fault 28: while all clocks jump a year ahead, and back, no point that is to be kept for days expires or is folded", async () => {
  const folder = await temporaryFolder();
  const { jump, clocks } = settableClock(folder.file("offset"));
  const retention = { keepSeconds: 30 * 86_400, levels: "1d 1m, 7d 1h" };
  const store = { sealAfterSeconds: 1, retention, collect: { graceSeconds: 0 } };
  const settings = { store };
  const places = await temporaryPlaces();
  const sites = await Sites.make({ sizeBytes: MiB, mode: "async", places, ...clocks, settings });
  await write(sites, 1);
  await write(sites, 2);
  const { lastSeq } = await sites.group();
  const before = await points(sites, lastSeq);
  jump(yearMs);
  await write(sites, 3);
  await write(sites, 4);
  await collect(sites);
  await collect(sites);
  expect(await points(sites, lastSeq)).toEqual(before);
  jump(0);
  await write(sites, 5);
  await collect(sites);
  await collect(sites);
  expect(await points(sites, lastSeq)).toEqual(before);
});
