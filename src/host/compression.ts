/** zstd, at the level that costs least: for what is sent over a link that is slower than the machines at its ends. */
export { compressed, decompressed } from "./node/zstd.ts";
