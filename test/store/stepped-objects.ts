/** Objects in memory where each use is a step of the work that does it, as far as a test wants that. */
import type { ObjectWriter } from "#src/store/objects.ts";
import { MemoryObjects } from "./memory-objects.ts";
import { step } from "./orders.ts";

export class SteppedObjects extends MemoryObjects {
  override create(name: string): ObjectWriter {
    const writer = super.create(name);
    const { finish } = writer;
    writer.finish = async () => {
      await step(`publishes ${name}`);
      await finish();
      await step(`hears of ${name}`);
    };
    return writer;
  }

  override async read(name: string, target: Buffer, position: number): Promise<number> {
    await step(`reads ${name}`);
    return await super.read(name, target, position);
  }

  override async remove(name: string): Promise<void> {
    await step(`removes ${name}`);
    await super.remove(name);
  }
}
