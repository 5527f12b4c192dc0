/** The randomness port. On a real host nobody can predict it: it is good enough for tokens and identities. */
export interface Randomness {
  bytes(count: number): Buffer;
  /** A whole number of at least 0 and less than `limit`, each as likely as the others. `limit` is at most 2^32. */
  integerBelow(limit: number): number;
}
