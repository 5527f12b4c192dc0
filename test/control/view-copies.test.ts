import { expect, test } from "vitest";
import type { Job, JobReport } from "#src/control/job.ts";
import type { RestoreWish } from "#src/control/restore.ts";
import { ViewCopies } from "#src/control/view-copies.ts";
import { RefuseError } from "#src/core/errors.ts";
import { ViewsWorld, viewGroup } from "./views-world.ts";

const wish = { name: "mine", target: "/srv/mine.img", mayOverwrite: false, isVerified: true } as const;

async function world() {
  const views = new ViewsWorld(1);
  const served = views.start();
  await views.waited(served.open({ volume: "disk", point: "now", isWritable: true, name: "mine" }));
  const asked: RestoreWish[] = [];
  const facts = { jobs: [] as Job[], refusal: undefined as Error | undefined, forgotten: [] as unknown[] };
  const copies = new ViewCopies({
    views: served,
    jobs: {
      get all() {
        return facts.jobs;
      },
      report: (id) => ({ id }) as JobReport,
    },
    restore: async (restore) => {
      if (facts.refusal !== undefined) throw facts.refusal;
      asked.push(restore);
      return { id: 1 } as JobReport;
    },
    forget: ({ restore }) => void facts.forgotten.push(restore?.target),
    groups: () => views.groups ?? [{ id: viewGroup, name: "g", durable: 9, volumes: views.volumes }],
  });
  return { views, served, asked, facts, copies };
}

function jobOf({ point: _, ...wanted }: RestoreWish, state: Job["state"]): Job {
  const restore = { ...wanted, id: "x", group: "g", number: 1, seq: 9, timeMicros: 9 };
  const result = state === "done" ? { result: { isSound: true, figures: {}, lines: [] } } : {};
  return {
    id: 1,
    request: { kind: "restore", isDry: false, restore },
    isOfSchedule: false,
    state,
    madeMs: 0,
    ...result,
  };
}

test("a view is put away before it is copied, and neither opened nor thrown away while that goes on", async () => {
  const { views, served, asked, facts, copies } = await world();
  await views.waited(copies.copy(wish));
  expect(asked).toMatchObject([{ volume: "g/disk", point: "seq:9", target: wish.target, view: { name: "mine" } }]);
  expect(await views.waited(served.all())).toMatchObject([{ state: "put away" }]);
  facts.jobs = [jobOf(asked[0] as RestoreWish, "running")];
  await expect(copies.reopen("mine")).rejects.toThrow("job 1 copies view 'mine'");
  await expect(copies.close("mine", "discarded")).rejects.toThrow("job 1 copies view 'mine'");
  await expect(copies.copy({ ...wish, target: "/srv/other.img" })).rejects.toThrow("job 1 copies view 'mine'");
  facts.jobs = [jobOf(asked[0] as RestoreWish, "cancelled")];
  expect(await views.waited(copies.reopen("mine"))).toMatchObject({ state: "open" });
  await views.waited(copies.close("mine", "discarded"));
});

test("a copy of a view is of its own volume, also where another one has that name by now", async () => {
  const { views, asked, copies } = await world();
  const volumes = [1, 2].map((number) => ({ number, id: String(number), name: "disk", sizeBytes: 4096 }));
  views.groups = [{ id: viewGroup, name: "g", durable: 9, volumes }];
  await views.waited(copies.copy(wish));
  expect(asked.map(({ volume }) => volume)).toEqual([`${viewGroup.slice(0, 8)}/disk#1`]);
});

test("a copy that is done is looked at by another job when it is asked for again, and not taken for what is there", async () => {
  const { views, asked, facts, copies } = await world();
  await views.waited(copies.copy(wish));
  facts.jobs = [jobOf(asked[0] as RestoreWish, "done")];
  await views.waited(copies.copy(wish));
  expect(asked[1]).toEqual(asked[0]);
  await views.waited(copies.copy({ ...wish, target: "/srv/other.img" }));
  await views.waited(copies.reopen("mine"));
  await views.waited(copies.copy(wish));
  // What an earlier copy has noted is not of what it holds now.
  expect(asked.map(({ view }) => view?.reopenCount)).toEqual([undefined, undefined, undefined, 1]);
});

