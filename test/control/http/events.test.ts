/** Events: what has happened between two looks, what is kept of it, and those who listen. */
import { describe, expect, test } from "vitest";
import type { StatusReport } from "#src/control/control-plane.ts";
import { EventHistory } from "#src/control/http/events/event-history.ts";
import { closeCodes, EventStream } from "#src/control/http/events/event-stream.ts";
import { EventWatch } from "#src/control/http/events/event-watch.ts";
import { eventBeatMs, eventBufferBytesMax, eventListenersMax, eventsKeptMax } from "#src/core/http-limits.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { group, volumeFacts } from "./scripted-side.ts";

const status: StatusReport = {
  ...{ version: "1", roles: ["local"], ready: true, problems: [], silent: [], remoteGroups: [], nbd: [], counters: {} },
  clockMilliseconds: 0,
  volumes: [{ ...volumeFacts("v"), uris: [] }],
  groups: [group],
};

describe("two looks at the status", () => {
  const between = (before: Partial<StatusReport>, after: Partial<StatusReport>) => {
    const watch = new EventWatch();
    watch.look({ ...status, ...before });
    return watch.look({ ...status, ...after });
  };

  test("at the first what is there has not happened just now, and what is wrong is told", () => {
    const events = new EventWatch().look({ ...status, why: "volume v is stopped" });
    expect(events).toEqual([{ kind: "alarm", facts: { problem: "volume v is stopped", on: true } }]);
  });

  test("show a switched mode, a lost link, and a volume whose state is another one", () => {
    const stopped = { ...volumeFacts("v"), uris: [], state: "stopped", why: "damaged" } as const;
    const groups = [{ ...group, mode: "sync", wantedMode: "sync", linkUp: false, linkWhy: "refused" } as const];
    expect(between({}, { groups, volumes: [stopped] })).toEqual([
      { kind: "volume", facts: { volume: "v", group: "g", state: "stopped", why: "damaged" } },
      { kind: "mode", facts: { group: "g", from: "async", to: "sync", wanted: "sync" } },
      { kind: "link", facts: { group: "g", up: false, why: "refused" } },
    ]);
    expect(between({}, { volumes: [] })).toMatchObject([{ kind: "volume", facts: { state: "removed" } }]);
  });

  describe("with switches between them", () => {
    const [up, down] = [
      { from: "async", to: "sync", why: "asked for", seq: 5 },
      { from: "sync", to: "async", why: "the link is lost", seq: 7 },
    ] as const;
    const wanted = { ...group, wantedMode: "sync" } as const;
    const asked = { ...wanted, lastSwitches: [up] };
    const held = { ...asked, mode: "sync" } as const;
    const lost = { ...wanted, lastSwitches: [up, down] };
    const told = (...groups: (typeof group)[]) => {
      const watch = new EventWatch();
      const looks = groups.map((one) => watch.look({ ...status, groups: [one] }));
      return looks.map((events) => events.map(({ facts }) => `${facts.from} ${facts.to} ${facts.why} ${facts.seq}`));
    };

    test("tell of each once, with its reason, and of sync when it holds", () => {
      expect(told(group, asked, held, held, lost, lost)).toEqual([
        ...[[], ["async async undefined undefined"]],
        ...[["async sync asked for 5"], [], ["sync async the link is lost 7"], []],
      ]);
    });

    test("tell of sync that was left before it held", () => {
      expect(told(wanted, asked, lost)).toEqual([[], [], ["async sync asked for 5", "sync async the link is lost 7"]]);
      expect(told(asked, held)).toEqual([[], ["async sync asked for 5"]]);
    });

    test("tell of sync that holds again after a restart, which no switch has led to", () => {
      expect(told(wanted, { ...wanted, mode: "sync" })).toEqual([[], ["async sync undefined undefined"]]);
    });
  });

  test("tell of the alarm of each volume, also where their names differ by a number alone", () => {
    const watch = new EventWatch();
    const fenced = (...names: readonly string[]) => ({
      ...status,
      problems: names.map((name) => `volume ${name} is fenced: read 5 times in 3.5 s`),
    });
    watch.look(fenced("db1"));
    const told = (event: "begun" | "over", problem: string) => ({
      ...{ kind: "alarm", facts: { problem: expect.stringContaining(problem), on: event === "begun" } },
    });
    expect(watch.look(fenced("db1", "db-2", "db2"))).toEqual([told("begun", "db-2"), told("begun", "db2")]);
    expect(watch.look(fenced("db-2", "db-3"))).toEqual([
      told("begun", "db-3"),
      told("over", "db1"),
      told("over", "db2"),
    ]);
  });

  test("tell of an alarm once, whatever its figures are, and when it is over", () => {
    const watch = new EventWatch();
    const problems = (seconds: number) => ({ ...status, problems: [`a side is silent for ${seconds} s`] });
    expect(watch.look(problems(1))).toMatchObject([{ kind: "alarm", facts: { on: true } }]);
    expect(watch.look(problems(2))).toEqual([]);
    expect(watch.look(status)).toMatchObject([{ kind: "alarm", facts: { on: false } }]);
  });

  test("tell of lag when it becomes worth a word, and when it is over", () => {
    const watch = new EventWatch();
    const at = (lagSeconds: number) => watch.look({ ...status, groups: [{ ...group, lagSeconds }] });
    expect([at(0), at(9), at(6)].flat()).toEqual([]);
    expect(at(12)).toMatchObject([{ kind: "lag", facts: { lagging: true, seconds: 12 } }]);
    expect(at(7)).toEqual([]);
    expect(at(2)).toMatchObject([{ kind: "lag", facts: { lagging: false } }]);
  });
});

