/** Opens volumes as the configuration wants them: each with its source, and a folder for what must be known of it. */
import { shutdownGraceMs, tracedWritesMax } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Counters } from "#src/host/counters.ts";
import type { FaultHook } from "#src/host/faults.ts";
import type { Machine } from "#src/host/machine.ts";
import { faultHook } from "#src/host/node/faults.ts";
import { type InterceptedVolume, openVolume } from "#src/interceptor/intercepted-volume.ts";
import type { VolumeLinks } from "#src/wire/volume-link.ts";
import type { Config } from "./config-schema.ts";
import { HostWait } from "./host-wait.ts";
import type { OpensVolumes, OpenVolume } from "./interceptor-part.ts";
import type { VolumeMeasures } from "./metrics/measures.ts";
import type { VolumeDefinition, VolumeFacts, VolumeFigures } from "./role.ts";
import { fitSource } from "./source-fit.ts";
import { makeVolumeFolder } from "./volume-folder.ts";
import { openSource } from "./volume-source.ts";

export class VolumeOpener implements OpensVolumes {
  readonly #machine: Machine;
  readonly #links: VolumeLinks;
  readonly #counters: Counters;
  readonly #config: Config;
  readonly #hook: FaultHook | undefined;

  constructor(machine: Machine, links: VolumeLinks, counters: Counters, config: Config) {
    this.#machine = machine;
    this.#links = links;
    this.#counters = counters;
    this.#config = config;
    this.#hook = faultHook(config.faults);
  }

  async open(definition: VolumeDefinition, takesSource: boolean): Promise<OpenVolume> {
    const { files, clock, log } = this.#machine;
    const fitted = await fitSource(this.#machine, definition);
    const { source, baseMissing, ofView: _, ...identity } = fitted.volume;
    const { flush, applianceLost, sourceFull, trackAfterSeconds, checkpointSeconds } = this.#config.interceptor;
    const volume = await openVolume({
      identity,
      files,
      folder: await makeVolumeFolder(files, this.#config, definition.id),
      wasEmpty: !baseMissing,
      takesSource,
      openSource: () => openSource(this.#machine, source),
      links: this.#links,
      clock,
      log,
      counters: this.#counters,
      hook: this.#hook,
      options: {
        flush,
        whenLost: applianceLost,
        whenFull: sourceFull,
        trackAfterMs: trackAfterSeconds * 1000,
        checkpointMs: checkpointSeconds * 1000,
        copyBytesPerSecond: this.#config.copy.bytesPerSecond,
      },
    });
    const wait = new HostWait();
    return {
      ...fitted,
      target: volume,
      figures: () => figuresOf(volume, wait, clock),
      measures: () => measuresOf(volume.figures),
      trace: () => traceOf(volume),
      endTrace: () => volume.traceLast(0),
      unfence: () => volume.unfence(),
      resync: () => volume.resync(),
      close: async () => {
        const { addedOrdinal, durableOrdinal } = await volume.stop(shutdownGraceMs);
        const { name, figures } = volume;
        return { name, writes: figures.writes, isDurable: durableOrdinal >= addedOrdinal };
      },
    };
  }
}

type OpenFigures = VolumeFigures & Pick<VolumeFacts, "baseMissing">;

function figuresOf(volume: InterceptedVolume, wait: HostWait, clock: Clock): OpenFigures {
  const status = volume.status();
  const { acknowledgedOrdinal: acknowledged, appliedOrdinal: applied } = status;
  const isRefused = status.state === "fenced" || status.state === "stopped";
  const { writes, writeBytes, reads, readBytes, flushes, slowReads, slowReadsEnded } = volume.figures;
  const work = isRefused ? undefined : { ...status, acknowledged, applied, slowReads, slowReadsEnded };
  return {
    state: status.state,
    ...(status.why === undefined ? {} : { why: status.why }),
    ...(status.fencedBy === undefined ? {} : { fencedBy: status.fencedBy }),
    ...(status.copy === undefined ? {} : { copy: status.copy }),
    baseMissing: status.baseMissing,
    added: status.addedOrdinal,
    ...{ acknowledged, applied },
    durable: status.durableOrdinal,
    ...wait.look(work, clock.monotonicMs()),
    markedBytes: Math.min(status.markedRegions * status.regionBytes, volume.sizeBytes),
    writes,
    writeBytes,
    reads,
    readBytes,
    flushes,
  };
}

function measuresOf(counted: InterceptedVolume["figures"]): Omit<VolumeMeasures, "name"> {
  const { edgeBytes, copyBytes, failedReads, failedWrites, failedFlushes, writeDurations, flushDurations } = counted;
  return {
    ...{ edgeBytes, copyBytes, failedReads, failedWrites, failedFlushes },
    ...{ writeDurations: writeDurations.figures, flushDurations: flushDurations.figures },
  };
}

/** Who looks for the first time begins to look. */
function traceOf(volume: InterceptedVolume) {
  const records = volume.trace();
  if (records.length === 0) volume.traceLast(tracedWritesMax);
  return records;
}
