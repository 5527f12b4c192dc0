/** `tidemark level VOLUME LEVEL`. */
import type { VolumeLevel } from "#src/control/level-words.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";

const help = `Usage: tidemark level VOLUME every-write|10s|1m|1h|... [OPTION ...]

Switches how far the points of a volume are from each other, live: hosts go on writing. What was written before keeps its points.

every-write  each write is a point
a time       one point is left for each such time: 10s, 1m, 1h, 1d. Every write still arrives at the remote appliance, and is a point
             until its time is over and sealed; the next collection frees what the points that are left do not need

Where volumes of one group have different levels the finest counts for all of them, since a point is of the whole group: what is
to have few points belongs into a group of its own.
Older points become fewer besides, as store.retention.levels says.

Levels are the local appliance's: where the roles run apart, --api names it. Where several of its groups have a volume of one name,
GROUP/VOLUME says which.

${apiHelp}
Example:
  tidemark level disk 10s
`;

export const levelCommand: Command = {
  name: "level",
  summary: "switch how far a volume's points are from each other",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, apiOptions);
    const [volume, level, ...more] = positionals;
    if (volume === undefined || volume === "" || level === undefined || more.length > 0) {
      throw new UsageError("level takes a VOLUME and every-write or a time; 'tidemark level --help' tells more");
    }
    const api = new ApiClient(values);
    const facts = (await api.ask("PUT", ["volumes", volume, "level"], { body: { level } })) as VolumeLevel;
    process.stdout.write(values.json === true ? `${JSON.stringify(facts)}\n` : `${sentence(facts)}\n`);
    return 0;
  },
};

function sentence({ volume, level, seconds, finer }: VolumeLevel): string {
  if (seconds === 0) return `each write of ${volume} is a point from now on`;
  const closer =
    finer.length === 0 ? "" : `; but ${finer.join(", ")} of its group keep closer ones, which are kept for all`;
  return `points of ${volume} are ${level} from each other from now on${closer}`;
}
