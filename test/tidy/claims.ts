/**
 * What Tidemark says of itself that somebody outside can see for himself. A test that shows it has the claim in its name, as
 * `claim A7: …` or `claims A7 and C1: …`; docs/claims.md is put together from this list and from those names.
 */
export interface Claim {
  /** The letter of its part, and a number for life: one that is taken back is not given again. */
  readonly id: string;
  readonly title: string;
  /** What we hold; the tests have to show all of it but what is missing. */
  readonly held: string;
  /** What is not built, or not shown in full. Whoever has no such excuse has a test in `test/claims`. */
  readonly missing?: string;
}

/** By the letter of their claims. */
export const claimParts: Readonly<Record<string, string>> = {
  A: "Continuous replication onto deduplicated storage",
  C: "Copies in a format of their own",
};

export const claims: readonly Claim[] = [
  {
    id: "A1",
    title: "The first copy is made while the host writes",
    held:
      "What a source held before it was protected is journaled beside the host's writes, over cut links and dead processes, " +
      "until remote and source are equal byte by byte. Before that no point is offered, and none lies in that time afterwards.",
  },
  {
    id: "A2",
    title: "Each write goes to the local appliance first",
    held: "In every mode a write is acknowledged by the local appliance, then written to the source, then answered.",
  },
  {
    id: "A3",
    title: "In sync a write waits for the remote appliance",
    held:
      "The local appliance acknowledges when the remote one has. While that does not answer, the source is not changed and the " +
      "host not answered, unless the group's policy is to degrade, which is told; when it goes on, all goes on.",
  },
  {
    id: "A4",
    title: "In async a write waits for nobody at the other site",
    held: "A remote appliance that stands still holds up no write. The lag is told, returns to nothing, and nothing is lost.",
  },
  {
    id: "A5",
    title: "In aggregated several writes travel as one",
    held:
      "Each write is answered at once, and what is overwritten within an aggregate does not travel. " +
      "An aggregate is at the remote whole or not at all, whoever is killed in the middle of it.",
  },
  {
    id: "A6",
    title: "Modes are switched at any moment",
    held:
      "Between any two modes, under load, with nothing lost, doubled or out of order. The switch is one record of the order, and " +
      "each write is acknowledged as the record before it says. Sync is reported when all before it is durable at the remote.",
  },
  {
    id: "A7",
    title: "Metadata and data are journaled apart",
    held:
      "What was written and when goes to one journal, the bytes to another, and both become objects of the store. " +
      "From these two alone the volume can be had as it was at every single seq.",
  },
  {
    id: "A8",
    title: "A later snapshot is made of an earlier one and the journal",
    held: "By pointers alone, into the journal and into the earlier snapshot: neither the source nor any payload is read for it.",
  },
  {
    id: "A9",
    title: "Points come at a second level of granularity",
    held:
      "The level of a volume is switched while it is in use. At every write each one is a point, at a coarser level the ends of " +
      "intervals are; what is late to arrive keeps the level that it was written at, and earlier points and snapshots do not change.",
    missing:
      "a data journal for each level: levels have their metadata apart, and share the segments of their data " +
      "([decision 29](decisions/0029-levels.md) says why).",
  },
  {
    id: "A10",
    title: "Old data goes without hurting newer points",
    held: "With the first snapshot and the journal before it gone, later ones still read every byte, and the room comes back.",
  },
  {
    id: "C1",
    title: "What is kept is not a plain copy",
    held:
      "What is sealed takes a fraction of the room of what was written, since objects hold each block once, and compressed. " +
      "What is restored of them is the plain bytes again.",
  },
];
