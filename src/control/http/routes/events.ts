/** What has happened. The same address is a WebSocket that goes on telling. */
import { type ApiEvent, type EventFacts, eventKinds } from "../events/event.ts";
import { eventsPath } from "../events/event-door.ts";
import type { EventStream } from "../events/event-stream.ts";
import { done, type Route, route } from "../route.ts";
import { choice, count, flag, list, object, optional, record, type Schema, scalar, time } from "../schema.ts";

interface EventsReport {
  readonly oldest: number;
  readonly newest: number;
  readonly missed: boolean;
  readonly events: readonly ApiEvent[];
}

const event = object<ApiEvent>(
  {
    id: count("grows, also over starts of the program"),
    time: time("when it was noticed"),
    kind: choice(eventKinds, "what it is about"),
    facts: record(scalar("a fact"), "what it says besides") as Schema<EventFacts>,
  },
  "Event",
);

export function eventRoutes(stream: EventStream): readonly Route[] {
  return [
    route({
      method: "GET",
      path: eventsPath,
      summary:
        "what has happened, also before the last start, as far as it is kept; as a WebSocket (protocol tidemark) it goes on",
      role: "read",
      query: object<{ readonly after?: number }>({
        after: optional(count("the id of an event: only what came behind it")),
      }),
      reply: object<EventsReport>({
        oldest: count("the id of the oldest that is kept"),
        newest: count("of the newest"),
        missed: flag("some behind `after` are not kept, or it is of another count"),
        events: list(event, "the newest last"),
      }),
      answer: async ({ query: { after } }) => {
        const { oldestId: oldest, newestId: newest } = stream.history;
        const { events, isMore: missed } = stream.history.since(after);
        return done({ oldest, newest, missed, events: events.map((one) => one.event) });
      },
    }),
  ];
}
