import { closeSync, ftruncateSync, openSync } from "node:fs";
import { openBlockDevice } from "#src/host/node/block-device.ts";
import {
  type BlockDeviceBench,
  describeBlockDeviceBounds,
  describeBlockDeviceContract,
  deviceBytes,
} from "#test/contract/block-device.ts";
import { realDriver } from "#test/contract/driver.ts";
import { temporaryFolder } from "./temporary-folder.ts";

function realFile(): BlockDeviceBench {
  const path = `${temporaryFolder()}/disk`;
  const fd = openSync(path, "wx");
  ftruncateSync(fd, deviceBytes);
  closeSync(fd);
  return { driver: realDriver, open: (options) => openBlockDevice(path, options) };
}

describeBlockDeviceContract("a file as a device", realFile);
describeBlockDeviceBounds("a file as a device", realFile);
