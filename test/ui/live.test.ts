import { expect, test } from "vitest";
import type { Browser, SocketEars } from "#src/ui/browser.ts";
import type { PageEvent } from "#src/ui/event-log.ts";
import { Live } from "#src/ui/live.ts";
import { PlayedTime } from "./played-time.ts";

/** A browser whose sockets and time are the test's. */
class PlayedBrowser extends PlayedTime {
  readonly sockets: { readonly path: string; readonly protocols: readonly string[]; readonly ears: SocketEars }[] = [];
  closedCount = 0;

  get browser(): Browser {
    return {
      nowMs: () => this.nowMs,
      chance: () => 1,
      after: (ms: number, act: () => void) => this.after(ms, act),
      openSocket: (path: string, protocols: readonly string[], ears: SocketEars) => {
        this.sockets.push({ path, protocols, ears });
        return { send: () => {}, close: () => void this.closedCount++ };
      },
    } as unknown as Browser;
  }

  get ears(): SocketEars {
    return (this.sockets.at(-1) as { readonly ears: SocketEars }).ears;
  }
}

function played() {
  const world = new PlayedBrowser();
  const heard: PageEvent[] = [];
  const told: string[] = [];
  const live = new Live(world.browser, {
    place: () => ({ token: "secret", afterId: heard.at(-1)?.id }),
    begunAnew: () => told.push("anew"),
    heard: (event) => heard.push(event),
    opened: () => told.push("opened"),
    lost: (againAtMs) => told.push(`again at ${againAtMs}`),
  });
  return { world, heard, told, live };
}

const event = (id: number) => JSON.stringify({ type: "event", id, time: "t", kind: "link", facts: {} });

test("when it is lost it comes back by itself, and goes on behind what it has seen", () => {
  const { world, heard, told, live } = played();
  live.connect();
  expect(world.sockets[0]).toMatchObject({ path: "/api/v1/events", protocols: ["tidemark", "token.secret"] });
  world.ears.opened();
  world.ears.message(event(7));
  world.ears.closed(1006, "");
  expect(told).toEqual(["opened", "again at 500"]);
  world.pass(500);
  expect(world.sockets[1]?.path).toBe("/api/v1/events?after=7");
  world.ears.message('{"type":"hello","missed":true}');
  world.ears.message("not for this page");
  world.ears.message(event(8));
  expect(heard.map(({ id }) => id)).toEqual([7, 8]);
  expect(told.at(-1)).toBe("anew");
});

test("what does not come back is tried ever more rarely, and at once when somebody asks", () => {
  const { world, told, live } = played();
  live.connect();
  for (const ms of [500, 1000, 2000]) {
    world.ears.closed(1006, "");
    world.pass(ms);
  }
  expect(told).toEqual(["again at 500", "again at 1500", "again at 3500"]);
  world.ears.closed(1006, "");
  live.connect();
  expect(world.sockets).toHaveLength(5);
  expect(world.waiting).toEqual([]);
  world.ears.opened();
  world.ears.closed(1001, "");
  expect(told.at(-1)).toBe(`again at ${world.nowMs + 500}`);
});

test("one that was given up has nothing to say any more", () => {
  const { world, told, live } = played();
  live.connect();
  const { ears } = world;
  live.stop();
  ears.closed(1000, "");
  expect([told, world.waiting, world.closedCount]).toEqual([[], [], 1]);
});
