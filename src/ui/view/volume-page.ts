/** One volume: how it is, its history, its views. */
import { type ComponentChild, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { PointReport } from "#src/control/density.ts";
import type { JobReport } from "#src/control/job.ts";
import type { GroupReport } from "#src/control/readiness.ts";
import type { TimelineReport } from "#src/control/volume-history.ts";
import { inWords } from "../api.ts";
import type { Desk } from "../desk.ts";
import { historyPlace, placeInWords } from "../history-place.ts";
import { groupOf, type PageState } from "../page-state.ts";
import { type EarlierPoint, noSeries, type Series, writtenEarlier } from "../rates.ts";
import type { ShownVolume } from "../shown-volumes.ts";
import { bytesInWords } from "../words.ts";
import { Figures } from "./figures.ts";
import { useEvery, useNow } from "./hooks.ts";
import { JobProgress } from "./job-progress.ts";
import { LevelSwitch } from "./level-switch.ts";
import { MarkDialog } from "./mark-dialog.ts";
import { ModeSwitch } from "./mode-switch.ts";
import { Moment } from "./moment.ts";
import { RestoreDialog } from "./restore-dialog.ts";
import { SeriesChart } from "./series-chart.ts";
import { type Picked, Timeline } from "./timeline.ts";
import { ViewList } from "./view-list.ts";
import { volumeBadge } from "./volume-badge.ts";

interface PageParts {
  readonly desk: Desk;
  readonly state: PageState;
  readonly volume: ShownVolume;
}

export function VolumePage({ desk, state, volume }: PageParts): ComponentChild {
  const { name, reference } = volume;
  const nowMs = useNow(desk, 500);
  const place = historyPlace(state.status, volume);
  const isKept = place === "here";
  const { report, failure, again } = useTimeline(desk, reference, isKept);
  const [picked, pick] = useState<Picked | undefined>(undefined);
  const [restoreOf, askRestore] = useState<PointReport | undefined>(undefined);
  const [isMarking, setMarking] = useState(false);
  const [job, setJob] = useRestore(desk, volume, isKept);
  useEffect(() => pick(undefined), [reference]);
  const earlier = useEarlier(desk, reference, isKept);
  const isHistoryHere = isKept && (failure === undefined || report !== undefined);
  const moment = { desk, volume: reference, report, nowMs, picked, pick };
  const dismiss = (seen: JobReport): void => {
    desk.sawRestore(volume, seen);
    setJob(undefined);
    desk.restoreToShow(volume).then(
      (next) => setJob((begun) => begun ?? next),
      () => {},
    );
  };
  const views = state.views.filter((view) => view.volume === name && view.group === volume.group);
  return h(
    "div",
    { class: "main" },
    h(VolumeHead, { desk, state, volume, nowMs }),
    job !== undefined && h(JobProgress, { key: job.id, desk, first: job, dismiss }),
    h(
      "section",
      { class: "panel", "aria-labelledby": "history" },
      failure !== undefined && h("p", { class: "note warn" }, `The history cannot be shown. ${failure}`),
      isHistoryHere ? h(Timeline, moment) : h("h2", { id: "history" }, "History"),
      place !== "here" && h("p", { class: "soft" }, placeInWords[place]),
      isHistoryHere &&
        h(Moment, {
          ...moment,
          mayOperate: state.mayOperate,
          askRestore,
          mark: volume.isHistoryOnly ? undefined : () => setMarking(true),
        }),
    ),
    h(
      "div",
      { class: "pair" },
      h(ViewList, { desk, views, mayOperate: state.mayOperate }),
      h(
        "section",
        { class: "panel", "aria-labelledby": "series" },
        h("div", { class: "panel-head" }, h("h2", { id: "series" }, "Throughput and lag")),
        h(SeriesChart, { key: reference, series: seriesOf(state, volume), earlier }),
      ),
    ),
    restoreOf !== undefined &&
      h(RestoreDialog, { desk, volume, point: restoreOf, close: () => askRestore(undefined), begun: setJob }),
    isMarking && h(MarkDialog, { desk, group: volume.group, close: () => setMarking(false), made: again }),
  );
}

/** The one that was begun here; before that one that goes on from before the page was opened, or went wrong then. */
function useRestore(desk: Desk, volume: ShownVolume, isKept: boolean) {
  const [job, setJob] = useState<JobReport | undefined>(undefined);
  useEffect(() => {
    let isWanted = isKept;
    const found = isKept ? desk.restoreToShow(volume) : Promise.resolve(undefined);
    found.then(
      (open) => isWanted && setJob((begun) => begun ?? open),
      () => {},
    );
    return () => {
      isWanted = false;
    };
  }, [desk, volume.reference, isKept]);
  return [job, setJob] as const;
}

/** Of what is elsewhere nothing is told that would be its own, whatever is called so here. */
function seriesOf({ series }: PageState, { name, isHistoryOnly }: ShownVolume): Series {
  return (isHistoryOnly ? undefined : series.get(name)) ?? noSeries;
}

/** So far back is asked what was written before the page was opened. */
const earlierMs = 300_000;
const earlierBuckets = 100;
const noneEarlier: readonly EarlierPoint[] = [];

function useEarlier(desk: Desk, volume: string, isKept: boolean): readonly EarlierPoint[] {
  const [earlier, setEarlier] = useState(noneEarlier);
  useEffect(() => {
    // Where there is no history the figures begin now.
    if (!isKept) return undefined;
    let isWanted = true;
    const nowMs = desk.browser.nowMs();
    desk.density(volume, nowMs - earlierMs, nowMs, earlierBuckets).then(
      ({ from, to, bytes }) => {
        const span = { fromMs: Date.parse(from), toMs: Date.parse(to) };
        if (isWanted) setEarlier(writtenEarlier({ span, bytes }));
      },
      () => {},
    );
    return () => {
      isWanted = false;
    };
  }, [desk, volume, isKept]);
  return earlier;
}

/** How often the history is asked for anew. */
const historyMs = 3000;

function useTimeline(desk: Desk, volume: string, isKept: boolean) {
  const [found, setFound] = useState<{ readonly report?: TimelineReport; readonly failure?: string }>({});
  const [count, setCount] = useState(0);
  useEffect(() => setFound({}), [volume]);
  useEvery(
    desk,
    isKept ? historyMs : undefined,
    () => {
      desk.timeline(volume).then(
        (report) => setFound({ report }),
        (error: unknown) =>
          setFound(({ report }) => ({ failure: inWords(error), ...(report === undefined ? {} : { report }) })),
      );
    },
    [volume, count],
  );
  const { report, failure } = found;
  return { report: report?.volume === volume ? report : undefined, failure, again: () => setCount(count + 1) };
}

function VolumeHead({ desk, state, volume, nowMs }: PageParts & { readonly nowMs: number }): ComponentChild {
  const group = state.status === undefined ? undefined : groupOf(state.status, volume);
  const { reference, sizeBytes, source, why, copy } = volume;
  return h(
    "section",
    { class: "panel", "aria-labelledby": "volume" },
    h(
      "div",
      { class: "panel-head" },
      h(
        "div",
        null,
        h("div", { class: "row" }, h("h1", { id: "volume" }, reference), volumeBadge(state, volume)),
        h(
          "p",
          { class: "small soft source" },
          `${bytesInWords(sizeBytes)} · ${source === "" ? "its host and its source are elsewhere" : source}`,
        ),
      ),
      group !== undefined && h(Switches, { desk, group, volume, mayOperate: state.mayOperate }),
    ),
    why !== undefined && h("p", { class: "note warn" }, why),
    copy !== undefined && h("p", { class: "note" }, copyInWords(copy)),
    h(Figures, { state, volume, nowMs }),
  );
}

function copyInWords({ kind, bytesDone, bytesTotal }: NonNullable<ShownVolume["copy"]>): string {
  const what = kind === "initial" ? "first copy" : "resync";
  return `Its ${what} is under way: ${bytesInWords(bytesDone)} of ${bytesInWords(bytesTotal)}.`;
}

interface SwitchesParts {
  readonly desk: Desk;
  readonly group: GroupReport;
  readonly volume: ShownVolume;
  readonly mayOperate: boolean;
}

/** Of a volume that is not protected here any more only its group can be switched. */
function Switches({ desk, group, volume, mayOperate }: SwitchesParts): ComponentChild {
  return h(
    "div",
    { class: "switches" },
    h(ModeSwitch, { desk, group, mayOperate }),
    !volume.isHistoryOnly && h(LevelSwitch, { key: volume.name, desk, group, volume: volume.name, mayOperate }),
  );
}