test("what was noted of copies of a view goes with it, and stays where it is put away", async () => {
  const { views, asked, facts, copies } = await world();
  await views.waited(copies.copy(wish));
  const [copy] = asked as [RestoreWish];
  const other = { ...copy, target: "/srv/other.img", view: { ...copy.view, name: "other" } } as RestoreWish;
  facts.jobs = [jobOf(copy, "done"), jobOf(other, "done")];
  await views.waited(copies.reopen("mine"));
  await views.waited(copies.close("mine", "kept"));
  expect(facts.forgotten).toEqual([]);
  await views.waited(copies.close("mine", "discarded"));
  expect(facts.forgotten).toEqual([wish.target]);
});

test("of what became a volume it is told that all of the view was copied there, as long as the view was not opened since", async () => {
  const { views, asked, facts, copies } = await world();
  const taken = { ...wish, takenBy: "second" };
  const refused = "/srv/mine.img is volume 'second': name another target";
  await expect(views.waited(copies.copy(taken))).rejects.toThrow(refused);
  await views.waited(copies.copy(wish));
  await expect(views.waited(copies.copy(taken))).rejects.toThrow(refused);
  facts.jobs = [jobOf(asked[0] as RestoreWish, "done")];
  expect((await views.waited(copies.copy(taken))).id).toBe(1);
  await expect(views.waited(copies.copy({ ...taken, target: "/srv/other.img" }))).rejects.toThrow("name another");
  await views.waited(copies.reopen("mine"));
  await expect(views.waited(copies.copy(taken))).rejects.toThrow(refused);
  await views.waited(copies.close("mine", "kept"));
  await expect(views.waited(copies.copy(taken))).rejects.toThrow(refused);
  expect(asked).toHaveLength(1);
});

test("a view goes as one that was copied only where all of it was, and its notes with it", async () => {
  const { views, asked, facts, copies } = await world();
  const close = () => views.waited(copies.close("mine", { copiedTo: wish.target }));
  await views.waited(copies.copy(wish));
  await expect(close()).rejects.toThrow("view 'mine' is not as it was when it was copied");
  const done = jobOf(asked[0] as RestoreWish, "done");
  facts.jobs = [{ ...done, result: { isSound: false, figures: {}, lines: [] } }];
  await expect(close()).rejects.toThrow("view 'mine' is not as it was when it was copied");
  facts.jobs = [done];
  await close();
  expect([views.shelf.all, facts.forgotten]).toEqual([[], [wish.target]]);
});

test("a view that somebody has attached is not copied, and stays as it is", async () => {
  const { views, served, asked, copies } = await world();
  views.connections = 1;
  await expect(views.waited(copies.copy(wish))).rejects.toThrow("detach it first");
  expect([asked, (await views.waited(served.all()))[0]?.state]).toEqual([[], "open"]);
});

test("a view is neither opened nor thrown away while its copy is begun, and asked for twice it is one copy", async () => {
  const { views, served, copies, asked } = await world();
  const first = copies.copy(wish);
  const second = copies.copy(wish);
  await expect(copies.copy({ ...wish, target: "/srv/other.img" })).rejects.toThrow("is just being begun");
  await expect(views.waited(copies.reopen("mine"))).rejects.toThrow("is just being begun");
  await expect(views.waited(copies.close("mine", "discarded"))).rejects.toThrow("is just being begun");
  await views.waited(Promise.all([first, second]));
  expect(asked).toHaveLength(1);
  expect(await views.waited(served.all())).toMatchObject([{ state: "put away" }]);
  await views.waited(copies.close("mine", "discarded"));
});

test("a view of which nothing is copied, since that is refused, is open again, and one that was put away is not", async () => {
  const { views, served, facts, copies } = await world();
  facts.refusal = new RefuseError("/srv/mine.img is this program's own");
  await expect(views.waited(copies.copy(wish))).rejects.toThrow("is this program's own");
  expect(await views.waited(served.all())).toMatchObject([{ state: "open" }]);
  views.failing.add("open");
  await expect(views.waited(copies.copy(wish))).rejects.toThrow("is this program's own");
  views.failing.clear();
  await views.driver.until(() => views.open.size === 1);
  await views.driver.quiet();
  await views.waited(served.close("mine", "kept"));
  await expect(views.waited(copies.copy(wish))).rejects.toThrow("is this program's own");
  expect(await views.waited(served.all())).toMatchObject([{ state: "put away" }]);
});
