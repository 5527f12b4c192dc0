/** A long work that nobody bounds: for tests of the works themselves. Remembers what it was told. */
import { CancelledError, type WorkControl, type WorkProgress } from "#src/store/work-control.ts";

export class FreeWork implements WorkControl {
  readonly told: WorkProgress[] = [];
  isCancelled = false;
  pacedBytes = 0;

  throwIfCancelled(): void {
    if (this.isCancelled) throw new CancelledError();
  }

  progress(progress: WorkProgress): void {
    this.told.push(progress);
  }

  async pace(byteLength: number): Promise<void> {
    this.throwIfCancelled();
    this.pacedBytes += byteLength;
  }
}
