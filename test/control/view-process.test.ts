import { expect, test } from "vitest";
import { ViewProcess } from "#src/control/view-process.ts";
import type { ViewAsk } from "#src/control/view-words.ts";
import { viewSilenceMs } from "#src/core/view-limits.ts";
import type { Thread } from "#src/host/thread.ts";
import { Simulation } from "#test/sim/simulation.ts";

function world() {
  const simulation = new Simulation(1);
  const { clock } = simulation.host("a");
  const started: { asked: ViewAsk[]; answer(message: object): void; die(error?: Error): void }[] = [];
  const lost: Error[] = [];
  const start = (): Thread => {
    const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>();
    let listener: (message: unknown) => void = () => {};
    const asked: ViewAsk[] = [];
    started.push({ asked, answer: (message) => listener(message), die: resolve });
    return {
      send: (message) => void asked.push(message as ViewAsk),
      receive: (heard) => {
        listener = heard;
      },
      ended,
      end: () => resolve(undefined),
    };
  };
  const server = new ViewProcess({ clock, start, lost: (error) => lost.push(error), metDamage: () => {} });
  return { simulation, server, started, lost };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("each question is answered, or rejected when the process ends, and the next one begins another", async () => {
  const { server, started, lost } = world();
  const first = server.ask("facts", null);
  const second = server.ask("facts", null);
  started[0]?.answer({ id: started[0].asked[0]?.id, answer: [] });
  expect(await first).toEqual([]);
  started[0]?.die(new Error("it ended with SIGSEGV"));
  await expect(second).rejects.toThrow("SIGSEGV");
  expect(lost.length).toBe(1);
  void server.ask("facts", null).catch(() => {});
  expect(started.length).toBe(2);
});

test("a process that is slow with one question is left alone, one that says nothing for long is ended", async () => {
  const { simulation, server, started, lost } = world();
  const quick = server.ask("facts", null, 1000);
  started[0]?.answer({ id: started[0].asked[0]?.id, answer: [] });
  await quick;
  // Nobody asks for a while.
  simulation.clock.advance(2 * viewSilenceMs);
  const late = server.ask("facts", null, 1000);
  simulation.clock.advance(1000);
  await expect(late).rejects.toThrow("has not answered for 1 s (facts)");
  await turn();
  expect(lost).toEqual([]);
  const silent = server.ask("facts", null, viewSilenceMs);
  simulation.clock.advance(viewSilenceMs);
  await expect(silent).rejects.toThrow();
  await turn();
  expect(lost.length).toBe(1);
  void server.ask("facts", null).catch(() => {});
  expect(started.length).toBe(2);
});
