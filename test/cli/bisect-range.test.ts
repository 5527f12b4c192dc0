import { expect, test, vi } from "vitest";
import type { ApiClient } from "#src/cli/api-client.ts";
import { Search } from "#src/cli/bisect.ts";
import { viewFacts } from "#test/control/http/scripted-side.ts";

/** Opens and closes views of any record; tells in which order. */
function scripted(notes: Readonly<Record<string, string>> = {}) {
  const done: string[] = [];
  const facts = (seq: string) => {
    const note = notes[seq] === undefined ? {} : { note: notes[seq] };
    return { ...viewFacts, name: `disk-${seq}`, seq: Number(seq), leased: true, ...note };
  };
  const ask = async (method: string, [, name]: readonly string[], { body }: { body?: { point: string } } = {}) => {
    const seq = (body?.point ?? name ?? "").replace(/^\D*/, "");
    if (method !== "GET") done.push(`${method === "POST" ? "opened" : "closed"} ${seq}`);
    return facts(seq);
  };
  return { done, api: { ask } as unknown as ApiClient };
}

test("nothing behind the good end is folded while it is searched: its view is there until all is over", async () => {
  const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const { done, api } = scripted();
  const search = new Search({ api, volume: "disk", command: 'test "$TIDEMARK_SEQ" -lt 5', withinMs: 60_000 });
  expect(await search.run("seq:3", "seq:6")).toMatchObject({ good: { seq: 4 }, bad: { seq: 5 } });
  expect([done[0], done.at(-1)]).toEqual(["opened 3", "closed 3"]);
  expect(done).toHaveLength(8);
  // Also where it ends early.
  done.length = 0;
  await expect(search.run("seq:3", "seq:4")).rejects.toThrow("was to be bad");
  expect(done).toEqual(["opened 3", "opened 4", "closed 4", "closed 3"]);
  told.mockRestore();
});

test("what is lost where it searches is told, once", async () => {
  const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const note = "there may have been later points before what was asked for: record 6 is damaged";
  const { api } = scripted({ 4: note, 5: note, 6: note });
  await new Search({ api, volume: "disk", command: 'test "$TIDEMARK_SEQ" -lt 5', withinMs: 60_000 }).run(
    "seq:3",
    "seq:9",
  );
  const said = told.mock.calls.map(([text]) => String(text)).filter((text) => text.includes("may have been"));
  expect(said).toEqual([`seq:6: ${note}\n`]);
  told.mockRestore();
});
