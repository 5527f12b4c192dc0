import { expect, test } from "vitest";
import { type ModeFacts, ModeMachine, type ModePolicy, type ModeSwitch } from "#src/appliance/local/mode-machine.ts";

const policy: ModePolicy = {
  linkLoss: "degrade",
  degradeAfterMs: 10_000,
  returnAfterMs: 5_000,
  drainedBytes: 1000,
  tightenEveryMs: 500,
};

const steady: ModeFacts = { nowMs: 0, isLinkUp: true, backlogBytes: 0, durableSeq: 0 };

function inSync(policyChange: Partial<ModePolicy> = {}): ModeMachine {
  const machine = new ModeMachine({ ...policy, ...policyChange }, "sync", "sync");
  machine.step(steady);
  return machine;
}

test("a group asked for sync with a small backlog switches at once, and is in sync when the switch is durable", () => {
  const machine = new ModeMachine(policy, "async", "async");
  expect(machine.ask("sync", steady)).toEqual({ from: "async", to: "sync", why: "asked for" } satisfies ModeSwitch);
  machine.placed(7);
  expect(machine.phase).toBe("entering");
  expect(machine.waitsForRemote).toBe(true);
  machine.step({ ...steady, durableSeq: 6 });
  expect(machine.phase).toBe("entering");
  machine.step({ ...steady, durableSeq: 7 });
  expect(machine.phase).toBe("sync");
});

test("with a large backlog it drains first, and writers may leave ever less", () => {
  const machine = new ModeMachine(policy, "async", "async");
  expect(machine.ask("sync", { ...steady, backlogBytes: 8000 })).toBeUndefined();
  expect(machine.phase).toBe("draining");
  expect(machine.waitsForRemote).toBe(false);
  const atFirst = machine.backlogBytesMax;
  machine.step({ ...steady, nowMs: 1000, backlogBytes: 8000 });
  expect(machine.backlogBytesMax).toBe(atFirst / 4);
  machine.step({ ...steady, nowMs: 60_000, backlogBytes: 8000 });
  expect(machine.backlogBytesMax).toBe(policy.drainedBytes);
  expect(machine.step({ ...steady, nowMs: 60_001, backlogBytes: 1000 })).toMatchObject({ to: "sync" });
});

test("while the link is down a draining group does not squeeze its writers", () => {
  const machine = new ModeMachine(policy, "async", "async");
  machine.ask("sync", { ...steady, backlogBytes: 8000 });
  const atFirst = machine.backlogBytesMax;
  machine.step({ ...steady, isLinkUp: false, nowMs: 60_000, backlogBytes: 8000 });
  expect(machine.backlogBytesMax).toBe(atFirst);
});

test("no switch to sync is recorded while the link is down", () => {
  const machine = new ModeMachine(policy, "async", "async");
  expect(machine.ask("sync", { ...steady, isLinkUp: false })).toBeUndefined();
  expect(machine.phase).toBe("draining");
});

test("sync is left at once when async is asked for, with a record", () => {
  const machine = inSync();
  expect(machine.ask("async", steady)).toEqual({ from: "sync", to: "async", why: "asked for" });
  expect(machine.phase).toBe("loose");
});

test("a drain that is called off leaves no record", () => {
  const machine = new ModeMachine(policy, "async", "async");
  machine.ask("sync", { ...steady, backlogBytes: 8000 });
  expect(machine.ask("async", steady)).toBeUndefined();
  expect(machine.phase).toBe("loose");
});

test("fault 22: a lost link is waited for, then sync is suspended", () => {
  const machine = inSync();
  expect(machine.step({ ...steady, isLinkUp: false, nowMs: 1000 })).toBeUndefined();
  expect(machine.nextStepMs(1000)).toBe(11_000);
  expect(machine.step({ ...steady, isLinkUp: false, nowMs: 10_999 })).toBeUndefined();
  expect(machine.waitsForRemote).toBe(true);
  expect(machine.step({ ...steady, isLinkUp: false, nowMs: 11_000 })).toMatchObject({
    to: "async",
    why: "the link is lost",
  });
  expect(machine.phase).toBe("degraded");
  expect(machine.target).toBe("sync");
});

