/** Small charts side by side, all with the same time from left to right: as SVG that can be read by day and by night. */

export interface ChartLine {
  readonly label: string;
  /** One for each moment; null: it is not known, and the line is broken. */
  readonly values: readonly (number | null)[];
}

export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly ChartLine[];
}

export interface Charts {
  /** What all of it is, for those who do not see it. */
  readonly title: string;
  readonly minutes: readonly number[];
  /** Stretches of time behind the lines. */
  readonly shaded: readonly { readonly from: number; readonly to: number }[];
  readonly charts: readonly Chart[];
}

const columns = 3;
const cell = { width: 300, height: 178 } as const;
/** Of the place for lines, within a cell. */
const plot = { left: 46, top: 44, width: 240, height: 100 } as const;
const margin = 10;
const ticksWanted = 4;
const linesMax = 5;
const pathCharacters = 90;

/** Of lines, by day and by night; told apart by their lightness too. */
const style = `
    .ground { fill: #ffffff } .frame { fill: none; stroke: #c9d6e3 } .rule { stroke: #e4ebf2 } .shade { fill: #eef3f9 }
    .title { fill: #1b2a38; font-weight: 600 } .words { fill: #5b6b7a }
    .line { fill: none; stroke-width: 1.5; stroke-linejoin: round }
    .line0 { stroke: #1f5fae } .line1 { stroke: #d97706 } .line2 { stroke: #12805c } .line3 { stroke: #a21caf }
    .line4 { stroke: #64748b }
    .name0 { fill: #1f5fae } .name1 { fill: #b45309 } .name2 { fill: #12805c } .name3 { fill: #a21caf }
    .name4 { fill: #526072 }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #10161d } .frame { stroke: #3a4856 } .rule { stroke: #25303b } .shade { fill: #1a242e }
      .title { fill: #e6edf4 } .words { fill: #9fb0c0 }
      .line0 { stroke: #6ea8f2 } .line1 { stroke: #f2a33c } .line2 { stroke: #45c49a } .line3 { stroke: #dd7be6 }
      .line4 { stroke: #a3b1c0 }
      .name0 { fill: #6ea8f2 } .name1 { fill: #f2a33c } .name2 { fill: #45c49a } .name3 { fill: #dd7be6 }
      .name4 { fill: #a3b1c0 }
    }
  `;

export function drawCharts({ title, minutes, shaded, charts }: Charts): string {
  const width = 2 * margin + columns * cell.width;
  const height = 2 * margin + Math.ceil(charts.length / columns) * cell.height;
  const minutesMax = Math.max(...minutes);
  const drawn = charts.map((chart, index) => {
    const x = margin + (index % columns) * cell.width;
    const y = margin + Math.floor(index / columns) * cell.height;
    const parts = drawChart(chart, { minutes, minutesMax, shaded });
    return `  <g transform="translate(${x} ${y})">\n${parts.map((part) => `    ${part}\n`).join("")}  </g>\n`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="10">\n`,
    `  <title>${escaped(title)}</title>\n  <style>${style}</style>\n`,
    `  <rect class="ground" width="${width}" height="${height}" rx="10"/>\n`,
    ...drawn,
    "</svg>\n",
  ].join("");
}

interface TimeAxis extends Pick<Charts, "minutes" | "shaded"> {
  readonly minutesMax: number;
}

function drawChart({ title, unit, lines }: Chart, time: TimeAxis): string[] {
  if (lines.length > linesMax) throw new Error(`a chart tells ${linesMax} lines apart, not ${lines.length}`);
  const { left, top, width, height } = plot;
  const ticks = ticksFor(Math.max(0, ...lines.flatMap(({ values }) => values.filter((value) => value !== null))));
  const valueMax = ticks.at(-1) as number;
  const xOf = (minute: number) => place(left + (minute / time.minutesMax) * width);
  const yOf = (value: number) => place(top + height - (value / valueMax) * height);
  return [
    `<text class="title" x="${left}" y="14" font-size="12">${escaped(unit === "" ? title : `${title}, ${unit}`)}</text>`,
    legend(lines),
    ...time.shaded.map(({ from, to }) => {
      const shadeWidth = place(((to - from) / time.minutesMax) * width);
      return `<rect class="shade" x="${xOf(from)}" y="${top}" width="${shadeWidth}" height="${height}"/>`;
    }),
    ...ticks.flatMap((tick) => [
      `<path class="rule" d="M${left} ${yOf(tick)}H${left + width}"/>`,
      `<text class="words" x="${left - 5}" y="${place(yOf(tick) + 3.5)}" text-anchor="end">${tick}</text>`,
    ]),
    `<rect class="frame" x="${left}" y="${top}" width="${width}" height="${height}"/>`,
    ...ticksFor(time.minutesMax)
      .filter((minute) => minute <= time.minutesMax)
      .map(
        (minute) =>
          `<text class="words" x="${xOf(minute)}" y="${top + height + 13}" text-anchor="middle">${minute}</text>`,
      ),
    `<text class="words" x="${left + width}" y="${top + height + 26}" text-anchor="end">minutes</text>`,
    ...lines.map(({ values }, index) => {
      return `<path class="line line${index}" d="${pathOf(values, (at) => xOf(time.minutes[at] as number), yOf)}"/>`;
    }),
  ];
}

/** One line has the chart's own title for a name. */
function legend(lines: readonly ChartLine[]): string {
  if (lines.length < 2) return "";
  const names = lines.map(({ label }, index) => {
    return `<tspan class="name${index}"${index === 0 ? "" : ' dx="5"'}>${escaped(label)}</tspan>`;
  });
  return `<text x="${plot.left}" y="32">${names.join("\n      ")}</text>`;
}

/** In lines of a readable length. A value that stands alone is a dot. */
export function pathOf(
  values: readonly (number | null)[],
  xOf: (index: number) => number,
  yOf: (value: number) => number,
): string {
  const lines = [""];
  let isBroken = true;
  for (const [index, value] of values.entries()) {
    if (value !== null) {
      if ((lines.at(-1) as string).length > pathCharacters) lines.push("");
      lines[lines.length - 1] += `${isBroken ? "M" : "L"}${xOf(index)} ${yOf(value)}${isBroken ? "h.01" : ""}`;
    }
    isBroken = value === null;
  }
  return lines.join("\n");
}

/** From 0 to the first that is not below `most`, in steps that can be counted in. */
export function ticksFor(most: number): number[] {
  const wanted = most > 0 ? most / ticksWanted : 1 / ticksWanted;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = ([1, 2, 5, 10].find((one) => one * power >= wanted * 0.999_999) ?? 10) * power;
  const count = Math.max(1, Math.ceil(most / step - 1e-6));
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}

function place(value: number): number {
  return Number(value.toFixed(1));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
