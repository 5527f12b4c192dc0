import { expect, test } from "vitest";
import { drawCharts, pathOf, ticksFor } from "./time-charts.ts";

test.each([
  [1540, [0, 500, 1000, 1500, 2000]],
  [2000, [0, 500, 1000, 1500, 2000]],
  [0.07, [0, 0.02, 0.04, 0.06, 0.08]],
  [60, [0, 20, 40, 60]],
  [3, [0, 1, 2, 3]],
])("up to %d it is counted in steps that are easy to read", (most, ticks) => {
  expect(ticksFor(most)).toEqual(ticks);
});

test("nothing has an axis too", () => {
  expect(ticksFor(0)).toEqual([0, 0.5]);
});

test("a line is broken where nothing is known", () => {
  const path = pathOf(
    [1, 2, null, 3, 4],
    (index) => 10 * index,
    (value) => -value,
  );
  expect(path).toBe("M0 -1h.01L10 -2M30 -3h.01L40 -4");
});

const charts = {
  title: "a < b",
  minutes: [0.5, 1, 1.5, 2],
  shaded: [{ from: 1, to: 1.5 }],
  charts: [
    {
      title: "Memory",
      unit: "MiB",
      lines: [
        { label: "one", values: [1, 2, 3, 4] },
        { label: "two", values: [null, null, 9, 9] },
      ],
    },
    { title: "Lag", unit: "s", lines: [{ label: "lag", values: [0, 0, 0, 0] }] },
  ],
};

test("all that is drawn is told apart, has its unit, and lies within the picture", () => {
  const drawn = drawCharts(charts);
  expect(drawn).toContain("a &lt; b");
  expect(drawn).toContain("Memory, MiB");
  expect(drawn).not.toContain("NaN");
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(drawn) ?? [];
  expect(Number(height)).toBeGreaterThan(100);
  for (const [, x] of drawn.matchAll(/[ML](\d+(?:\.\d+)?) /g)) expect(Number(x)).toBeLessThanOrEqual(Number(width));
  expect(drawn.match(/class="name\d"/g)).toEqual(['class="name0"', 'class="name1"']);
});

test("the picture is whole: each part that is opened is closed, and it is dark where its reader wants that", () => {
  const drawn = drawCharts(charts);
  const open: string[] = [];
  for (const [, end, name, alone] of drawn.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (end === "/") expect(open.pop()).toBe(name);
    else if (alone !== "/") open.push(name as string);
  }
  expect(open).toEqual([]);
  expect(drawn).toContain("prefers-color-scheme: dark");
});

test("no line of its text is too long for whoever reads it", () => {
  const minutes = Array.from({ length: 400 }, (_, index) => index / 6);
  const values = minutes.map((minute) => 1000 * minute);
  const names = ["interceptor", "local", "remote", "keeper", "views"];
  const drawn = drawCharts({
    ...charts,
    minutes,
    charts: [{ title: "Memory", unit: "", lines: names.map((label) => ({ label, values })) }],
  });
  expect(Math.max(...drawn.split("\n").map((line) => line.length))).toBeLessThanOrEqual(140);
});

test("more lines than can be told apart are refused", () => {
  const lines = Array.from({ length: 6 }, (_, index) => ({ label: `${index}`, values: [1] }));
  expect(() => drawCharts({ ...charts, charts: [{ title: "Many", unit: "", lines }] })).toThrow(
    "tells 5 lines apart, not 6",
  );
});
