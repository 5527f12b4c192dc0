/** The part of the API that is about snapshots. Each is of all volumes of a group. */
import { snapshotWaitSeconds, snapshotWaitSecondsMax } from "#src/core/store-limits.ts";
import type { SnapshotDescriptionItem } from "#src/synth/snapshot-description.ts";
import type { SnapshotControl } from "../../snapshot-control.ts";
import type { AwaitedSnapshot, MadeSnapshot, SnapshotFacts } from "../../snapshot-facts.ts";
import { ProblemError } from "../problem.ts";
import { type Answer, apiPrefix, done, made, type Route, route } from "../route.ts";
import { count, either, list, object, optional, text } from "../schema.ts";
import { type Nothing, nothing } from "./shapes/nothing.ts";
import { pointCharactersMax, pointWords } from "./shapes/point-words.ts";
import { snapshotItem } from "./shapes/snapshot-item.ts";
import { awaitedSnapshot, madeSnapshot, snapshotFacts } from "./shapes/view.ts";

interface SnapshotBody {
  readonly point?: string;
  readonly seq?: number;
  readonly waitSeconds?: number;
}

interface Waits {
  readonly waits: AwaitedSnapshot;
}

const all = `${apiPrefix}/volumes/{volume}/snapshots` as const;

export function snapshotRoutes(snapshots: SnapshotControl): readonly Route[] {
  return [
    route({
      method: "GET",
      path: all,
      summary: "the snapshots of the volume's group",
      role: "read",
      reply: object<{ readonly snapshots: readonly SnapshotFacts[] }>({
        snapshots: list(snapshotFacts, "the newest last"),
      }),
      answer: async ({ names }) => done({ snapshots: await snapshots.all(names.volume) }),
    }),
    makingRoute(snapshots),
    route({
      method: "GET",
      path: `${all}/{seq}`,
      summary: "what lies in a snapshot's object, and where its pointers lead",
      role: "read",
      reply: object<{ readonly items: readonly SnapshotDescriptionItem[] }>({
        items: list(snapshotItem, "the snapshot, its volumes, its pointers"),
      }),
      answer: async ({ names }) => done({ items: await snapshots.inspect(names.volume, names.seq) }),
    }),
    route({
      method: "DELETE",
      path: `${all}/{seq}`,
      summary: "lets go of a snapshot; its room is freed once no other one points into it",
      role: "operate",
      reply: nothing,
      answer: async ({ names }) => {
        await snapshots.remove(names.volume, names.seq);
        return done<Nothing>({});
      },
    }),
  ];
}

function makingRoute(snapshots: SnapshotControl): Route {
  return route({
    method: "POST",
    path: all,
    summary: "seals what a snapshot of the volume's group needs, and makes it of pointers alone",
    role: "operate",
    body: object<SnapshotBody>({
      point: optional(text(`${pointWords}; the newest record that has come unless told`, { max: pointCharactersMax })),
      seq: optional(count("instead, the record that an answer with status 202 told: goes on with that snapshot")),
      waitSeconds: optional(
        count(
          `how long to wait for what has to be sealed first (${snapshotWaitSeconds}); then 202 says how far it is`,
          {
            max: snapshotWaitSecondsMax,
          },
        ),
      ),
    }),
    reply: either<MadeSnapshot, Waits>(madeSnapshot, object<Waits>({ waits: awaitedSnapshot })),
    statuses: { 200: "it was there already", 201: "it was made", 202: "it waits for what has to be sealed" },
    answer: async ({ names: { volume }, body: { point, seq, waitSeconds = snapshotWaitSeconds } }) => {
      if (point !== undefined && seq !== undefined) throw new ProblemError(400, "either 'point' or 'seq' is told");
      const found = await snapshots.make({
        volume,
        ...(point === undefined ? {} : { point }),
        ...(seq === undefined ? {} : { seq }),
        waitMs: waitSeconds * 1000,
      });
      return found.waits === undefined
        ? madeAnswer(volume, found.made)
        : { status: 202, value: { waits: found.waits } };
    },
  });
}

function madeAnswer(volume: string, snapshot: MadeSnapshot): Answer<MadeSnapshot | Waits> {
  const answer = made(snapshot, ["volumes", volume, "snapshots", String(snapshot.seq)]);
  return snapshot.isNew ? answer : { ...answer, status: 200 };
}
