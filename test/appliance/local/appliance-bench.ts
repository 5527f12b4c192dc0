import { expect } from "vitest";
import { defaultGroupPolicy, type GroupPolicy } from "#src/appliance/local/group-policy.ts";
import { LocalAppliance } from "#src/appliance/local/local-appliance.ts";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import { KiB } from "#src/core/limits.ts";
import { recordTypeName } from "#src/records/record.ts";
import type {
  AttachedSource,
  Attachment,
  RedoRecord,
  SourceAge,
  VolumeIdentity,
  VolumeLink,
  VolumeReceiver,
} from "#src/wire/volume-link.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

export const identity: VolumeIdentity = { id: "aa", name: "disk", group: "g", sizeBytes: 1024 * 4096 };
export const policy: GroupPolicy = {
  ...defaultGroupPolicy,
  mode: { ...defaultGroupPolicy.mode, linkLoss: "stall" },
  spoolSegmentBytes: 64 * KiB,
  spoolLimitBytes: 512 * KiB,
  lagBytesMax: 512 * KiB,
  seqReserve: 1000,
};

/** A local appliance on a simulated host, with one volume and a remote that does as it is told. */
export class Bench {
  readonly simulation = new Simulation(1);
  readonly host: SimHost = this.simulation.host("source-site");
  remote = new ScriptedRemote();
  appliance!: LocalAppliance;
  link!: VolumeLink;
  attachment!: Attachment;
  redone: RedoRecord[] = [];
  /** What the source takes for each of them. */
  redo = async (): Promise<void> => {};
  acknowledged: number[] = [];
  lost: string[] = [];
  policy: GroupPolicy = policy;
  identity = identity;

  /** Begins to open; time does not pass by itself meanwhile. */
  begin(mode: Mode = "async"): Promise<LocalAppliance> {
    const { connect } = this.remote;
    return LocalAppliance.open({
      machine: this.host,
      folder: "/data",
      policy: this.policy,
      newGroupMode: mode,
      connect,
    });
  }

  async open(mode: Mode = "async"): Promise<void> {
    this.host.files.makeFolder("/data");
    await this.done(new Promise<void>((resolve) => this.host.files.syncFolder("/", () => resolve())));
    this.appliance = await this.done(this.begin(mode));
  }

  async attach(durableOrdinal = 0, sourceAge: SourceAge = "known", isCopyDue = false): Promise<void> {
    await this.attachSaying(durableOrdinal, { sourceAge, isCopyDue });
  }

  async attachSaying(durableOrdinal: number, said: AttachedSource): Promise<void> {
    this.redone = [];
    this.acknowledged = [];
    const receiver: VolumeReceiver = {
      redo: async (record) => {
        this.redone.push(record);
        await this.redo();
      },
      acknowledged: (ordinal) => this.acknowledged.push(ordinal),
      roomAgain: () => {},
      remoteDurable: () => {},
      lost: (error) => this.lost.push(error.message),
    };
    this.attachment = await this.done(this.appliance.attach(this.identity, durableOrdinal, receiver, said));
    this.link = this.attachment.link;
  }

  async start(mode: Mode = "async"): Promise<void> {
    await this.open(mode);
    await this.attach();
    this.remote.come();
    await this.rest();
  }

  /** Lets everything happen that is due without waiting for long. */
  async rest(durationMs = 100): Promise<void> {
    await this.simulation.clock.pass(durationMs, () => false);
  }

  async done<Result>(promise: Promise<Result>): Promise<Result> {
    let outcome: { readonly value: Result } | { readonly error: unknown } | undefined;
    promise.then(
      (value) => {
        outcome = { value };
      },
      (error) => {
        outcome = { error };
      },
    );
    await this.simulation.clock.pass(60_000, () => outcome !== undefined);
    if (outcome === undefined)
      throw new Error(`it does not come to an end:\n${this.simulation.trace.lines.slice(-25).join("\n")}`);
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  write(startBlock: number, value: number): number {
    expect(this.link.hasRoomFor(1)).toBe(true);
    this.link.addWrite(startBlock, 1, Buffer.alloc(4096, value), 0);
    return this.link.lastOrdinal;
  }

  flush(): string[] {
    const outcome: string[] = [];
    this.link.flush((error) => outcome.push(error?.message ?? "done"));
    return outcome;
  }

  get figures() {
    const [figures] = this.appliance.figures();
    if (figures === undefined) throw new Error("there is no group");
    return figures;
  }

  get shippedTypes(): string[] {
    return this.remote.shipped.map((record) => recordTypeName(record.type));
  }
}

export async function startBench(mode: Mode = "async"): Promise<Bench> {
  const made = new Bench();
  await made.start(mode);
  return made;
}
