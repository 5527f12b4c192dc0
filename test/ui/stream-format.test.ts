import { expect, test } from "vitest";
import { eventInWords } from "#src/ui/event-words.ts";
import { streamAddress, streamMessage, streamProtocols } from "#src/ui/stream-format.ts";

test("it goes on behind the last event that was seen, and shows the token as a protocol", () => {
  expect([streamAddress(undefined), streamAddress(17)]).toEqual(["/api/v1/events", "/api/v1/events?after=17"]);
  expect([streamProtocols(undefined), streamProtocols("abc")]).toEqual([["tidemark"], ["tidemark", "token.abc"]]);
});

test("the greeting says whether something was missed, and an event what it is", () => {
  expect(streamMessage('{"type":"hello","missed":true}')).toEqual({ kind: "hello", isMissed: true });
  expect(streamMessage('{"type":"event","id":4,"time":"t","kind":"link","facts":{"up":true}}')).toEqual({
    kind: "event",
    event: { id: 4, time: "t", kind: "link", facts: { up: true } },
  });
});

test.each(["", "{", "[]", "null", '{"type":"other"}', '{"type":"event","id":"4","time":"t","kind":"link"}'])(
  "what is none of that is left aside: %s",
  (text) => {
    expect(streamMessage(text)).toBeUndefined();
  },
);

test("events are sentences, also those of a newer program", () => {
  const say = (kind: string, facts: object) => eventInWords({ id: 1, time: "", kind, facts: { ...facts } });
  expect(say("mode", { group: "g", from: "async", to: "sync", wanted: "sync" })).toBe(
    "Group g went from async to sync",
  );
  expect(say("mode", { group: "g", from: "async", to: "async", wanted: "sync" })).toBe("Group g is to be sync");
  expect(say("link", { group: "g", up: false, why: "refused" })).toBe("The link of group g is down: refused");
  expect(say("lag", { group: "g", lagging: true, seconds: 12, bytes: 2048 })).toMatch(/^The remote is 12 s behind/);
  expect(say("alarm", { problem: "the disk is full", on: true })).toBe("The disk is full");
  expect(say("audit", { who: "ann", does: "PUT /mode", status: 403 })).toMatch(/was refused$/);
  const action = "switches a mode";
  expect(say("audit", { who: "ann", action, does: "PUT /mode", status: 200 })).toBe(
    "Switches a mode (PUT /mode) by ann",
  );
  expect(say("comet", { size: 4 })).toBe("Comet, size 4");
});
