/** What happened lately, as it comes. Screen readers are not told each of it: it is there to be read. */
import { type ComponentChild, h } from "preact";
import type { EventLog } from "../event-log.ts";
import { eventInWords } from "../event-words.ts";
import { clockTime } from "../words.ts";

export function EventList({ log }: { readonly log: EventLog }): ComponentChild {
  return h(
    "section",
    { class: "panel happened", "aria-labelledby": "events" },
    h("div", { class: "panel-head" }, h("h2", { id: "events" }, "Events")),
    log.events.length === 0
      ? h("p", { class: "soft" }, "Nothing has happened since the program was started.")
      : h(
          "ol",
          { class: "events list", tabIndex: 0, "aria-label": "The newest first" },
          log.events.map((event) =>
            h(
              "li",
              { key: event.id },
              h("time", { dateTime: event.time }, clockTime(Date.parse(event.time))),
              h("span", { class: event.kind === "audit" ? "soft" : "" }, eventInWords(event)),
            ),
          ),
        ),
  );
}
