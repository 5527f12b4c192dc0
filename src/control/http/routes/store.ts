/** The part of the API that is about the store: its long works, and its keys. */
import type { JobReport } from "../../job.ts";
import type { StoreControl } from "../../store-control.ts";
import type { KeyFacts } from "../../store-key-orders.ts";
import type { WorkKind, WorkRequest } from "../../store-work.ts";
import { apiPrefix, begun, done, made, type Route, route } from "../route.ts";
import { flag, list, object, optional, type Schema, text, words } from "../schema.ts";
import { jobReport } from "./shapes/job.ts";
import { type Nothing, nothing } from "./shapes/nothing.ts";

export function storeRoutes(store: StoreControl): readonly Route[] {
  return [...workRoutes(store), ...jobRoutes(store), ...keyRoutes(store)];
}

interface Work<Body> {
  readonly kind: WorkKind;
  readonly path: string;
  readonly summary: string;
  readonly body: Schema<Body>;
  readonly request: (body: Body) => Partial<WorkRequest>;
}

function workRoute<Body>(store: StoreControl, { kind, path, summary, body, request }: Work<Body>): Route {
  return route({
    method: "POST",
    path: `${apiPrefix}/store/${path}` as const,
    summary: `${summary}; answers the job`,
    role: "operate",
    body,
    reply: jobReport,
    statuses: { 202: "it waits, or is under way" },
    answer: async (asked) => {
      const job = await store.addJob({ kind, isDry: false, ...request(asked.body) });
      return begun<JobReport>(job, ["jobs", String(job.id)]);
    },
  });
}

function workRoutes(store: StoreControl): readonly Route[] {
  return [
    workRoute(store, {
      kind: "collect",
      path: "collect",
      summary: "lets go of what is not to be kept any more, and frees its room",
      body: object<{ readonly dryRun?: boolean }>({ dryRun: optional(flag("only plans it, with reasons")) }),
      request: ({ dryRun = false }) => ({ isDry: dryRun }),
    }),
    workRoute(store, {
      kind: "scrub",
      path: "scrub",
      summary: "reads all that the store has, checks it, and repairs what it can",
      body: object<{ readonly anew?: boolean }>({
        anew: optional(flag("from the beginning on, wherever the last one ended")),
      }),
      request: ({ anew = false }) => ({ isAnew: anew }),
    }),
    workRoute(store, {
      kind: "verify",
      path: "verify",
      summary: "looks whether the store contradicts itself, without reading its blocks",
      body: nothing,
      request: () => ({}),
    }),
    workRoute(store, {
      kind: "index",
      path: "index/rebuild",
      summary: "makes the index of the store anew",
      body: nothing,
      request: () => ({}),
    }),
    route({
      method: "POST",
      path: `${apiPrefix}/store/retry`,
      summary: "tries at once what could not be sealed",
      role: "operate",
      body: object<{ readonly remounted?: boolean }>({
        remounted: optional(flag("the file system of the store was mounted anew: what it shows is what the disk has")),
      }),
      reply: nothing,
      answer: async ({ body: { remounted = false } }) => {
        await store.retry(remounted);
        return done<Nothing>({});
      },
    }),
  ];
}

function jobRoutes(store: StoreControl): readonly Route[] {
  return [
    route({
      method: "GET",
      path: `${apiPrefix}/jobs`,
      summary: "the long works over the store: what waits, what is under way, and what became of the last ones",
      role: "read",
      reply: object<{ readonly jobs: readonly JobReport[] }>({ jobs: list(jobReport, "the newest last") }),
      answer: async () => done({ jobs: await store.jobs() }),
    }),
    route({
      method: "GET",
      path: `${apiPrefix}/jobs/{job}`,
      summary: "one of them",
      role: "read",
      reply: jobReport,
      answer: async ({ names }) => done<JobReport>(await store.job(names.job)),
    }),
    route({
      method: "DELETE",
      path: `${apiPrefix}/jobs/{job}`,
      summary: "cancels one that waits or is under way; that ends where it is safe",
      role: "operate",
      reply: jobReport,
      answer: async ({ names }) => done<JobReport>(await store.cancelJob(names.job)),
    }),
  ];
}

const key = object<KeyFacts>({
  id: words("of the copy of the store's keys that it opens"),
  isUsed: flag("by this program"),
});

interface AddedKey {
  readonly id: string;
  readonly keys: readonly KeyFacts[];
}

function keyRoutes(store: StoreControl): readonly Route[] {
  return [
    route({
      method: "GET",
      path: `${apiPrefix}/store/keys`,
      summary: "by which keys an encrypted store opens",
      role: "admin",
      reply: object<{ readonly keys: readonly KeyFacts[] }>({ keys: list(key, "all of them") }),
      answer: async () => done({ keys: await store.keys() }),
    }),
    route({
      method: "POST",
      path: `${apiPrefix}/store/keys`,
      summary: "lets the store open with another key too",
      role: "admin",
      body: object<{ readonly keyFile: string }>({
        keyFile: text("a file with the key, on the remote appliance's machine"),
      }),
      reply: object<AddedKey>({ id: words("of the added one"), keys: list(key, "all of them") }),
      statuses: { 201: "it opens the store" },
      answer: async ({ body }) => {
        const added = await store.addKey(body.keyFile);
        return made(added, ["store", "keys", added.id]);
      },
    }),
    route({
      method: "DELETE",
      path: `${apiPrefix}/store/keys/{key}`,
      summary: "lets the store open with this key no more",
      role: "admin",
      reply: nothing,
      answer: async ({ names }) => {
        await store.removeKey(names.key);
        return done<Nothing>({});
      },
    }),
  ];
}
