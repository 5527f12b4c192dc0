import { expect, test } from "vitest";
import type { MarkReport, VolumeReport } from "#src/control/control-plane.ts";
import { RestoreControl } from "#src/control/restore-control.ts";
import type { GroupFacts } from "#src/control/role.ts";
import type { SideFacts } from "#src/control/side.ts";
import type { SideClient } from "#src/control/side-client.ts";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { parseNbdUri } from "#src/nbd/uri.ts";

const wish = { point: "seq:4", mayOverwrite: false, isVerified: true };

function volume(name: string, more: Partial<VolumeReport> = {}): VolumeReport {
  const uris = [`nbd://127.0.0.1:10809/${name}`];
  const facts = { name, group: "g", source: `/srv/${name}.img`, state: "open", connections: 0, uris, ...more };
  return facts as unknown as VolumeReport;
}

const group = { id: "ab", name: "g", lastSeq: 91 } as GroupFacts;

function control(...volumes: readonly VolumeReport[]) {
  return controlWith({}, ...volumes);
}

function controlWith(facts: Pick<SideFacts, "ownNbdAddress">, ...volumes: readonly VolumeReport[]) {
  const done: unknown[] = [];
  const failing = new Map<string, Error>();
  const ask = async (word: string, asked: unknown) => {
    const error = failing.get(word);
    if (error !== undefined) throw error;
    done.push([word, asked]);
    return word === "point" ? { seq: 4, note: "the newest" } : { id: 1 };
  };
  const restores = new RestoreControl({
    side: { ask } as unknown as SideClient,
    volumes: async () => volumes,
    mark: async (group, { name }) => {
      done.push(["mark", group]);
      return { group, name, seq: 77 } as MarkReport;
    },
    localFacts: async () => ({ volumes, groups: [group], ...facts }),
    arrived: async () => {},
    wallMs: () => 1_700_000_000_000,
  });
  return { restores, done, failing };
}

test("onto its own volume a point goes by the export, behind a mark, with what differs alone", async () => {
  for (const target of ["/srv/a.img", "nbd://localhost:10809/a"]) {
    const { restores, done } = control(volume("b"), volume("a"));
    const { mark } = await restores.add({ ...wish, volume: "a", target, confirm: "a" });
    expect(mark).toMatchObject({ name: "before-restore-2023-11-14T22-13-20-000Z", seq: 77 });
    expect(done).toEqual([
      ["point", { volume: "a", point: "seq:4", isNearest: false }],
      ["difference", { volume: "a", first: "seq:4", second: "now", fromByte: 0 }],
      ["mark", "g"],
      ["addRestore", { ...wish, volume: "a", target: "nbd://127.0.0.1:10809/a", fromSeq: 77, note: "the newest" }],
    ]);
  }
});

test("where it cannot be told what differs from the newest nothing is marked, and it is said what can be done", async () => {
  const asked = { ...wish, volume: "a", target: "/srv/a.img", confirm: "a" };
  for (const error of [new RefuseError("record 9 is damaged"), new Error("record 9 is damaged")]) {
    const { restores, done, failing } = control(volume("a"));
    failing.set("difference", error);
    await expect(restores.add(asked)).rejects.toThrow(
      new RefuseError(
        "record 9 is damaged; what differs from seq:4 cannot be told, so it is not brought back straight onto its volume: restore " +
          "it to another target",
      ),
    );
    expect(done).toMatchObject([["point", {}]]);
  }
  // There may be too much to be told so soon.
  const { restores, done, failing } = control(volume("a"));
  failing.set("difference", new RetryError("it has not answered"));
  await restores.add(asked);
  expect(done).toMatchObject([
    ["point", {}],
    ["mark", "g"],
    ["addRestore", {}],
  ]);
});

test("a point that is told by the time before now is the one of when it was asked for, and not of behind the mark", async () => {
  const { restores, done } = control(volume("a"));
  await restores.add({ ...wish, point: "-5m", volume: "a", target: "/srv/a.img", confirm: "a" });
  expect(done).toMatchObject([
    ["point", { point: "-5m" }],
    ["difference", { first: "seq:4" }],
    ["mark", "g"],
    ["addRestore", { point: "seq:4", note: "the newest" }],
  ]);
});

