import { describe, expect, test, vi } from "vitest";
import type { JobReport } from "#src/control/job.ts";
import type { Browser, SocketEars } from "#src/ui/browser.ts";
import { Desk } from "#src/ui/desk.ts";
import type { ShownVolume } from "#src/ui/shown-volumes.ts";
import { patience } from "#test/patience.ts";
import { PlayedTime } from "./played-time.ts";

const status = (ready: boolean) => ({
  ...{ ready, problems: [], silent: [], volumes: [], groups: [] },
  roles: ["interceptor", "local", "remote"],
});

/** As the other end of a connection does that is gone without a word. */
const never = {};

function ended(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("aborted"))));
}

/** An appliance that answers as it is told to, and a browser that has nothing else. */
class PlayedAppliance extends PlayedTime {
  readonly asked: string[] = [];
  readonly ears: SocketEars[] = [];
  readonly #memory = new Map<string, string>();
  readonly #kept = new Map<string, string>();
  answer: (path: string, token: string | undefined) => object | number | Promise<object> = () => status(true);

  get browser(): Browser {
    return {
      nowMs: () => this.nowMs,
      chance: () => 1,
      after: (ms: number, act: () => void) => this.after(ms, act),
      request: async (path: string, { headers, signal }: RequestInit) => {
        this.asked.push(path);
        const { authorization } = headers as Record<string, string>;
        const answer = await this.answer(path, authorization?.replace("Bearer ", ""));
        if (answer === never) await ended(signal);
        if (answer === 0) throw new TypeError("no connection");
        const code = typeof answer === "number" ? answer : 200;
        return {
          ok: code === 200,
          status: code,
          json: async () => (code === 200 ? answer : { detail: "no" }),
        } as Response;
      },
      openSocket: (_: string, __: readonly string[], ears: SocketEars) => {
        this.ears.push(ears);
        return { send: () => {}, close: () => {} };
      },
      remembered: (name: string) => this.#memory.get(name),
      remember: (name: string, value: string | undefined) => void this.#memory.set(name, value ?? ""),
      kept: (name: string) => this.#kept.get(name),
      keep: (name: string, value: string) => void this.#kept.set(name, value),
    } as unknown as Browser;
  }
}

async function begun(answer: PlayedAppliance["answer"] = () => status(true)) {
  const appliance = new PlayedAppliance();
  appliance.answer = answer;
  const desk = new Desk(appliance.browser);
  desk.start();
  await vi.waitFor(() => expect(desk.state.status ?? desk.state.login !== "none").toBeTruthy(), patience);
  return { appliance, desk };
}

test("until the stream is there it is asked now and then, and more often when it is", async () => {
  const { appliance, desk } = await begun();
  expect(desk.state.connection.kind).toBe("asking");
  appliance.ears[0]?.opened();
  await vi.waitFor(() => expect(desk.state.connection.kind).toBe("live"), patience);
  const before = appliance.asked.length;
  appliance.pass(1000);
  await vi.waitFor(() => expect(appliance.asked.length).toBeGreaterThan(before), patience);
});

test("events that come together are one reason to look", async () => {
  const { appliance, desk } = await begun();
  appliance.ears[0]?.opened();
  await vi.waitFor(() => expect(desk.state.connection.kind).toBe("live"), patience);
  const before = appliance.asked.length;
  for (const id of [1, 2, 3]) {
    appliance.ears[0]?.message(JSON.stringify({ type: "event", id, time: "t", kind: "link", facts: {} }));
  }
  appliance.pass(60);
  await vi.waitFor(() => expect(appliance.asked.length).toBe(before + 1), patience);
  expect(desk.state.log.events.map(({ id }) => id)).toEqual([3, 2, 1]);
});

test("what is not answered is a lost connection, and what was known stays to be seen", async () => {
  const { appliance, desk } = await begun();
  appliance.answer = () => 0;
  appliance.pass(2000);
  await vi.waitFor(() => expect(desk.state.connection.kind).toBe("lost"), patience);
  expect(desk.state.status?.ready).toBe(true);
  appliance.answer = () => status(false);
  appliance.pass(2000);
  await vi.waitFor(() => expect(desk.state.connection.kind).toBe("asking"), patience);
  expect(desk.state.status?.ready).toBe(false);
});

