/** A restore as all parts have it. Plain data. */

/** As it is asked for. */
export interface RestoreWish {
  readonly volume: string;
  /** In words. */
  readonly point: string;
  /** An absolute path on the remote appliance's machine, or an NBD URI. */
  readonly target: string;
  /** What the target holds may go. */
  readonly mayOverwrite: boolean;
  readonly isVerified: boolean;
  /** Not the point alone, but with what was written to this view of it, which is put away. */
  readonly view?: RestoredView;
  /** What else is to be said of the point, for people, where whoever asks has looked at it. */
  readonly note?: string;
  /** The target is this volume's own export, and holds what the point of this seq holds: only what differs is written. */
  readonly fromSeq?: number;
}

export interface RestoredView {
  readonly id: string;
  readonly name: string;
  /** Of its own journals, where it has some. */
  readonly incarnation: number;
  /** As the view has it: what another one noted is of other content. */
  readonly reopenCount?: number;
  readonly isWritable: boolean;
}

/** As it is carried out, and kept until it is over. */
export interface RestoreRequest extends Omit<RestoreWish, "point"> {
  /** 32 hexadecimal digits. */
  readonly group: string;
  /** Within the group. */
  readonly number: number;
  /** The point. */
  readonly seq: number;
  readonly timeMicros: number;
  /** Of what holds the point meanwhile, and of what is noted of the restore. */
  readonly id: string;
  /** It goes on from what an earlier job has noted: what came to the target since that one ended is somebody else's. */
  readonly goesOn?: true;
}

const pinPrefix = "restore:";

export function restorePin({ id }: Pick<RestoreRequest, "id">): string {
  return pinPrefix + id;
}

/** Its id; undefined: the pin is of something else. */
export function restoreOfPin(pin: string): string | undefined {
  return pin.startsWith(pinPrefix) ? pin.slice(pinPrefix.length) : undefined;
}
