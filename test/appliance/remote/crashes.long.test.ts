import { test } from "vitest";
import { liveThroughAll } from "./crash-story.ts";

test("faults 4, 9, 10 and 11: after every crash the journals hold a prefix, and all that was called durable", async () => {
  await liveThroughAll(1000, 2000);
}, 900_000);
