/** How far the points of a volume are to be from each other, one click each. */
import { type ComponentChild, h } from "preact";
import type { GroupReport } from "#src/control/readiness.ts";
import type { Desk } from "../desk.ts";
import { levelChoices, levelOf, levelWords } from "../levels.ts";
import { useTask } from "./hooks.ts";

interface SwitchParts {
  readonly desk: Desk;
  readonly group: GroupReport;
  readonly volume: string;
  readonly mayOperate: boolean;
}

export function LevelSwitch({ desk, group, volume, mayOperate }: SwitchParts): ComponentChild {
  const { doing, said, run } = useTask();
  const present = levelOf(group, volume);
  const ask = (level: string) =>
    run(`asking for ${level}`, () => desk.setLevel(group.name, volume, level).then(() => undefined));
  return h(
    "div",
    null,
    h(
      "div",
      { class: "segments", role: "group", "aria-label": `Level of volume ${volume}` },
      levelChoices(present).map(({ seconds, level, label }) =>
        h(
          "button",
          {
            key: level,
            type: "button",
            title: seconds === 0 ? "each write is a point" : `one point is left for each ${label}`,
            "aria-pressed": seconds === present,
            disabled: !mayOperate,
            onClick: () => ask(level),
          },
          label,
        ),
      ),
    ),
    h("p", { class: "small soft", role: "status" }, doing ?? levelWords(group, volume)),
    said !== undefined && h("p", { class: "small note bad", role: "alert" }, said.words),
  );
}