test("fault 39: without its name, with hosts or closed, and with a point of another one, a volume stays as it is", async () => {
  const refusals = [
    [volume("a"), { volume: "a" }, "--confirm a says"],
    [volume("a"), { volume: "a", confirm: "b" }, "--confirm a says"],
    [volume("a"), { volume: "b", confirm: "a" }, "only its own points"],
    [volume("a", { connections: 2 }), { volume: "a", confirm: "a" }, "hosts are attached (2 connections)"],
    [volume("a", { state: "fenced" }), { volume: "a", confirm: "a" }, "is fenced"],
  ] as const;
  for (const [live, asked, words] of refusals) {
    const { restores, done } = control(live);
    await expect(restores.add({ ...wish, target: "/srv/a.img", ...asked })).rejects.toThrow(words);
    expect(done).toEqual([]);
  }
});

test("where another group has had the name of its group, the volume's own is named by its id", async () => {
  const { restores, done } = control(volume("a"));
  await restores.add({ ...wish, volume: "ab/a", target: "/srv/a.img", confirm: "a" });
  expect(done.at(-1)).toMatchObject(["addRestore", { volume: "ab/a", fromSeq: 77 }]);
  expect(await restores.standing({ group: "ab", volume: "ab/a", isBegin: true })).toMatchObject({ seq: 91 });
  const other = restores.add({ ...wish, volume: "cd/a", target: "/srv/a.img", confirm: "a" });
  await expect(other).rejects.toThrow("only its own points");
});

test("any other target is for the remote appliance to open, as it was named", async () => {
  const { restores, done } = control(volume("a"));
  for (const target of ["/srv/new.img", "nbd://backup/a"]) await restores.add({ ...wish, volume: "a", target });
  expect(done).toEqual([
    ["addRestore", { ...wish, volume: "a", target: "/srv/new.img" }],
    ["addRestore", { ...wish, volume: "a", target: "nbd://backup/a" }],
  ]);
  await expect(restores.add({ ...wish, volume: "a", target: "new.img" })).rejects.toThrow("an absolute path");
});

test("at each begin hosts have to be gone and the volume open, and at the end the restore itself may be attached", async () => {
  const standing = { seq: 91, uri: "nbd://127.0.0.1:10809/a" };
  const asked = { group: "ab", volume: "g/a", isBegin: true };
  expect(await control(volume("b"), volume("a")).restores.standing(asked)).toEqual(standing);
  const attached = control(volume("a", { connections: 1 })).restores;
  await expect(attached.standing(asked)).rejects.toThrow("a host is attached to volume 'a'");
  await expect(attached.standing(asked)).rejects.toThrow(RefuseError);
  expect(await attached.standing({ ...asked, isBegin: false })).toEqual(standing);
  // After a restart volumes open one by one.
  for (const one of [control(), control(volume("a", { state: "opening" })), control(volume("a", { group: "h" }))])
    await expect(one.restores.standing(asked)).rejects.toThrow(RetryError);
});

test("where hosts need certificates a volume is brought back by the program's own door", async () => {
  const own = { kind: "unix", path: "/data/interceptor/own.sock" } as const;
  const { restores } = controlWith({ ownNbdAddress: own }, volume("a"));
  const { uri } = await restores.standing({ group: "ab", volume: "a", isBegin: true });
  expect(parseNbdUri(uri)).toMatchObject({ address: own, exportName: "a", tls: false });
});

test("a view is copied to anything but a volume, of which it is only told whether it was", async () => {
  const { restores, done } = control(volume("a"));
  const copy = { name: "mine", mayOverwrite: true, isVerified: true };
  const targets = ["/srv/a.img", "nbd://localhost:10809/a"];
  for (const target of targets) await restores.copyView({ ...copy, target });
  expect(done).toEqual(targets.map((target) => ["copyView", { ...copy, target, takenBy: "a" }]));
  await expect(restores.copyView({ ...copy, target: "new.img" })).rejects.toThrow("an absolute path");
  await restores.copyView({ ...copy, target: "/srv/new.img" });
  expect(done.slice(targets.length)).toEqual([["copyView", { ...copy, target: "/srv/new.img" }]]);
});
