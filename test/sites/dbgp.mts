import { runRange } from "./seed-range.ts";

const n = Number(process.argv[2] ?? 300);
await runRange(1, 100, 1);
const t = process.cpuUsage();
const t0 = performance.now();
await runRange(1001, n, 1);
const u = process.cpuUsage(t);
console.log(
  `${((u.user + u.system) / 1000 / n).toFixed(2)} cpu ms a seed, user ${(u.user / 1000 / n).toFixed(2)}, wall ${((performance.now() - t0) / n).toFixed(2)}`,
);
