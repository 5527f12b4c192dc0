/**
 * Brings together what the sides have told, for a scrape. Facts of a moment ago will do: a thread at full load answers late, and is
 * not down for that. Whoever has told nothing for longer is.
 */
import { metricsFactsAgeMsMax, metricsPatienceMs } from "#src/core/limits.ts";
import { agedFacts } from "../aged-facts.ts";
import { type GroupReport, readinessOf } from "../readiness.ts";
import type { GroupFacts, RoleName } from "../role.ts";
import type { SideFacts, SideName } from "../side.ts";
import type { KnownFacts, SideClient } from "../side-client.ts";
import type { VolumeKeeper } from "../volume-keeper.ts";
import { GrowingSum } from "./growing-sum.ts";
import type { SideMeasures } from "./measures.ts";
import type { CertificateTerm, MeasuredVolume, MetricsSnapshot, PromisedTerms } from "./metrics-snapshot.ts";
import { ownDrills, ownGroups } from "./own-labels.ts";

export interface MetricsReaderParts {
  readonly version: string;
  readonly runtime: string;
  readonly roles: readonly RoleName[];
  readonly sides: readonly Pick<SideClient, "name" | "freshFacts">[];
  /** Where there are interceptors. */
  readonly keeper: Pick<VolumeKeeper, "describe" | "describeGroups"> | undefined;
  readonly certificates: () => readonly CertificateTerm[];
  /** Of the program itself, as the status tells them. */
  readonly troubles?: (() => readonly string[]) | undefined;
  readonly terms: PromisedTerms;
}

interface KnownSide extends KnownFacts {
  readonly name: SideName;
  readonly isUp: boolean;
}

const sideOf: Readonly<Record<RoleName, SideName>> = { interceptor: "local", local: "local", remote: "remote" };

export class MetricsReader {
  readonly #parts: MetricsReaderParts;
  readonly #copied = new GrowingSum();

  constructor(parts: MetricsReaderParts) {
    this.#parts = parts;
  }

  async read(): Promise<MetricsSnapshot> {
    const { version, runtime, roles, certificates, troubles, terms } = this.#parts;
    const sides = await this.#sides();
    const facts = sides.filter(({ isUp }) => isUp).map((side) => agedFacts(side));
    const measures = facts.flatMap((one) => (one.measures === undefined ? [] : [one.measures]));
    const store = facts.find((one) => one.store !== undefined)?.store;
    const groups = facts.flatMap((one) => one.groups);
    const remoteGroups = ownGroups(facts.flatMap((one) => one.remoteGroups));
    const volumes = this.#volumes(sides, facts, measures);
    for (const { name, measures } of volumes) if (measures !== undefined) this.#copied.look(name, measures.copyBytes);
    const silent = sides
      .filter(({ silentSeconds }) => silentSeconds >= 1)
      .map(({ name: side, silentSeconds }) => ({ side, seconds: Math.floor(silentSeconds) }));
    const { obstacles, problems } = readinessOf({
      ...{ silent, volumes, store, remoteGroups },
      groups: this.#counted(groups),
    });
    return {
      ...{ version, runtime, certificates: certificates(), terms, store, groups, remoteGroups, volumes },
      copiedBytes: this.#copied.sum,
      roles: roles.map((role) => ({ role, isUp: sides.some(({ name, isUp }) => isUp && name === sideOf[role]) })),
      isReady: obstacles.length === 0,
      problemCount: obstacles.length + problems.length + (troubles?.().length ?? 0),
      drills: ownDrills(
        measures.flatMap(({ drills = [] }) => drills),
        remoteGroups,
      ),
      jobs: measures.flatMap(({ jobs = [] }) => jobs),
    };
  }

  #sides(): Promise<KnownSide[]> {
    return Promise.all(
      this.#parts.sides.map(async (side) => {
        const known = await side.freshFacts(metricsPatienceMs);
        return { ...known, name: side.name, isUp: known.ageSeconds * 1000 <= metricsFactsAgeMsMax };
      }),
    );
  }

  /** Those in the catalogue that nobody has told of could not be opened. */
  #volumes(
    sides: readonly KnownSide[],
    facts: readonly SideFacts[],
    measures: readonly SideMeasures[],
  ): readonly MeasuredVolume[] {
    const { keeper } = this.#parts;
    if (keeper === undefined || !sides.some(({ name, isUp }) => isUp && name === "local")) return [];
    const byName = new Map(measures.flatMap(({ volumes = [] }) => volumes.map((one) => [one.name, one] as const)));
    return keeper.describe(facts.flatMap((one) => one.volumes)).map((volume) => {
      const found = byName.get(volume.name);
      return found === undefined ? volume : { ...volume, measures: found };
    });
  }

  #counted(groups: readonly GroupFacts[]): readonly GroupReport[] {
    return this.#parts.keeper?.describeGroups(groups) ?? groups;
  }
}
