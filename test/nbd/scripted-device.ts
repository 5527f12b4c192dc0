/** A device in memory that does what a test tells it to, and tells what it was asked. */
import type { BlockDevice, DoneCallback, Extent } from "#src/host/block-device.ts";

type Call = "readNow" | "writeNow" | "read" | "write" | "sync" | "punch" | "zero" | "extents" | "willNeed";

export interface DeviceOptions {
  readonly sizeBytes?: number;
  /** Less than the size, where a test does not look at the bytes. */
  readonly memoryBytes?: number;
  readonly readOnly?: boolean;
  readonly rotational?: boolean;
}

export class ScriptedDevice implements BlockDevice {
  readonly path = "scripted";
  readonly rotational: boolean;
  readonly readOnly: boolean;
  readonly sizeBytes: number;
  readonly bytes: Buffer;
  readonly calls: string[] = [];
  /** Calls back that the device owes. */
  readonly owed: (() => void)[] = [];
  isCold = false;
  canPunch = true;
  canZero = true;
  /** Where a call of the kind fails, and with which code. */
  readonly failures = new Map<Call, { readonly position: number; readonly code: string }>();
  /** Runs inside of a call that blocks. */
  blocked: () => void = () => {};
  extents: readonly Extent[] = [];

  constructor(options: DeviceOptions = {}) {
    this.sizeBytes = options.sizeBytes ?? 1024 * 1024;
    this.bytes = Buffer.alloc(options.memoryBytes ?? this.sizeBytes, "old");
    this.readOnly = options.readOnly ?? false;
    this.rotational = options.rotational ?? false;
  }

  #note(call: Call, position: number, lengthBytes: number): void {
    this.calls.push(`${call} ${position}+${lengthBytes}`);
    const failure = this.failures.get(call);
    if (failure?.position === position) throw Object.assign(new Error(failure.code), { code: failure.code });
  }

  #later(call: Call, position: number, lengthBytes: number, effect: () => void, done: DoneCallback): void {
    this.owed.push(() => {
      try {
        this.#note(call, position, lengthBytes);
      } catch (error) {
        done(error as Error);
        return;
      }
      effect();
      done(null);
    });
  }

  /** Does what is owed, and what comes of it. */
  pay(): void {
    for (let next = this.owed.shift(); next !== undefined; next = this.owed.shift()) next();
  }

  readNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void {
    this.#note("readNow", position, lengthBytes);
    this.bytes.copy(buffer, start, position, position + lengthBytes);
  }

  writeNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void {
    this.#note("writeNow", position, lengthBytes);
    this.blocked();
    buffer.copy(this.bytes, position, start, start + lengthBytes);
  }

  readIfCached(buffer: Buffer, start: number, lengthBytes: number, position: number): boolean {
    if (this.isCold) return false;
    this.readNow(buffer, start, lengthBytes, position);
    return true;
  }

  read(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void {
    const effect = () => this.bytes.copy(buffer, start, position, position + lengthBytes);
    this.#later("read", position, lengthBytes, effect, done);
  }

  write(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void {
    const effect = () => buffer.copy(this.bytes, position, start, start + lengthBytes);
    this.#later("write", position, lengthBytes, effect, done);
  }

  sync(done: DoneCallback): void {
    this.#later("sync", 0, 0, () => {}, done);
  }

  punchHoleNow(position: number, lengthBytes: number): boolean {
    return this.#cleared("punch", this.canPunch, position, lengthBytes);
  }

  zeroRangeNow(position: number, lengthBytes: number): boolean {
    return this.#cleared("zero", this.canZero, position, lengthBytes);
  }

  #cleared(call: Call, can: boolean, position: number, lengthBytes: number): boolean {
    this.#note(call, position, lengthBytes);
    if (can)
      this.bytes.fill(0, Math.min(position, this.bytes.length), Math.min(position + lengthBytes, this.bytes.length));
    return can;
  }

  extentsNow(position: number, lengthBytes: number, countMax: number): Extent[] {
    this.#note("extents", position, lengthBytes);
    return this.extents.slice(0, countMax);
  }

  willNeed(position: number, lengthBytes: number): void {
    this.#note("willNeed", position, lengthBytes);
  }

  close(): void {
    throw new Error("an export does not close its device");
  }
}