describe("the history", () => {
  test("keeps so many of the last events, and says to whom it is not enough", () => {
    const history = new EventHistory(1_700_000_000_000);
    for (let count = 0; count < eventsKeptMax + 10; count++) history.add({ kind: "mark", facts: { count } }, 0);
    const { oldestId, newestId } = history;
    expect(newestId - oldestId + 1).toBe(eventsKeptMax);
    expect(history.since(newestId)).toEqual({ events: [], isMore: false });
    expect(history.since(oldestId - 1).isMore).toBe(false);
    expect(history.since(oldestId - 2).isMore).toBe(true);
    expect(history.since(newestId + 1).isMore).toBe(true);
    expect(history.since(undefined).events).toHaveLength(eventsKeptMax);
  });

  test("of a later start goes on with larger numbers, so that who saw the earlier one hears that he has missed some", () => {
    const [first, second] = [new EventHistory(1_700_000_000_000), new EventHistory(1_700_000_060_000)];
    const { event } = first.add({ kind: "mark", facts: {} }, 0);
    second.add({ kind: "mark", facts: {} }, 0);
    expect(second.since(event.id)).toMatchObject({ isMore: true, events: [{}] });
  });
});

describe("those who listen", () => {
  function streaming() {
    const simulation = new Simulation(1);
    const { clock } = simulation.host("a");
    const passed = () => simulation.clock.pass(eventBeatMs, () => false);
    const seen = { status };
    const stream = new EventStream({ version: "1", clock, status: async () => seen.status });
    const listen = (mayGoOn = () => true) => {
      const heard: string[] = [];
      const ended: (number | string)[] = [];
      const place = { unsentBytes: 0, pings: 0 };
      const ears = stream.add(
        {
          send: (text) => heard.push(text),
          get unsentBytes() {
            return place.unsentBytes;
          },
          ping: () => {
            place.pings += 1;
          },
          close: (code) => ended.push(code),
          drop: () => ended.push("dropped"),
        },
        { afterId: undefined, mayGoOn },
      );
      return { heard, ended, place, ears };
    };
    return { passed, stream, listen, seen };
  }

  test("hear of what has happened since the start, also before anybody has looked again", async () => {
    const { passed, stream, listen, seen } = streaming();
    const { heard } = listen();
    stream.start();
    await Promise.resolve();
    seen.status = { ...status, volumes: [...status.volumes, { ...volumeFacts("new"), uris: [] }] };
    await passed();
    stream.close();
    expect(heard.map((text) => JSON.parse(text)).filter(({ kind }) => kind === "volume")).toMatchObject([
      { facts: { volume: "new", state: "open" } },
    ]);
  });

  test("hear what happens, and who does not take it is dropped before he costs more memory than he may", () => {
    const { stream, listen } = streaming();
    const [quick, slow] = [listen(), listen()];
    slow.place.unsentBytes = eventBufferBytesMax;
    for (let count = 0; count < 3; count++) stream.publish({ kind: "mark", facts: { count } });
    expect(quick.heard).toHaveLength(1 + 3);
    expect([slow.heard.length, slow.ended]).toEqual([1, ["dropped"]]);
  });

  test("are asked whether they are there, and dropped when they do not answer", async () => {
    const { passed, stream, listen } = streaming();
    stream.start();
    const [alive, gone] = [listen(), listen()];
    await passed();
    alive.ears.alive();
    await passed();
    expect([alive.ended, alive.place.pings]).toEqual([[], 2]);
    expect(gone.ended).toEqual(["dropped"]);
    stream.close();
    expect(alive.ended).toEqual([closeCodes.goingAway]);
  });

  test("are hung up on when their token holds no more, or they say something", async () => {
    const { passed, stream, listen } = streaming();
    stream.start();
    let holds = true;
    const [token, chatty] = [listen(() => holds), listen()];
    holds = false;
    chatty.ears.spoke();
    await passed();
    expect([token.ended, chatty.ended]).toEqual([[closeCodes.tokenGone], [closeCodes.nothingAsked]]);
    stream.close();
  });

  test("are so many and no more", () => {
    const { listen } = streaming();
    const all = Array.from({ length: eventListenersMax + 1 }, () => listen());
    expect(all.filter(({ ended }) => ended.length === 0)).toHaveLength(eventListenersMax);
    expect(all.at(-1)?.ended).toEqual([closeCodes.tooMany]);
  });
});
