/** That what is on the page can be read and told apart, in light and in dark (WCAG 2.2: 4.5 for text, 3 for shapes). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "#test/tidy/project-files.ts";

const text = readFileSync(join(projectRoot, "src/ui/styles/tokens.css"), "utf8");
const pairs = [...text.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)];
const colours = new Map(pairs.map(([, name = "", light = "", dark = ""]) => [name, { light, dark }]));

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(name: string, ground: string, scheme: "light" | "dark"): number {
  const [a = 0, b = 0] = [name, ground].map((one) => luminance(colours.get(one)?.[scheme] ?? ""));
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

const onGround = ["ink", "ink-soft"].flatMap((name) =>
  ["ground", "panel", "sunken"].map((ground) => [name, ground] as const),
);
const texts = [
  ...onGround,
  ...["accent", "bad"].map((name) => [name, "panel"] as const),
  ...["accent", "bad"].map((name) => [name, "sunken"] as const),
  ...["accent", "good", "warn", "bad"].map((name) => [name, `${name}-soft`] as const),
  ["ink", "accent-soft"] as const,
  ["accent-ink", "accent"] as const,
];
const shapes = [
  "level-write",
  "level-aggregate",
  "level-folded",
  "density",
  "mark",
  "snapshot",
  "good",
  "bad",
  "edge-strong",
];

for (const scheme of ["light", "dark"] as const) {
  test.each(texts)(`${scheme}: %s can be read on %s`, (name, ground) => {
    expect(contrast(name, ground, scheme)).toBeGreaterThanOrEqual(4.5);
  });

  test.each(shapes)(`${scheme}: %s can be seen on a panel`, (name) => {
    expect(contrast(name, "panel", scheme)).toBeGreaterThanOrEqual(3);
  });
}