test("what is not answered at all is a lost connection too, before the system gives it up", async () => {
  const { appliance, desk } = await begun();
  appliance.answer = () => never;
  appliance.pass(2000);
  await vi.waitFor(() => expect(appliance.asked.at(-1)).toBe("/api/v1/status"), patience);
  expect(desk.state.connection.kind).toBe("asking");
  appliance.pass(5000);
  await vi.waitFor(() => expect(desk.state.connection.kind).toBe("lost"), patience);
  appliance.answer = () => status(true);
  appliance.pass(2000);
  await vi.waitFor(() => expect(desk.state.connection.kind).toBe("asking"), patience);
});

test("a token is asked for where there must be one, and one that does not hold is told from none", async () => {
  const { appliance, desk } = await begun((_, token) => (token === "right" ? status(true) : 401));
  expect(desk.state.login).toBe("needed");
  desk.logIn("wrong");
  await vi.waitFor(() => expect(desk.state.login).toBe("refused"), patience);
  desk.logIn("right");
  await vi.waitFor(() => expect(desk.state.status?.ready).toBe(true), patience);
  expect(desk.state.login).toBe("none");
  desk.logOut();
  expect([desk.state.login, desk.state.status]).toEqual(["none", undefined]);
  await vi.waitFor(() => expect(desk.state.login).toBe("needed"), patience);
  expect(desk.state.status).toBeUndefined();
  expect(appliance.browser.remembered("token")).toBe("");
});

test("whoever may only look is not offered orders", async () => {
  const { desk } = await begun((path) => (path.endsWith("/caller") ? { name: "ann", role: "read" } : status(true)));
  await vi.waitFor(() => expect(desk.state.mayOperate).toBe(false), patience);
});

test("whoever is only let look without a token may give one, and go on without it again", async () => {
  const role = (token: string | undefined) => ({ name: "ann", role: token === "right" ? "operate" : "read" });
  const { desk } = await begun((path, token) => {
    if (token === "wrong") return 401;
    return path.endsWith("/caller") ? role(token) : status(true);
  });
  const isLooking = () =>
    vi.waitFor(() => expect([desk.state.mayOperate, desk.hasToken]).toEqual([false, false]), patience);
  await isLooking();
  desk.askForToken();
  expect(desk.state.login).toBe("offered");
  desk.goOnWithoutToken();
  expect([desk.state.login, desk.state.status?.ready]).toEqual(["none", true]);
  desk.askForToken();
  desk.logIn("wrong");
  await vi.waitFor(() => expect(desk.state.login).toBe("refused"), patience);
  desk.goOnWithoutToken();
  await isLooking();
  await vi.waitFor(() => expect([desk.state.login, desk.state.status?.ready]).toEqual(["none", true]), patience);
  desk.askForToken();
  desk.logIn("right");
  await vi.waitFor(() => expect(desk.state.mayOperate).toBe(true), patience);
  desk.logOut();
  await isLooking();
  expect(desk.state.login).toBe("none");
});

describe("views", () => {
  const open = { name: "disk-7", writtenBytes: 0 };
  const viewsAsked = ({ asked }: PlayedAppliance) => asked.filter((path) => path.endsWith("/views")).length;

  async function withViews(roles: readonly string[]) {
    const told = { views: [] as object[] };
    const { appliance, desk } = await begun((path) => (path.endsWith("/views") ? told : { ...status(true), roles }));
    appliance.ears[0]?.opened();
    await vi.waitFor(() => expect(desk.state.connection.kind).toBe("live"), patience);
    return { appliance, desk, told };
  }

  test("that are opened elsewhere are seen at once, and after a while what is written to them", async () => {
    const { appliance, desk, told } = await withViews(["remote"]);
    told.views = [open];
    appliance.ears[0]?.message(JSON.stringify({ type: "event", id: 1, time: "t", kind: "audit", facts: {} }));
    appliance.pass(60);
    await vi.waitFor(() => expect(desk.state.views).toEqual([open]), patience);
    const before = viewsAsked(appliance);
    told.views = [{ ...open, writtenBytes: 4096 }];
    appliance.pass(9000);
    await vi.waitFor(() => expect(desk.state.statusMs).toBe(appliance.nowMs), patience);
    expect(viewsAsked(appliance)).toBe(before);
    appliance.pass(1000);
    await vi.waitFor(() => expect(desk.state.views).toEqual(told.views), patience);
    expect(viewsAsked(appliance)).toBe(before + 1);
  });

  test("are not asked for again and again where there is no remote appliance", async () => {
    const { appliance, desk } = await withViews(["interceptor", "local"]);
    const before = viewsAsked(appliance);
    appliance.pass(10_000);
    await vi.waitFor(() => expect(desk.state.statusMs).toBe(10_000), patience);
    expect(viewsAsked(appliance)).toBe(before);
  });

  test("that were there when an older question was asked do not come back with its late answer", async () => {
    const { appliance, desk } = await withViews(["remote"]);
    const late = Promise.withResolvers<object>();
    appliance.answer = () => late.promise;
    const older = desk.refreshViews();
    appliance.answer = () => ({ views: [] });
    await desk.refreshViews();
    late.resolve({ views: [open] });
    await older;
    expect(desk.state.views).toEqual([]);
  });
});

