/** What a test says to the process of a disk, and what that answers. */
import type { Losses } from "./volatile-disk.ts";

export type FileSystemKind = "ext4" | "xfs";

export type DiskCommand =
  /** Serves the image, shows it as a block device, mounts it; the kernel replays the file system's journal. */
  | { readonly do: "powerUp" }
  | { readonly do: "cut"; readonly seed: number }
  /** In the middle of the n-th write or flush from now on, and after `latestMs` if there are not so many. */
  | { readonly do: "cutAfter"; readonly requests: number; readonly latestMs: number; readonly seed: number }
  /** Takes everything away again; without a cut before, in order. */
  | { readonly do: "powerDown" };

export interface DiskOrder {
  readonly id: number;
  readonly command: DiskCommand;
}

export type DiskAnswer =
  | { readonly kind: "done"; readonly id: number; readonly losses?: Losses }
  | { readonly kind: "failed"; readonly id: number; readonly why: string }
  /** Not an answer: the power went by itself, as `cutAfter` had asked for. */
  | { readonly kind: "cut"; readonly losses: Losses };
