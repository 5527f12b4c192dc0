/** What the API answers about the store: its long works and its keys. */
import { expect, test } from "vitest";
import { StoreControl } from "#src/control/store-control.ts";
import { RefuseError } from "#src/core/errors.ts";
import { askedSide } from "./asked-side.ts";

test("a long work is asked for, and is a job that can be looked at and cancelled", async () => {
  const { side, ask } = askedSide();
  const added = await ask("POST", "/store/verify");
  expect([added.status, added.headers.location]).toEqual([202, "/api/v1/jobs/1"]);
  expect(added.body).toMatchObject({ id: 1, kind: "verify", state: "waiting", by: "operator" });
  expect((await ask("POST", "/store/index/rebuild")).body).toMatchObject({ id: 2, kind: "index" });
  expect((await ask("GET", "/jobs")).body.jobs).toMatchObject([{ id: 1 }, { id: 2 }]);
  expect((await ask("GET", "/jobs/1")).body).toEqual(added.body);
  expect((await ask("DELETE", "/jobs/1")).status).toBe(200);
  expect(side.asked).toContainEqual({ cancelJob: { id: 1 } });
});

test("a collection may be planned only, and a scrub begin from the beginning on", async () => {
  const { side, ask } = askedSide();
  for (const body of [{}, { dryRun: true }]) expect((await ask("POST", "/store/collect", body)).status).toBe(202);
  for (const body of [{}, { anew: true }]) expect((await ask("POST", "/store/scrub", body)).status).toBe(202);
  expect(side.asked).toEqual([
    { addJob: { kind: "collect", isDry: false } },
    { addJob: { kind: "collect", isDry: true } },
    { addJob: { kind: "scrub", isDry: false, isAnew: false } },
    { addJob: { kind: "scrub", isDry: false, isAnew: true } },
  ]);
  expect((await ask("POST", "/store/collect", { dryrun: true })).body.detail).toContain("did you mean 'dryRun'?");
});

test("a job that there is not is said not to be there, whatever its name is", async () => {
  const { ask } = askedSide();
  for (const name of ["7", "x", "01", "%00", "__proto__"]) {
    for (const method of ["GET", "DELETE"]) {
      expect((await ask(method, `/jobs/${name}`)).status).toBe(name === "%00" ? 400 : 404);
    }
  }
});

test("what cannot be cancelled any more is refused in words", async () => {
  const { side, ask } = askedSide();
  await ask("POST", "/store/verify");
  side.refusals.set("cancelJob", new RefuseError("job 1 is done"));
  expect(await ask("DELETE", "/jobs/1")).toMatchObject({ status: 422, body: { detail: "job 1 is done" } });
});

test("what could not be sealed is tried at once when somebody says so", async () => {
  const { side, ask } = askedSide();
  expect((await ask("POST", "/store/retry")).status).toBe(200);
  expect((await ask("POST", "/store/retry", { remounted: true })).status).toBe(200);
  expect(side.asked).toEqual([{ retryStore: { isRemounted: false } }, { retryStore: { isRemounted: true } }]);
});

test("keys are listed, added by the name of a file and removed by their ids, and never shown", async () => {
  const { side, ask } = askedSide();
  expect((await ask("GET", "/store/keys")).body).toEqual({ keys: [{ id: "11", isUsed: true }] });
  expect(await ask("POST", "/store/keys", { keyFile: "/k" })).toMatchObject({ status: 201, body: { id: "22" } });
  expect((await ask("POST", "/store/keys")).body.detail).toBe("'keyFile' is missing");
  expect((await ask("DELETE", "/store/keys/11")).status).toBe(200);
  expect((await ask("DELETE", "/store/keys/33")).body.detail).toBe("the store's keys have no copy '33'");
  expect(side.asked.filter((one) => JSON.stringify(one).includes('Key"'))).toEqual([
    { addStoreKey: { keyFile: "/k" } },
    { removeStoreKey: { copyId: "11" } },
  ]);
});

test("where there is no remote appliance it is said who has the store", async () => {
  await expect(new StoreControl(undefined).jobs()).rejects.toThrow("name its API, with --api URL");
});
