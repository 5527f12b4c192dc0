/** The modes of a group, one click each, and how far a switch is. */
import { type ComponentChild, h } from "preact";
import type { GroupReport } from "#src/control/readiness.ts";
import type { Desk } from "../desk.ts";
import { modeWords } from "../mode-words.ts";
import { useTask } from "./hooks.ts";

const modes = [
  { mode: "sync", promise: "a write is answered when the remote has it" },
  { mode: "async", promise: "a write is answered at once, and shipped at once" },
  { mode: "aggregated", promise: "a write is answered at once; what is overwritten soon is not shipped" },
  { mode: "auto", promise: "moves between them as lag and latency ask" },
] as const;

interface SwitchParts {
  readonly desk: Desk;
  readonly group: GroupReport;
  readonly mayOperate: boolean;
}

export function ModeSwitch({ desk, group, mayOperate }: SwitchParts): ComponentChild {
  const task = useTask();
  const { mode, wantedMode } = group;
  const stateOf = (one: string): { readonly isPressed: boolean; readonly isComing: boolean } => ({
    isPressed: one === mode || (one === "auto" && wantedMode === "auto"),
    isComing: one === wantedMode && one !== mode && one !== "auto",
  });
  const { doing, said } = task;
  return h(
    "div",
    null,
    h(
      "div",
      { class: "segments", role: "group", "aria-label": `Mode of group ${group.name}` },
      modes.map(({ mode: one, promise }) => {
        const { isPressed, isComing } = stateOf(one);
        return h(
          "button",
          {
            key: one,
            type: "button",
            title: promise,
            class: isComing ? "coming" : "",
            "aria-pressed": isPressed,
            disabled: !mayOperate,
            onClick: () => task.run(`asking for ${one}`, () => desk.setMode(group.name, one).then(() => undefined)),
          },
          one,
        );
      }),
    ),
    h("p", { class: "small soft mode-words", role: "status" }, doing ?? modeWords(group)),
    said !== undefined && h("p", { class: "small note bad", role: "alert" }, said.words),
  );
}
