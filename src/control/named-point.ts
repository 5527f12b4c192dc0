/** A point of a volume, with the names that both had when it was named. */
export interface NamedPoint {
  /** 32 hexadecimal digits. */
  readonly group: string;
  readonly groupName: string;
  /** Within the group. */
  readonly volume: number;
  readonly volumeName: string;
  readonly seq: number;
  /** Of its record. */
  readonly timeMicros: number;
}