test("fault 22: with the policy to stall, sync waits for the link however long", () => {
  const machine = inSync({ linkLoss: "stall" });
  // It is lost with the first look that finds it so.
  for (const nowMs of [1, 1e9]) expect(machine.step({ ...steady, isLinkUp: false, nowMs })).toBeUndefined();
  expect(machine.phase).toBe("sync");
});

test("a suspended group comes back by itself, once the link has been steady", () => {
  const machine = inSync();
  machine.step({ ...steady, isLinkUp: false, nowMs: 0 });
  machine.step({ ...steady, isLinkUp: false, nowMs: 10_000 });
  machine.step({ ...steady, nowMs: 20_000 });
  machine.step({ ...steady, isLinkUp: false, nowMs: 24_000 });
  machine.step({ ...steady, nowMs: 25_000 });
  machine.step({ ...steady, nowMs: 29_999 });
  expect(machine.phase).toBe("degraded");
  machine.step({ ...steady, nowMs: 30_000 });
  expect(machine.phase).toBe("draining");
  expect(machine.step({ ...steady, nowMs: 30_001 })).toMatchObject({ to: "sync", why: "the link is back" });
});

test("a group that was to be in sync and is not starts suspended, not in sync", () => {
  expect(new ModeMachine(policy, "async", "sync").phase).toBe("degraded");
  expect(new ModeMachine(policy, "sync", "sync").waitsForRemote).toBe(true);
});

test("a group that was in sync while async was asked for gets there when it is asked again", () => {
  const machine = new ModeMachine(policy, "sync", "async");
  expect(machine.ask("async", steady)).toMatchObject({ from: "sync", to: "async" });
});

test("from one loose mode to the other it is one record, at once, also without a link", () => {
  const machine = new ModeMachine(policy, "async", "async");
  const cut = { ...steady, isLinkUp: false, backlogBytes: 1e9 };
  expect(machine.ask("aggregated", cut)).toEqual({ from: "async", to: "aggregated", why: "asked for" });
  expect(machine.current).toBe("aggregated");
  expect(machine.ask("aggregated", cut)).toBeUndefined();
  expect(machine.ask("async", cut, "it fits")).toEqual({ from: "aggregated", to: "async", why: "it fits" });
  expect(machine.current).toBe("async");
});

test("sync is entered from aggregated, and left for it", () => {
  const machine = new ModeMachine(policy, "aggregated", "aggregated");
  expect(machine.ask("sync", { ...steady, backlogBytes: 8000 })).toBeUndefined();
  expect(machine.current).toBe("aggregated");
  expect(machine.step({ ...steady, nowMs: 1 })).toMatchObject({ from: "aggregated", to: "sync" });
  machine.placed(3);
  expect(machine.current).toBe("sync");
  expect(machine.ask("aggregated", steady)).toEqual({ from: "sync", to: "aggregated", why: "asked for" });
  expect(machine.waitsForRemote).toBe(false);
});

test("a drain from aggregated that is called off for async is a record", () => {
  const machine = new ModeMachine(policy, "aggregated", "aggregated");
  machine.ask("sync", { ...steady, backlogBytes: 8000 });
  expect(machine.ask("async", steady)).toMatchObject({ from: "aggregated", to: "async" });
  expect(machine.phase).toBe("loose");
});

test("suspended sync is async, and becomes aggregated when that is asked for", () => {
  const machine = inSync();
  const cut = { ...steady, isLinkUp: false };
  machine.step(cut);
  machine.step({ ...cut, nowMs: 20_000 });
  expect([machine.phase, machine.current]).toEqual(["degraded", "async"]);
  expect(machine.ask("aggregated", cut)).toMatchObject({ from: "async", to: "aggregated" });
  expect(machine.step({ ...steady, nowMs: 1e9 })).toBeUndefined();
});
