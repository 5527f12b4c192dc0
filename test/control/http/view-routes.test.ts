/** What the API answers about views. */
import { expect, test } from "vitest";
import { ViewControl } from "#src/control/view-control.ts";
import { RefuseError } from "#src/core/errors.ts";
import { askedSide } from "./asked-side.ts";
import { viewFacts } from "./scripted-side.ts";

test("a view is opened, listed, and closed", async () => {
  const { side, ask } = askedSide();
  const opened = await ask("POST", "/views", { volume: "disk", point: "seq:7", writable: true });
  expect([opened.status, opened.headers.location, opened.body]).toEqual([201, "/api/v1/views/disk-7", viewFacts]);
  side.views = [viewFacts];
  expect((await ask("GET", "/views")).body).toEqual({ views: [viewFacts] });
  expect((await ask("GET", "/views/disk-7")).body).toEqual(viewFacts);
  expect((await ask("POST", "/views/disk-7/open")).body).toEqual(viewFacts);
  expect((await ask("DELETE", "/views/disk-7")).status).toBe(200);
  expect(side.asked).toEqual([
    { openView: { volume: "disk", point: "seq:7", isWritable: true } },
    ...[{ views: null }, { views: null }, { views: null }],
    { reopenView: { name: "disk-7" } },
    { views: null },
    { closeView: { name: "disk-7", how: "unwritten" } },
  ]);
});

test("a leased view is opened and renewed", async () => {
  const { side, ask } = askedSide();
  await ask("POST", "/views", { volume: "disk", point: "now", writable: true, leased: true });
  expect((await ask("POST", "/views/disk-7/renew")).status).toBe(200);
  side.refusals.set("renewView", new RefuseError("there is no view 'disk-7'"));
  expect((await ask("POST", "/views/disk-7/renew")).status).toBe(422);
  expect(side.asked).toEqual([
    { openView: { volume: "disk", point: "now", isWritable: true, isLeased: true } },
    ...[{ renewView: { name: "disk-7" } }, { renewView: { name: "disk-7" } }],
  ]);
});

test("what was written to a view is thrown away or kept only where somebody says which", async () => {
  const { side, ask } = askedSide();
  side.views = [viewFacts];
  const copied = ["?changes=3&discard=true", "?copied=/srv/a.img"];
  for (const query of ["", "?discard=true", "?keep=true", "?keep=true&discard=true", ...copied]) {
    expect((await ask("DELETE", `/views/disk-7${query}`)).status).toBe(200);
  }
  const ways = ["unwritten", "discarded", "kept", "kept", { changes: 3 }, { copiedTo: "/srv/a.img" }];
  expect(side.asked.filter((one) => "closeView" in (one as object))).toEqual(
    ways.map((how) => ({ closeView: { name: "disk-7", how } })),
  );
  side.views = [{ ...viewFacts, writable: false }];
  expect((await ask("DELETE", "/views/disk-7?keep=true")).status).toBe(422);
  side.refusals.set("closeView", new RefuseError("view 'disk-7' was written to: --discard throws that away"));
  const refused = await ask("DELETE", "/views/disk-7");
  expect([refused.status, refused.body.detail]).toEqual([422, expect.stringContaining("--discard")]);
});

test("a view that is not there is said not to be, and a point that is none is refused in words", async () => {
  const { side, ask } = askedSide();
  expect((await ask("GET", "/views/other")).status).toBe(404);
  expect((await ask("DELETE", "/views/other")).status).toBe(404);
  side.refusals.set("openView", new RefuseError("volume 'disk': record 5 lies within an aggregate"));
  const refused = await ask("POST", "/views", { volume: "disk", point: "seq:5" });
  expect([refused.status, refused.body.detail]).toEqual([422, "volume 'disk': record 5 lies within an aggregate"]);
});

test("a program without a remote appliance has no views, and says whose they are", async () => {
  expect(() => new ViewControl(undefined, async () => {}).all()).toThrow("--api URL");
});
