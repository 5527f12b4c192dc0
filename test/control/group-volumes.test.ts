import { expect, test } from "vitest";
import { askedSide } from "./http/asked-side.ts";
import { group } from "./http/scripted-side.ts";

test("where volumes are kept, a group has those that are, and what its state still says of others is not told", async () => {
  const { side, ask } = askedSide();
  const levels = ["old", "v"].map((volume) => ({ volume, seconds: 60 }));
  side.groups = [{ ...group, volumeNames: ["old", "v"], levels }];
  await ask("POST", "/volumes", { name: "v", source: "/d", group: "g" });
  const volume = { volumes: 1, volumeNames: ["v"], levels: [{ volume: "v", seconds: 60 }] };
  expect((await ask("GET", "/groups")).body.groups).toMatchObject([volume]);
  expect((await ask("PUT", "/volumes/v/level", { level: "1h" })).body).toMatchObject({ group: "g", finer: [] });
  expect((await ask("PUT", "/volumes/old/level", { level: "1h" })).status).toBe(404);
});
