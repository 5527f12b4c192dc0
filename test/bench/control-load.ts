/** The load beside which is looked. */
import type { ControlOptions } from "./control-options.ts";
import { runFio, type Workload } from "./fio.ts";
import type { Scratch } from "./scratch.ts";
import type { RunningTidemark } from "./tidemark.ts";

const MiB = 1024 * 1024;
const load: Workload = { access: "randwrite", blockBytes: 4096, depth: 32, connections: 1 };

/** Writes a second. */
export async function loadFor(
  tidemark: RunningTidemark,
  volume: string,
  { seconds, sizeMebibytes }: Pick<ControlOptions, "seconds" | "sizeMebibytes">,
  { seed, scratch }: { readonly seed: number; readonly scratch: Scratch },
): Promise<number> {
  const reportFile = scratch.file("report");
  const run = { uris: [tidemark.uriOf(volume)] as const, sizeBytes: sizeMebibytes * MiB, seconds, seed, reportFile };
  return (await runFio(load, run)).iops;
}
