/** What was written, and how far the remote was behind, while the page was open. */
import { type ComponentChild, h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { EarlierPoint, Series } from "../rates.ts";
import { bytesInWords, clockTime, spanInWords } from "../words.ts";
import { useWidth } from "./hooks.ts";

const height = 190;
/** Powers of two, so that an axis has round numbers of KiB and MiB. */
const byteSteps = Array.from({ length: 40 }, (_, power) => 2 ** (power + 6));

interface ChartParts {
  readonly series: Series;
  readonly earlier: readonly EarlierPoint[];
}

export function SeriesChart({ series, earlier }: ChartParts): ComponentChild {
  const [attach, width] = useWidth();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  useEffect(() => {
    if (place.current === null || width === 0) return undefined;
    const made = new uPlot(options(place.current, width), columns(series, earlier), place.current);
    chart.current = made;
    // Canvas has colours of its own: light and dark are looked up again where they change.
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const redraw = (): void => made.redraw(false, true);
    const observer = new MutationObserver(redraw);
    scheme.addEventListener("change", redraw);
    observer.observe(document.documentElement, { attributeFilter: ["data-scheme"] });
    return () => {
      scheme.removeEventListener("change", redraw);
      observer.disconnect();
      made.destroy();
      chart.current = undefined;
    };
  }, [width]);
  useEffect(() => chart.current?.setData(columns(series, earlier)), [series, earlier]);
  const isEmpty = series.points.length + earlier.length < 2;
  return h(
    "div",
    { class: "series", ref: attach },
    h("div", { ref: place, "aria-hidden": "true" }),
    isEmpty && h("p", { class: "small soft" }, "Figures are gathered from now on."),
  );
}

function columns({ points }: Series, earlier: readonly EarlierPoint[]): uPlot.AlignedData {
  const firstMs = points[0]?.atMs ?? Number.POSITIVE_INFINITY;
  const before = earlier.filter(({ atMs }) => atMs < firstMs);
  const all = [...before, ...points];
  return [
    all.map(({ atMs }) => atMs / 1000),
    all.map(({ writeBytesPerSecond }) => writeBytesPerSecond),
    [...before.map(() => null), ...points.map(({ lagSeconds }) => lagSeconds)],
  ];
}

function options(element: HTMLElement, width: number): uPlot.Options {
  const colour = (name: string) => () => resolvedColour(element, name);
  const axis = {
    stroke: colour("--ink-soft"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("--edge"), width: 1 },
  };
  const quiet = { ticks: { show: false } };
  return {
    width,
    height,
    cursor: { y: false },
    legend: { live: true },
    scales: { x: { time: true, range: aMinute }, bytes: { range: fromZero(1024) }, seconds: { range: fromZero(1) } },
    axes: [
      { ...axis, ...quiet, space: 76, values: (_, splits) => splits.map((at) => clockTime(at * 1000)) },
      {
        ...axis,
        ...quiet,
        scale: "bytes",
        incrs: byteSteps,
        size: 74,
        values: (_, splits) => splits.map((value) => `${bytesInWords(value)}/s`),
      },
      {
        ...axis,
        ...quiet,
        scale: "seconds",
        side: 1,
        size: 56,
        grid: { show: false },
        values: (_, splits) => splits.map(spanInWords),
      },
    ],
    series: [
      { label: "At", value: (_, at) => (at === null ? "" : clockTime(at * 1000)) },
      {
        label: "Written",
        scale: "bytes",
        stroke: colour("--density"),
        fill: colour("--accent-soft"),
        width: 2,
        value: (_, value) => (value === null ? "" : `${bytesInWords(value)}/s`),
      },
      {
        label: "Lag",
        scale: "seconds",
        stroke: colour("--mark"),
        width: 2,
        dash: [6, 4],
        value: (_, value) => (value === null ? "" : spanInWords(value)),
      },
    ],
  };
}

/** At least, and up to the newest. */
function aMinute(_: uPlot, from: number | null, to: number | null): [number, number] {
  if (from === null || to === null) return [0, 60];
  return [Math.min(from, to - 60), to];
}

/** So that a quiet volume is a flat line at the bottom. */
function fromZero(least: number): uPlot.Range.Function {
  return (_, __, most) => [0, Math.max(least, (most ?? 0) * 1.1)];
}

/** As it is in light or dark: a canvas knows neither variables nor `light-dark()`. */
function resolvedColour(element: HTMLElement, name: string): string {
  element.style.color = `var(${name})`;
  const { color } = getComputedStyle(element);
  element.style.color = "";
  return color;
}