test("a level is asked for by the volume's name, with its group's where that is another one's too, and seen at once", async () => {
  const bank = { name: "bank", volumeNames: ["disk", "log"] };
  const groups = [bank, { name: "shop", volumeNames: ["disk"] }];
  const { appliance, desk } = await begun(() => ({ ...status(true), groups }));
  await desk.setLevel("bank", "disk", "1h");
  expect(appliance.asked.slice(-2)).toEqual(["/api/v1/volumes/bank%2Fdisk/level", "/api/v1/status"]);
  await desk.setLevel("bank", "log", "1h");
  expect(appliance.asked.at(-2)).toBe("/api/v1/volumes/log/level");
});

test("a restore that goes on from before the page was opened is found, by whatever name of the volume it was ordered", async () => {
  const job = (id: number, volume: string, state: string) => ({
    id,
    kind: "restore",
    state,
    restore: { volume, seq: 1 },
  });
  const jobs: object[] = [
    job(1, "disk", "done"),
    { id: 2, kind: "scrub", state: "running" },
    job(3, "other", "running"),
  ];
  const { desk } = await begun((path) => (path.endsWith("/jobs") ? { jobs } : status(true)));
  const volume = { name: "disk", group: "bank", reference: "0123abcd/disk" } as ShownVolume;
  expect(await desk.restoreToShow(volume)).toBeUndefined();
  for (const name of ["disk", "bank/disk", "0123abcd/disk"]) {
    jobs.push(job(jobs.length + 1, name, "waiting"));
    expect(await desk.restoreToShow(volume)).toMatchObject({ id: jobs.length });
  }
});

test("a restore that went wrong while nobody looked is shown for a day, until somebody has seen it", async () => {
  const hourMs = 3_600_000;
  const job = (id: number, state: string, endedMs: number, isSound: boolean, volume = "disk"): JobReport =>
    ({
      ...{ id, kind: "restore", state, restore: { volume, seq: 1 }, ended: new Date(endedMs).toISOString() },
      ...(state === "done" ? { result: { isSound, figures: {}, lines: [] } } : {}),
    }) as unknown as JobReport;
  const [lacking, failed] = [job(1, "done", hourMs, false), job(4, "failed", 2 * hourMs, false)];
  const others = [
    job(2, "done", hourMs, true),
    job(3, "done", hourMs, false, "other"),
    job(5, "cancelled", hourMs, true),
  ];
  const jobs = [lacking, ...others, failed];
  const { appliance, desk } = await begun((path) => (path.endsWith("/jobs") ? { jobs } : status(true)));
  appliance.nowMs = 3 * hourMs;
  const volume = { name: "disk", group: "bank", reference: "0123abcd/disk" } as ShownVolume;
  const shown = async () => (await desk.restoreToShow(volume))?.id;
  expect(await shown()).toBe(lacking.id);
  desk.sawRestore(volume, lacking);
  expect(await shown()).toBe(failed.id);
  // One that is well is not taken for what went wrong before it.
  desk.sawRestore(volume, others[0] as JobReport);
  expect(await shown()).toBe(failed.id);
  appliance.nowMs = 26 * hourMs;
  expect(await shown()).toBeUndefined();
});
