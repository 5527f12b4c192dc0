/** What lies under a view's writes: its point, block by block. `PointImage` is one. */
import type { PointImage } from "./point-image.ts";

export type ViewBase = Pick<PointImage, "sizeBytes" | "blockCount" | "runsIn" | "readNow" | "read" | "close">;
