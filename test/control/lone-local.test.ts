/** What can be ordered of a local appliance that runs without interceptor and remote appliance. */
import { expect, test } from "vitest";
import { ControlPlane } from "#src/control/control-plane.ts";
import type { GroupFacts, RoleName } from "#src/control/role.ts";
import { countersOver, shareCounters } from "#src/host/node/counters.ts";
import { driven } from "#test/contract/driver.ts";
import { apiDriver } from "./http/api-driver.ts";
import { group, ScriptedSide } from "./http/scripted-side.ts";
import { ServedApi } from "./http/served-api.ts";

const bank: GroupFacts = {
  ...group,
  name: "bank",
  volumeNames: ["disk", "log"],
  levels: [{ volume: "log", seconds: 60 }],
};
const shop: GroupFacts = { ...group, name: "shop", volumeNames: ["disk"] };

function alone(roles: readonly RoleName[] = ["local"]) {
  const side = new ScriptedSide();
  side.groups = [bank, shop];
  const control = new ControlPlane({
    ...{ version: "1.2.3", roles, sides: [side.client], keeper: undefined, nbdWithTls: false },
    clock: side.host.clock,
    counters: countersOver(shareCounters([], [])),
  });
  const driver = apiDriver(side.simulation.clock);
  return { side, control, done: <Result>(promise: Promise<Result>) => driven(driver, promise) };
}

test("a level is switched by the volume's name, and the volumes of its group with closer points are told", async () => {
  const { side, control, done } = alone();
  const level = await done(control.setLevel("log", "1h"));
  expect(level).toEqual({ volume: "log", group: "bank", level: "1h", seconds: 3600, finer: ["disk"] });
  expect(await done(control.setLevel("bank/disk", "10s"))).toMatchObject({ group: "bank", finer: [] });
  expect(side.asked).toEqual([
    { setLevel: { group: "bank", volume: "log", seconds: 3600 } },
    { setLevel: { group: "bank", volume: "disk", seconds: 10 } },
  ]);
});

test("its API takes a volume's name with its group's", async () => {
  const { side, control, done } = alone();
  const { handle } = new ServedApi(control, side.simulation.host("paper"));
  const put = async (volume: string) => {
    const target = `/api/v1/volumes/${encodeURIComponent(volume)}/level`;
    const headers = { host: "localhost", "content-type": "application/json" };
    const { status } = await done(handle({ method: "PUT", target, headers, body: Buffer.from('{"level":"1m"}') }));
    return status;
  };
  expect([await put("shop/disk"), await put("disk"), await put("none")]).toEqual([200, 422, 404]);
  expect(side.asked).toEqual([{ setLevel: { group: "shop", volume: "disk", seconds: 60 } }]);
});

test("nothing is switched where two groups have a volume of the name", async () => {
  const { side, control, done } = alone();
  await expect(done(control.setLevel("disk", "1h"))).rejects.toThrow("say which one, of bank/disk, shop/disk");
  await expect(done(control.setMode("disk", "sync"))).rejects.toThrow("say which one, of bank/disk, shop/disk");
  expect(side.asked).toEqual([]);
});

test("a volume's name stands for its group's, in modes, marks and new spools", async () => {
  const { side, control, done } = alone();
  await done(control.setMode("log", "sync"));
  await done(control.mark("log", { name: "m", isQuiesced: false, deadlineMs: Number.POSITIVE_INFINITY }));
  await done(control.moveSpool("log", undefined));
  expect(side.asked).toMatchObject([
    { setMode: { group: "bank" } },
    { mark: { group: "bank" } },
    { moveSpool: { group: "bank" } },
  ]);
});

test("a volume whose interceptor is lost is forgotten, where its name is said once more", async () => {
  const { side, control, done } = alone();
  await expect(done(control.forgetLost("bank", "log", false))).rejects.toThrow("--confirm log says that");
  expect(side.asked).toEqual([]);
  await done(control.forgetLost("bank", "log", true));
  expect(side.asked).toEqual([{ forgetLost: { group: "bank", name: "log", keptIds: [] } }]);
  // Where its interceptor is one with it, what that has is not lost.
  const { id } = await done(side.keeper.add({ name: "log", source: "/s", group: "bank" }));
  await done(side.control.forgetLost("bank", "log", true));
  expect(side.asked.at(-1)).toEqual({ forgetLost: { group: "bank", name: "log", keptIds: [id] } });
});

test("what is asked of volumes is answered with who has them", async () => {
  const { control, done } = alone();
  const asked: readonly (() => Promise<unknown>)[] = [
    () => control.volumes(),
    () => control.volume("log"),
    () => control.resync("log"),
    () => control.unfence("log"),
    () => control.trace("log"),
    () => control.resizeVolume("log", { sizeBytes: 1 }),
    () => control.removeVolume("log", { isForced: false, isConfirmed: true }),
  ];
  for (const ask of asked) await expect(done(ask())).rejects.toThrow("volumes are the interceptor's");
});

test("where no local appliance runs it is said who switches levels", async () => {
  const { control, done } = alone(["interceptor"]);
  await expect(done(control.setLevel("log", "1h"))).rejects.toThrow("the local appliance can do that");
});

test("who asks it for its volumes hears of which it knows, as far as a line has room for them", async () => {
  const { side, control, done } = alone();
  await expect(done(control.volumes())).rejects.toThrow("known of bank/disk, bank/log, shop/disk");
  expect(await done(control.groups())).toMatchObject([{ name: "bank" }, { name: "shop" }]);
  side.groups = [{ ...bank, volumeNames: Array.from({ length: 10 }, (_, index) => `v${index}`) }];
  await expect(done(control.volumes())).rejects.toThrow("bank/v7, 2 more");
});

test("where no local appliance runs it is said whose groups are", async () => {
  const { control, done } = alone(["remote"]);
  await expect(done(control.groups())).rejects.toThrow("groups are the local appliance's");
  await expect(done(control.volumes())).rejects.toThrow("volumes are the interceptor's");
});
