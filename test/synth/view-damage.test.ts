/** Damage in what was written to a view: nobody has a second copy of that, so it has to be told. */
import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { imageDamageMsMax } from "#src/core/point-limits.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import { driven } from "#test/contract/driver.ts";
import { ViewWorld } from "./view-world.ts";

const sizeBytes = 96 * blockBytes;

/** Blocks 8 to 11 were written, of which 9 and 10 are damaged. */
async function damagedView(seed: number) {
  const world = new ViewWorld(seed, sizeBytes);
  const view = await world.open();
  const written = { command: command.write, offset: 8 * blockBytes, payload: Buffer.alloc(4 * blockBytes, 7) };
  expect((await world.ask(written)).error).toBe(0);
  const [name = ""] = world.host.files.list("/view/segments").filter((one) => one.endsWith(".data"));
  const turn = () => {
    for (const slot of [1, 2]) world.host.disk.fileAt(`/view/segments/${name}`).flipBit(slot * blockBytes + 17, 3);
  };
  turn();
  const read = async (startBlock: number, blockCount = 1) => {
    const asked = { command: command.read, offset: startBlock * blockBytes, length: blockCount * blockBytes };
    return (await world.ask(asked)).error;
  };
  const write = (startBlock: number, blockCount = 1, kind: number = command.write) =>
    world.ask({
      ...{ command: kind, offset: startBlock * blockBytes },
      ...(kind === command.write
        ? { payload: Buffer.alloc(blockCount * blockBytes, 8) }
        : { length: blockCount * blockBytes }),
    });
  const lookAgain = async () => {
    world.simulation.clock.advance(imageDamageMsMax);
    await driven(world.driver, view.lookAgain());
    return view.findings;
  };
  return { world, view, turn, read, write, lookAgain };
}

const both = "blocks 9 to 10, as written to the view, cannot be read";

test("fault 18: what is damaged of what was written fails alone, and is told with the view", async () => {
  const { view, read } = await damagedView(1);
  expect(view.findings).toEqual([]);
  const errors = [];
  for (const block of [8, 9, 10, 11]) errors.push(await read(block));
  expect(errors).toEqual([0, nbdError.io, nbdError.io, 0]);
  const single = [9, 10].map((block) => `block ${block}, as written to the view, cannot be read`);
  expect(view.findings).toEqual(single);
  expect(await read(7, 6)).toBe(nbdError.io);
  expect(view.findings).toEqual([...single, both]);
});

test("damage in what was written is told as long as somebody who looks again finds it there", async () => {
  const { world, view, turn, read, lookAgain } = await damagedView(2);
  await read(8, 4);
  expect(view.findings).toEqual([both]);
  expect(await lookAgain()).toEqual([both]);
  turn();
  // Looked at only lately.
  await view.lookAgain();
  expect(view.findings).toEqual([both]);
  world.host.disk.failNext("read", "EACCES");
  await expect(lookAgain()).rejects.toThrow();
  expect(view.findings).toEqual([both]);
  expect(await lookAgain()).toEqual([]);
  expect(await read(8, 4)).toBe(0);
});

test("what is damaged and then written over, or trimmed, is told no more, and what is left of it still is", async () => {
  const { read, write, lookAgain } = await damagedView(3);
  await read(8, 4);
  expect((await write(9)).error).toBe(0);
  expect(await lookAgain()).toEqual(["block 10, as written to the view, cannot be read"]);
  expect((await write(10, 1, command.trim)).error).toBe(0);
  expect(await lookAgain()).toEqual([]);
  expect(await read(8, 4)).toBe(0);
});

test("a look at a long row of damaged blocks is one at all of them", async () => {
  const world = new ViewWorld(4, 400 * blockBytes);
  const view = await world.open();
  await world.ask({ command: command.write, offset: 0, payload: Buffer.alloc(400 * blockBytes, 7) });
  const [name = ""] = world.host.files.list("/view/segments").filter((one) => one.endsWith(".data"));
  const turn = (slots: number): void => {
    for (let slot = 0; slot < slots; slot++)
      world.host.disk.fileAt(`/view/segments/${name}`).flipBit(slot * blockBytes + 17, 3);
  };
  const lookAgain = async () => {
    world.simulation.clock.advance(imageDamageMsMax);
    await driven(world.driver, view.lookAgain());
    return view.findings;
  };
  turn(390);
  // Of a part of a block: then it is the view that has the memory for it.
  const asked = { command: command.read, offset: 512, length: 400 * blockBytes - 512 };
  expect((await world.ask(asked)).error).toBe(nbdError.io);
  expect(await lookAgain()).toEqual(["blocks 0 to 389, as written to the view, cannot be read"]);
  turn(380);
  expect(await lookAgain()).toEqual(["blocks 380 to 389, as written to the view, cannot be read"]);
});
