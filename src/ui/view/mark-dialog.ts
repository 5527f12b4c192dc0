/** Asks what a mark is to be called. */
import { type ComponentChild, h } from "preact";
import { useState } from "preact/hooks";
import type { MarkReport } from "#src/control/control-plane.ts";
import type { Desk } from "../desk.ts";
import { markName } from "../mark-name.ts";
import { Dialog } from "./dialog.ts";
import { useTask } from "./hooks.ts";

interface MarkParts {
  readonly desk: Desk;
  readonly group: string;
  readonly close: () => void;
  readonly made: (mark: MarkReport) => void;
}

export function MarkDialog({ desk, group, close, made }: MarkParts): ComponentChild {
  const [name, setName] = useState(markName(desk.browser.nowMs()));
  const task = useTask();
  const submit = (): void =>
    task.run("putting it into the order", async () => {
      made(await desk.mark(group, name.trim()));
      close();
      return undefined;
    });
  return h(
    Dialog,
    { title: "Mark this moment", close, submit },
    h(
      "p",
      { class: "soft" },
      `A mark is a named point in the order of group ${group}. It is put there now, and can be restored by its name.`,
    ),
    h(
      "label",
      null,
      h("span", null, "Name"),
      h("input", {
        class: "field",
        value: name,
        autofocus: true,
        onInput: (event: Event) => setName((event.target as HTMLInputElement).value),
      }),
    ),
    task.said !== undefined && h("p", { class: "note bad", role: "alert" }, task.said.words),
    h(
      "div",
      { class: "end" },
      h("button", { type: "button", class: "button", onClick: close }, "Not now"),
      h(
        "button",
        { class: "button first", type: "submit", disabled: task.doing !== undefined || name.trim() === "" },
        "Mark",
      ),
    ),
  );
}
