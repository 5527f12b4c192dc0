/** A side that a test plays, with one of everything that there can be, behind the API of a real port. */
import { onTestFinished } from "vitest";
import type { TimelineReport } from "#src/control/volume-history.ts";
import { askedSide } from "./asked-side.ts";
import { type ScriptedSide, viewFacts, volumeFacts } from "./scripted-side.ts";

const time = "2026-01-02T03:04:05.000Z";
const point = { seq: 9, time };
const history: TimelineReport = {
  ...{ volume: "v", newest: point, marks: [], drills: [], damaged: [], cut: false, snapshots: [{ seq: 7, time }] },
  ranges: [{ kind: "points", granularity: "every-write", firstSeq: 2, lastSeq: 9, from: time, to: time }],
  events: [{ ...point, type: "mode", says: { to: "sync", from: "async", why: "asked" } }],
};

export type Ask = ReturnType<typeof askedSide>["ask"];

export class ContractWorld {
  readonly side: ScriptedSide;
  readonly ask: Ask;
  url = "";

  private constructor(side: ScriptedSide, ask: Ask) {
    this.side = side;
    this.ask = ask;
  }

  static async made(): Promise<ContractWorld> {
    const { side, ask } = askedSide();
    side.volumes.set("v", volumeFacts("v"));
    await ask("POST", "/volumes", { name: "v", source: "/d", group: "g" });
    await ask("POST", "/store/verify");
    side.views = [viewFacts];
    side.snapshots = [{ seq: 7, time, isFirst: false, isAsked: false, heldBy: [] }];
    side.history = history;
    side.density = {
      ...{ volume: "v", from: time, to: time, bucketSeconds: 1, writes: [1], bytes: [4096], lastSeqs: [9] },
      estimated: false,
    };
    side.point = { volume: "v", ...point, snapshot: false };
    const at = { ...point, sizeBytes: 4096 };
    side.difference = { volume: "v", from: at, to: at, ranges: [{ offset: 0, length: 4096, kind: "data" }] };
    return new ContractWorld(side, ask);
  }

  /** Its clock goes on for as long as the test does. */
  static async served(): Promise<ContractWorld> {
    const world = await ContractWorld.made();
    await world.ask("POST", "/tokens", { name: "ops", role: "operate" });
    const listener = await world.side.served().server.listen("127.0.0.1", 0);
    world.url = `http://127.0.0.1:${listener.port}`;
    let isOver = false;
    const turn = (): void => {
      world.side.simulation.clock.step();
      if (!isOver) setImmediate(turn);
    };
    turn();
    onTestFinished(async () => {
      isOver = true;
      await listener.close();
    });
    return world;
  }
}
