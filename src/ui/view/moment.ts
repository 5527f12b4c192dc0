/** The moment that was picked: which record that is exactly, and what can be done with it. */
import { type ComponentChild, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { PointReport } from "#src/control/density.ts";
import type { TimelineReport } from "#src/control/volume-history.ts";
import { inWords } from "../api.ts";
import type { Desk } from "../desk.ts";
import { newestPointSeq, rangeAt, rangeInWords } from "../timeline-shape.ts";
import { agoInWords, countInWords, exactTime } from "../words.ts";
import { CopyText } from "./copy-text.ts";
import { Difference } from "./difference.ts";
import { useTask } from "./hooks.ts";
import type { Picked } from "./timeline.ts";

export interface MomentParts {
  readonly desk: Desk;
  readonly volume: string;
  readonly report: TimelineReport | undefined;
  readonly picked: Picked | undefined;
  readonly pick: (picked: Picked | undefined) => void;
  readonly nowMs: number;
  /** Whether whoever looks may also order. */
  readonly mayOperate: boolean;
  readonly askRestore: (point: PointReport) => void;
  /** Puts a mark at the end of the order; undefined: that is elsewhere. */
  readonly mark: (() => void) | undefined;
}

/** Of a hand that goes on moving it is not asked each time. */
const restMs = 120;

export function Moment(parts: MomentParts): ComponentChild {
  const { desk, volume, report, picked, nowMs, mayOperate, askRestore, mark } = parts;
  const { point, failure } = usePoint(parts);
  const task = useTask();
  const [differenceFrom, setDifferenceFrom] = useState<PointReport | undefined>(undefined);
  useEffect(() => setDifferenceFrom(undefined), [volume, picked?.ms, picked?.point]);
  const open = (writable: boolean): void => {
    if (point === undefined) return;
    task.run("opening a view", async () => {
      const view = await desk.openView(volume, `seq:${point.seq}`, writable);
      return `View ${view.name} is open.`;
    });
  };
  const isIdle = task.doing === undefined && point !== undefined;
  const button = (words: string, act: () => void, mayDo: boolean, kind = "") =>
    h("button", { type: "button", class: `button ${kind}`, disabled: !isIdle || !mayDo, onClick: act }, words);
  return h(
    "section",
    { class: "moment", "aria-label": "The moment that was picked" },
    h("div", { class: "moment-what" }, what({ point, failure, picked, report, nowMs }), h(GoTo, parts)),
    h(
      "div",
      { class: "row actions" },
      button("Open view", () => open(false), mayOperate, "first"),
      button("Open writable", () => open(true), mayOperate),
      button("Diff against now", () => setDifferenceFrom(point), true),
      button("Restore…", () => point !== undefined && askRestore(point), mayOperate, "danger"),
      h(
        "button",
        { type: "button", class: "button", disabled: !mayOperate || mark === undefined, onClick: mark },
        "Mark now",
      ),
    ),
    h(
      "p",
      { role: "status", class: "said" },
      task.doing !== undefined && h("span", { class: "soft" }, `${task.doing}…`),
      task.said !== undefined && h("span", { class: `note ${task.said.kind}` }, task.said.words),
    ),
    point !== undefined && h(CopyText, { text: `tidemark view open ${volume}@seq:${point.seq}`, what: "the command" }),
    differenceFrom !== undefined && h(Difference, { desk, volume, from: differenceFrom }),
  );
}

type WhatParts = Pick<MomentParts, "picked" | "report" | "nowMs"> & Found;

function what({ point, failure, picked, report, nowMs }: WhatParts): ComponentChild {
  if (failure !== undefined) return h("p", { class: "note warn" }, failure);
  const isNone = picked === undefined && report !== undefined && newestPointSeq(report) === undefined;
  if (point === undefined) return h("p", { class: "soft" }, isNone ? "There is no point yet." : "Looking…");
  const ms = Date.parse(point.time);
  const range = report === undefined ? undefined : rangeAt(report, ms);
  const kind = point.mark !== undefined ? `mark ${point.mark}` : point.snapshot ? "a snapshot" : picked?.words;
  const notes = [
    agoInWords(ms, nowMs),
    ...(picked === undefined && point.note === undefined ? ["the newest that is durable"] : []),
    ...(kind === undefined ? [] : [kind]),
    ...(range === undefined ? [] : [rangeInWords(range)]),
  ];
  return h(
    "div",
    null,
    h(
      "p",
      { class: "row" },
      h("time", { class: "when", dateTime: point.time, title: point.time }, exactTime(ms)),
      h("span", { class: "seq" }, `seq ${countInWords(point.seq)}`),
    ),
    h("p", { class: "small soft" }, notes.join(" · ")),
    point.note !== undefined && h("p", { class: "small note warn" }, point.note),
  );
}

interface Found {
  readonly point: PointReport | undefined;
  readonly failure: string | undefined;
}

const nothingFound: Found = { point: undefined, failure: undefined };

/** Asked of the appliance, since only that knows; the newest is asked anew as it comes. */
function usePoint({ desk, volume, picked, report }: MomentParts): Found {
  const [found, setFound] = useState<Found & { readonly of: string }>({ of: "", ...nothingFound });
  const newestSeq = picked === undefined && report !== undefined ? newestPointSeq(report) : undefined;
  const words = picked === undefined ? "now" : (picked.point ?? new Date(picked.ms).toISOString());
  const isNothing = picked === undefined && newestSeq === undefined;
  const of = `${volume} ${words}`;
  useEffect(() => {
    let isLatest = true;
    const ask = (): void => {
      desk.point(volume, words).then(
        (point) => isLatest && setFound({ of, point, failure: undefined }),
        (error: unknown) => isLatest && setFound({ of, point: undefined, failure: inWords(error) }),
      );
    };
    const takeBack = isNothing ? () => {} : desk.browser.after(restMs, ask);
    return () => {
      isLatest = false;
      takeBack();
    };
  }, [desk, volume, words, newestSeq, isNothing]);
  // What was found of another moment is not this one's, however soon the answer comes: somebody may restore it.
  return found.of === of ? found : nothingFound;
}

/** For whoever knows the moment: a time, a mark, a record. */
function GoTo({ desk, volume, pick }: MomentParts): ComponentChild {
  const [words, setWords] = useState("");
  const task = useTask();
  const go = (event: Event): void => {
    event.preventDefault();
    const wanted = words.trim();
    if (wanted === "") return;
    if (wanted === "now") return pick(undefined);
    task.run("looking", async () => {
      const { seq, time, note } = await desk.point(volume, wanted);
      pick({ ms: Date.parse(time), point: `seq:${seq}`, words: `as ${wanted}` });
      return note;
    });
  };
  return h(
    "form",
    { class: "goto", onSubmit: go },
    h("input", {
      class: "field",
      "aria-label": "Go to a point",
      placeholder: "-5m, mark:NAME, seq:123",
      value: words,
      onInput: (event: Event) => setWords((event.target as HTMLInputElement).value),
    }),
    h("button", { type: "submit", class: "button", disabled: task.doing !== undefined }, "Go"),
    task.said !== undefined && h("span", { class: "small note bad", role: "alert" }, task.said.words),
  );
}
