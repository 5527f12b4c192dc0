/** The views of a volume that are open, and where each is. */
import { type ComponentChild, h } from "preact";
import type { ViewFacts } from "#src/control/view.ts";
import type { Desk } from "../desk.ts";
import { bytesInWords, countInWords, exactTime } from "../words.ts";
import { CopyText } from "./copy-text.ts";
import { useTask } from "./hooks.ts";

interface ListParts {
  readonly desk: Desk;
  readonly views: readonly ViewFacts[];
  readonly mayOperate: boolean;
}

export function ViewList({ desk, views, mayOperate }: ListParts): ComponentChild {
  return h(
    "section",
    { class: "panel", "aria-labelledby": "views" },
    h("div", { class: "panel-head" }, h("h2", { id: "views" }, "Views")),
    views.length === 0
      ? h(
          "p",
          { class: "soft" },
          "None is open. A view is a moment of the volume as a disk of its own: pick a moment above, and open it.",
        )
      : h(
          "ul",
          { class: "list" },
          views.map((view) => h(ViewItem, { key: view.name, desk, view, mayOperate })),
        ),
  );
}

interface ItemParts extends Omit<ListParts, "views"> {
  readonly view: ViewFacts;
}

function ViewItem({ desk, view, mayOperate }: ItemParts): ComponentChild {
  const task = useTask();
  const { name, seq, time, writable, state, why, uri, connections, writtenBytes, changes } = view;
  const facts = [
    `seq ${countInWords(seq)}`,
    exactTime(Date.parse(time)),
    writable ? `writable${state === "open" ? `, ${bytesInWords(writtenBytes)} written` : ""}` : "read-only",
    ...(connections === 0 ? [] : [connections === 1 ? "1 connection" : `${connections} connections`]),
    ...(state === "open" ? [] : [why === undefined ? state : `${state}: ${why}`]),
  ];
  // Of one that is not open nobody says what was written to it.
  const isWritten = writable && (changes > 0 || state !== "open");
  return h(
    "li",
    null,
    h(
      "div",
      { class: "between" },
      h("h3", null, name),
      h(
        "button",
        {
          type: "button",
          class: "button plain",
          "aria-label": `Close view ${name}`,
          disabled: task.doing !== undefined || !mayOperate,
          onClick: () => task.run("closing", () => desk.closeView(name, isWritten).then(() => undefined)),
        },
        isWritten ? "Close, and throw away what was written" : "Close",
      ),
    ),
    h("p", { class: "small soft" }, facts.join(" · ")),
    state === "open" && h(CopyText, { text: uri, what: `the address of view ${name}` }),
    task.said !== undefined && h("p", { class: "note bad small", role: "alert" }, task.said.words),
  );
}
