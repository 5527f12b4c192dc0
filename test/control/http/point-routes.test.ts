/** What the API answers about the points of volumes. */
import { expect, test } from "vitest";
import type { TimelineReport } from "#src/control/volume-history.ts";
import { driven } from "#test/contract/driver.ts";
import { apiDriver } from "./api-driver.ts";
import { ScriptedSide } from "./scripted-side.ts";

const time = "2026-01-02T03:04:05.000Z";
const report: TimelineReport = {
  volume: "disk",
  newest: { seq: 9, time },
  ranges: [{ kind: "points", granularity: "every-write", firstSeq: 2, lastSeq: 9, from: time, to: time }],
  marks: [{ name: "noon", seq: 4, time, quiesced: false, point: true }],
  snapshots: [{ seq: 5, time }],
  drills: [{ seq: 4, time, outcome: "proven", command: "fsck", point: false }],
  damaged: [],
  cut: false,
  events: [{ seq: 3, time, type: "mode", says: { to: "sync" } }],
};

function calling() {
  const side = new ScriptedSide();
  side.history = report;
  const get = async (target: string) => {
    const request = { method: "GET", target: `/api/v1${target}`, headers: { host: "localhost:7878" } };
    const response = await driven(
      apiDriver(side.simulation.clock),
      side.handler()({ ...request, body: Buffer.alloc(0) }),
    );
    return { status: response.status, body: JSON.parse(response.body) };
  };
  return { side, get };
}

test("a number behind the name says which volume of the name is meant, also with its group's", async () => {
  const { side, get } = calling();
  for (const path of ["disk%231", "west%2Fdisk%231"]) expect((await get(`/volumes/${path}/points`)).status).toBe(200);
  expect(side.asked).toEqual([{ history: { volume: "disk#1" } }, { history: { volume: "west/disk#1" } }]);
  for (const path of ["west%2Fdisk%23", "west%2F%231", "west%2F..%231", "a%231%2Fb"]) {
    expect((await get(`/volumes/${path}/points`)).status).toBe(400);
  }
});

test("where several groups have a volume of one name, GROUP/VOLUME says which, and is no way to anywhere", async () => {
  const { side, get } = calling();
  await get("/volumes/west%2Fdisk/points");
  expect(side.asked).toEqual([{ history: { volume: "west/disk" } }]);
  for (const path of ["west%2F..", "..%2Fdisk", "a%2Fb%2Fc", "%2Fdisk", "west%2F", "west%5Cdisk", "west%2Fdi%00sk"]) {
    expect((await get(`/volumes/${path}/points`)).status).toBe(400);
  }
});

test("points are told without, and a timeline with what happened", async () => {
  const { get } = calling();
  const { events: _, ...points } = report;
  expect(await get("/volumes/disk/points")).toEqual({ status: 200, body: points });
  expect(await get("/volumes/disk/timeline")).toEqual({ status: 200, body: report });
});

test("the query bounds what is told, and nothing else may stand in it", async () => {
  const { side, get } = calling();
  await get("/volumes/disk/points?from=-5m&to=mark:noon");
  expect(side.asked).toEqual([{ history: { volume: "disk", from: "-5m", to: "mark:noon" } }]);
  const refused = [
    ["form=-5m", "there is no \"form\" in the query of this address; did you mean 'from'?"],
    ["from=", "'from' has 1 to 256 characters"],
    [`from=${"x".repeat(257)}`, "'from' has 1 to 256 characters"],
  ] as const;
  for (const [query, detail] of refused) {
    expect(await get(`/volumes/disk/timeline?${query}`)).toMatchObject({ status: 400, body: { detail } });
  }
});
