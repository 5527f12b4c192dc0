import { expect, test } from "vitest";
import type { ApiClient } from "#src/cli/api-client.ts";
import { EventListening } from "#src/cli/event-listening.ts";

test("what cannot even be asked for is told, and not tried again", async () => {
  const cause = new TypeError("Invalid character in header content");
  const api = { listen: () => Promise.reject(cause) } as unknown as ApiClient;
  const listening = new EventListening(api, undefined, { event: () => {}, missed: () => {} });
  expect(await listening.listen()).toEqual({ cause, isFinal: true });
});
