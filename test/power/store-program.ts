/**
 * A small program that works with a folder of objects until it is killed: `store-program.ts FOLDER`. It puts numbered objects
 * by threes, removes the older ones and changes a document, and says `there N`, `gone N` and `document N` when that is
 * promised, `removing N` before.
 */
import fs from "node:fs";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { contentOfObject, objectNameOf, storeDocumentName } from "./store-content.ts";

const [folder] = process.argv.slice(2) as [string];
const atOnce = 3;
const keptCount = 12;

function say(text: string): void {
  fs.writeSync(1, `${text}\n`);
}

const objects = await FolderObjects.open({ files: nodeFiles, clock: nodeClock }, folder);

async function put(number: number): Promise<void> {
  const writer = objects.create(objectNameOf(number));
  const content = contentOfObject(number);
  const middle = Math.floor(content.length / 2);
  await writer.write(content.subarray(0, middle));
  await writer.write(content.subarray(middle));
  await writer.finish();
  say(`there ${number}`);
}

async function remove(number: number): Promise<void> {
  say(`removing ${number}`);
  await objects.remove(objectNameOf(number));
  say(`gone ${number}`);
}

let version: string | undefined;
for (let number = 0; ; number += atOnce) {
  const numbers = Array.from({ length: atOnce }, (_, index) => number + index);
  const old = numbers.map((one) => one - keptCount).filter((one) => one >= 0);
  await Promise.all([...numbers.map(put), ...old.map(remove)]);
  version = await objects.changeDocument(storeDocumentName, Buffer.from(String(number)), version);
  say(`document ${number}`);
}
